"""The perimeter: no lock-out, no open door, and only access levels that exist."""

from collections.abc import Iterator

from catalog.limits.perimeter import perimeter
from catalog.problems import Problem, below
from config.known import Known


def check_perimeter(known: Known) -> Iterator[Problem]:
    """Check the perimeter and each of its rules."""
    if known.perimeter is None:
        return
    settings = known.perimeter
    if settings.access_policy is None and known.project and known.project.organization is None:
        yield Problem(
            ("project", "organization"),
            "nothing",
            "the organization's number when perimeter.access_policy is not given",
            "add it (`gcloud organizations list`), give an access policy, or remove perimeter",
        )
    yield from below(("perimeter",), perimeter(settings.model_dump(by_alias=True)))

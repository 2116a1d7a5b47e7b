"""The perimeter: no lock-out, no open door, and only access levels that exist."""

from collections.abc import Iterator

from catalog.limits.perimeter import perimeter
from catalog.problems import Problem, below
from config.known import Known
from config.perimeter import Perimeter


def check_perimeter(known: Known) -> Iterator[Problem]:
    """Check the perimeter and each of its rules."""
    if known.perimeter is None:
        return
    settings = known.perimeter
    yield from _joined(settings)
    if (
        settings.existing is None
        and settings.access_policy is None
        and known.project
        and known.project.organization is None
    ):
        yield Problem(
            ("project", "organization"),
            "nothing",
            "the organization's number when perimeter.access_policy is not given",
            "add it (`gcloud organizations list`), give an access policy, or remove perimeter",
        )
    yield from below(("perimeter",), perimeter(settings.model_dump(by_alias=True)))


_OF_THE_OWNER = (
    "access_policy",
    "restricted_services",
    "vpc_accessible_services",
    "projects",
    "bridges",
)


def _joined(settings: Perimeter) -> Iterator[Problem]:
    """Yield what only the owner of a perimeter that is there decides."""
    if settings.existing is None:
        return
    for key in _OF_THE_OWNER:
        if key in settings.model_fields_set:
            yield Problem(
                ("perimeter", key),
                "a setting of a perimeter that is made",
                "mode, access_levels, ingress and egress beside existing",
                "remove it: the perimeter's owner decides",
            )

"""Who is granted something: only pipelines that exist, each once."""

from collections.abc import Iterator, Sequence

from catalog.problems import KeyPath, Problem, did_you_mean, joined, shown
from config.known import Known
from config.principals import is_pipeline


def check_principals(known: Known, path: KeyPath, principals: Sequence[str]) -> Iterator[Problem]:
    """Check that none of a list is named twice, and that its pipelines are of the platform."""
    pipelines = known.names.get("pipelines")
    for position, principal in enumerate(principals):
        if principal in principals[:position]:
            yield Problem((*path, position), f"{shown(principal)} again", "each once", "remove it")
        elif is_pipeline(principal) and pipelines is not None and principal not in pipelines:
            yield Problem(
                (*path, position),
                shown(principal),
                f"a pipeline ({joined(pipelines)}), or an account such as group:analysts@acme.com",
                did_you_mean(principal, pipelines, "add the pipeline, or write the account's kind"),
            )

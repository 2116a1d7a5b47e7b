"""The checks of a stack's request paths: one truth a module."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from request_path.checks import attached, guarded, protected, published, served, unambiguous
from request_path.finding import Finding
from request_path.matching import claims_of
from request_path.models import reaches_models
from request_path.objects import Objects

_CHECKS: Final = (
    attached.check,
    guarded.check,
    unambiguous.check,
    served.check,
    published.check,
    protected.check,
)


def findings_of(objects: Objects, unscreened: frozenset[str] = frozenset()) -> list[Finding]:
    """Return everything wrong with the ways to the models, and notes on what was chosen to be so.

    Nothing where no Gateway leads to models. Requests to the `unscreened` model names need no
    guardrail.
    """
    if not objects.gateways or not _has_models(objects):
        return []
    found = (_accepted(each, unscreened) for each in _all(objects))
    # A route of many matches says the same of each.
    return list({(each.code, each.subject.urn, each.text()): each for each in found}.values())


def _has_models(objects: Objects) -> bool:
    return bool(objects.pools) or any(
        reaches_models(claim, objects) for claim in claims_of(objects)
    )


def _all(objects: Objects) -> Iterator[Finding]:
    for check in _CHECKS:
        yield from check(objects)


def _accepted(finding: Finding, unscreened: frozenset[str]) -> Finding:
    return replace(finding, note=True) if finding.is_met_by(unscreened) else finding

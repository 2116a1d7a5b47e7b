"""The checks of `request_path`, on resources as a policy sees them."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, cast

from policies.shared.rule import StackFinding
from request_path.checks import findings_of
from request_path.finding import Check, Finding
from request_path.reading import objects_of
from resources.properties import show
from resources.resource import Resource, Stack, stack_of

# Beside well-known names, only words of the checks themselves and API paths may be shown.
_SHOWABLE: Final = re.compile(
    r"|prompts|answers|(Request|Response)(Headers|Body|Trailers)|FullDuplexStreamed|Streamed"
    r"|not set|any header|Model Armor|API of Google|API management|Wasm plugin"
    r"|guardrail service|callout"
    r"|its condition isn't known yet|its condition takes only some|its conditions disagree"
    r"|LoadBalancer|NodePort|external addresses|a network endpoint group"
    r"|Service|ServiceImport|ApigeeBackendService|GCPWasmPlugin|[0-9]{1,5}"
    r"|(/[a-z0-9-]{1,12}){1,4}/?|/"
)

# What calls a Service that no object of the stack is; the Service's name is its last value.
_CALLS: Final = "callout-missing"


def breaches(
    check: Check,
    resources: Sequence[Resource],
    unscreened: Sequence[str] = (),
    foreign: Sequence[str] = (),
) -> Iterator[StackFinding]:
    """Yield the findings of one check, each on its resource. Models not named need a guardrail.

    `foreign` are the Services that others make.
    """
    stack = stack_of(resources)
    for finding in _findings(stack):
        if finding.check is not check or _accepted(finding, frozenset(unscreened)):
            continue
        if finding.code != _CALLS or finding.values[-1] not in foreign:
            yield StackFinding(finding.text(_show), stack.by_urn[finding.subject.urn])


def _findings(stack: Stack) -> list[Finding]:
    """Return what is wrong with the request paths of a stack, worked out once for all rules."""
    if "findings" not in stack.shared:
        stack.shared["findings"] = findings_of(objects_of(stack))
    return cast("list[Finding]", stack.shared["findings"])


def _accepted(finding: Finding, unscreened: frozenset[str]) -> bool:
    return finding.is_met_by(unscreened) or (finding.note and not finding.unscreened)


def _show(value: object) -> str:
    text = str(value)
    return text if _SHOWABLE.fullmatch(text) else show(value)

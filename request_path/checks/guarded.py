"""Every request to a model, and every answer, passes a guardrail.

A way around it is a path, host or header for which no chain runs, or another chain does; events
that leave out a body; a guardrail that fails open; a model name without templates.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from request_path.extensions import (
    API_MANAGEMENT_TITLE,
    TRAFFIC,
    attached,
    deciding,
    kind_of,
    region_of,
)
from request_path.finding import Check, Finding
from request_path.matching import Claim, claims_of
from request_path.model_armor import screening
from request_path.models import models_of, pools_of, reaches_models, used_backends
from request_path.objects import Chain, Extension, Extensions, Objects
from request_path.pods import chosen, guards_itself
from request_path.publication import region_of as gateway_region
from resources.properties import UNKNOWN

STREAMED: Final = "FullDuplexStreamed"
PROMPTS: Final = "RequestBody"
ANSWERS: Final = "ResponseBody"
_SIDES: Final = {PROMPTS: "prompts", ANSWERS: "answers"}


class _Way(NamedTuple):
    """A claim, with what it may carry and where it runs."""

    claim: Claim
    models: frozenset[str]
    region: str | None


def check(objects: Objects) -> Iterator[Finding]:
    """Yield every way around the guardrails."""
    for claim in claims_of(objects):
        if reaches_models(claim) and used_backends(claim) and not _guarded_in_pods(claim, objects):
            way = _Way(claim, models_of(claim, objects), gateway_region(claim.gateway, objects))
            yield from _on_the_load_balancer(way, objects)


def _guarded_in_pods(claim: Claim, objects: Objects) -> bool:
    """Return whether every replica has its own guardrail before the model server."""
    pools = list(pools_of(claim, objects))
    pods = [(each, pool) for pool in pools for _, each in chosen(pool, objects)]
    return (
        len(pools) == len(used_backends(claim))
        and bool(pods)
        and all(
            pool.ports and all(guards_itself(each, port) for port in pool.ports)
            for each, pool in pods
        )
    )


def _on_the_load_balancer(way: _Way, objects: Objects) -> Iterator[Finding]:
    claim, found = way.claim, attached(way.claim.gateway, TRAFFIC, objects)
    if not found:
        yield _finding(
            "no-extension",
            way,
            "requests to {} are screened by nothing: the Gateway {} has no traffic extension",
            claim.match.path,
            claim.gateway,
        )
        return
    if len(found) > 1:
        yield Finding(
            Check.GUARDED,
            "several-extensions",
            found[1],
            "is on the Gateway {} beside {}: which chain runs first isn't defined; put all chains "
            "into one extension",
            (claim.gateway, found[0]),
        )
    for extensions in found:
        for chain, doubt in deciding(extensions, claim.requests()):
            if chain is None:
                yield _finding(
                    "no-chain",
                    way,
                    "requests to {} may pass no guardrail: no chain of {} is sure to match them"
                    + (" ({})" if doubt else ""),
                    claim.match.path,
                    extensions,
                    *([doubt] if doubt else []),
                )
            else:
                yield from _in_chain(way, extensions, chain, objects)


def _finding(code: str, way: _Way, sentence: str, *values: object) -> Finding:
    return Finding(Check.GUARDED, code, way.claim.route, sentence, values, way.models)


def _in_chain(
    way: _Way, extensions: Extensions, chain: Chain, objects: Objects
) -> Iterator[Finding]:
    guards = [each for each in chain.extensions if kind_of(each).guards]
    if not guards:
        yield _finding(
            "chain-without-guardrail",
            way,
            "for requests to {} the chain {} of {} runs, and no other, and it has no guardrail",
            way.claim.match.path,
            chain.name,
            extensions,
        )
        return
    for event, side in _SIDES.items():
        if not any(event in each.events for each in guards):
            yield _finding(
                "body-not-screened",
                way,
                "{} aren't screened: no guardrail in the chain {} of {} supports the event {}",
                side,
                chain.name,
                extensions,
                event,
            )
    yield from _order(extensions, chain)
    for guard in guards:
        yield from _guardrail(extensions, guard)
        if guard.google_service is not None:
            yield from _model_armor(way, extensions, guard, objects)


def _order(extensions: Extensions, chain: Chain) -> Iterator[Finding]:
    """Check that API management comes first: no stranger's prompt is screened and paid for."""
    screened = False
    for each in chain.extensions:
        kind = kind_of(each)
        screened = screened or kind.guards
        if kind.title != API_MANAGEMENT_TITLE:
            continue
        if screened:
            yield Finding(
                Check.GUARDED,
                "guardrail-first",
                extensions,
                "in the chain {} the extension {} (API management) comes after a guardrail, which "
                "then screens the prompts of callers that are refused",
                (chain.name, each.name),
            )
        if each.fail_open:
            yield Finding(
                Check.GUARDED,
                "callers-unchecked",
                extensions,
                "extension {} (API management) lets requests pass unidentified and uncounted when "
                "it doesn't answer (failOpen), as chosen",
                (each.name,),
                note=True,
            )


def _guardrail(extensions: Extensions, guard: Extension) -> Iterator[Finding]:
    if guard.fail_open:
        yield Finding(
            Check.GUARDED,
            "fail-open",
            extensions,
            "extension {} lets requests and answers pass when it doesn't answer (failOpen)",
            (guard.name,),
        )
    if guard.observes:
        yield Finding(
            Check.GUARDED,
            "observes-only",
            extensions,
            "extension {} only watches (observabilityMode): it can block nothing",
            (guard.name,),
        )
    modes = {PROMPTS: guard.request_mode, ANSWERS: guard.response_mode}
    for event, mode in modes.items():
        if (
            guard.google_service is None
            and event in guard.events
            and mode not in {STREAMED, UNKNOWN}
        ):
            yield Finding(
                Check.GUARDED,
                "body-in-pieces",
                extensions,
                "extension {} gets {} in pieces it can't judge as a whole: its body send mode is "
                "{}, not FullDuplexStreamed",
                (guard.name, _SIDES[event], mode or "not set"),
            )


def _model_armor(
    way: _Way, extensions: Extensions, guard: Extension, objects: Objects
) -> Iterator[Finding]:
    region = region_of(guard)
    if way.region is not None and region != way.region:
        yield Finding(
            Check.GUARDED,
            "another-region",
            extensions,
            "extension {} calls Model Armor in {}, the Gateway {} is in {}",
            (guard.name, region, way.claim.gateway, way.region),
        )
    for problem in screening(guard, way.models, region, objects.templates):
        subject = way.claim.route if problem.unscreened else extensions
        yield Finding(
            Check.GUARDED,
            problem.code,
            subject,
            problem.sentence,
            problem.values,
            problem.unscreened,
            note=bool(problem.unscreened) and problem.chosen,
        )

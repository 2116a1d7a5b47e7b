"""Every request to a model, and every answer, passes a guardrail.

A way around it is a Service that others than the Gateway reach; a path, host or header for which no
chain runs, or another chain does; events that leave out a body; a guardrail that fails open; a
model name without templates.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from catalog.limits.inference import EXTENSION_TIMEOUT_SECONDS
from request_path.extensions import (
    API_MANAGEMENT_TITLE,
    TRAFFIC,
    attached,
    deciding,
    kind_of,
    region_of,
)
from request_path.finding import Finding, finding
from request_path.matching import Claim, claims_of
from request_path.model_armor import screening
from request_path.models import (
    models_of,
    pools_of,
    reaches_models,
    servers_behind,
    servers_of,
    used_backends,
)
from request_path.objects import Chain, Extension, Extensions, Ingress, Objects, Pool, Service
from request_path.pods import guards_itself, selected_pods
from request_path.publication import region_of as gateway_region
from resources.durations import seconds
from resources.properties import UNKNOWN, Unknown

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
        if (
            reaches_models(claim, objects)
            and used_backends(claim)
            and not _guarded_in_pods(claim, objects)
        ):
            way = _Way(claim, models_of(claim, objects), gateway_region(claim.gateway, objects))
            yield from _on_the_load_balancer(way, objects)
    for service in objects.services:
        by = _opened_by(service, objects)
        if by is not None and _serves_models(service, objects):
            yield finding("past-the-gateway", service, by)
    for pool in objects.pools:
        for each in _leading_to(pool, objects):
            yield finding("past-the-gateway", pool, each)


def _opened_by(service: Service, objects: Objects) -> object:
    """Return what leads to a Service from elsewhere than the Gateway: a word, or an object."""
    return next(_leading_to(service, objects), service.opened)


def _leading_to(target: Service | Pool, objects: Objects) -> Iterator[Ingress]:
    for each in objects.ingresses:
        if any(objects.refers(each, reference, target) for reference in each.targets):
            yield each


def _serves_models(service: Service, objects: Objects) -> bool:
    """Return whether models are behind a Service, with no guardrail of their own before them."""
    if service.selector is UNKNOWN or UNKNOWN in service.selector.values():
        return False
    return bool(servers_behind(service, objects)) or any(
        not all(port is not None and guards_itself(pods, port) for port in _targets(service))
        for pods in servers_of(service, objects)
    )


def _targets(service: Service) -> tuple[int | Unknown | None, ...]:
    return tuple(service.targets.values()) or (None,)


def _guarded_in_pods(claim: Claim, objects: Objects) -> bool:
    """Return whether every replica has its own guardrail before the model server."""
    pools = list(pools_of(claim, objects))
    pods = [(each, pool) for pool in pools for _, each in selected_pods(pool, objects)]
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
        yield _finding("no-extension", way, claim.match.path, claim.gateway)
        return
    if len(found) > 1:
        yield finding("several-extensions", found[1], claim.gateway, found[0])
    for extensions in found:
        for chain, doubt in deciding(extensions, claim.requests()):
            if chain is None:
                said = (claim.match.path, extensions, *([doubt] if doubt else []))
                yield _finding("no-chain/doubt" if doubt else "no-chain", way, *said)
            else:
                yield from _in_chain(way, extensions, chain, objects)


def _finding(name: str, way: _Way, *values: object) -> Finding:
    return finding(name, way.claim.route, *values, unscreened=way.models)


def _in_chain(
    way: _Way, extensions: Extensions, chain: Chain, objects: Objects
) -> Iterator[Finding]:
    guards = [each for each in chain.extensions if kind_of(each).guards]
    if not guards:
        said = (way.claim.match.path, chain.name, extensions)
        yield _finding("chain-without-guardrail", way, *said)
        return
    for event, side in _SIDES.items():
        if not any(event in each.events for each in guards):
            yield _finding("body-not-screened", way, side, chain.name, extensions, event)
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
            yield finding("guardrail-first", extensions, chain.name, each.name)
        if each.fail_open:
            yield finding("callers-unchecked", extensions, each.name)


def _guardrail(extensions: Extensions, guard: Extension) -> Iterator[Finding]:
    if guard.fail_open:
        yield finding("fail-open", extensions, guard.name)
    if guard.observes:
        yield finding("observes-only", extensions, guard.name)
    given = seconds(guard.timeout)
    if isinstance(given, float) and given < EXTENSION_TIMEOUT_SECONDS.low:
        yield finding("no-time", extensions, guard.name, guard.timeout)
    modes = {PROMPTS: guard.request_mode, ANSWERS: guard.response_mode}
    for event, mode in modes.items():
        if (
            guard.google_service is None
            and event in guard.events
            and mode not in {STREAMED, UNKNOWN}
        ):
            said = (guard.name, _SIDES[event], mode or "not set")
            yield finding("body-in-pieces", extensions, *said)


def _model_armor(
    way: _Way, extensions: Extensions, guard: Extension, objects: Objects
) -> Iterator[Finding]:
    region = region_of(guard)
    if way.region is not None and region != way.region:
        said = (guard.name, region, way.claim.gateway, way.region)
        yield finding("another-region", extensions, *said)
    for problem in screening(guard, way.models, region, objects.templates):
        subject = way.claim.route if problem.unscreened else extensions
        yield finding(problem.name, subject, *problem.values, unscreened=problem.unscreened)

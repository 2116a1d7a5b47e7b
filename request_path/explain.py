"""The way of one request: hop by hop to the replicas, and back through the extensions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from catalog.conventions import DEFAULT_MODEL
from catalog.words import plural
from request_path.extensions import ROUTING, TRAFFIC, attached, chain_for, kind_of
from request_path.fields import number, text
from request_path.hops import Hop, ingress_hops, named, policies_on
from request_path.matching import Claim, Request, claims_of, winners
from request_path.model_armor import SIDES, entries
from request_path.models import (
    MODEL_HEADER,
    backend_of,
    reaches_models,
    requested_models,
    servers_behind,
)
from request_path.objects import Backend, Extension, Gateway, Objects, Pool, Service
from request_path.pods import (
    guards_itself,
    listening_container,
    replica_count,
    selected_pods,
    served_models,
)
from request_path.publication import region_of
from request_path.security_policies import named_policy, policy_of
from resources.properties import UNKNOWN, get

OBJECTIVE_HEADER: Final = "x-gateway-inference-objective"
"""The header by which a client chooses an objective of a pool."""
_ENDS: Final = ("replicas", "external server")


@dataclass(frozen=True)
class Journey:
    """A request's way through one Gateway."""

    region: str
    request: Request
    hops: tuple[Hop, ...]
    answer: tuple[Hop, ...]
    """What the answer meets on its way back."""
    arrives: bool
    """Whether there are replicas at its end."""


def models_in(objects: Objects) -> list[str]:
    """Return every model name that a route asks for or a replica serves."""
    names: set[str] = set()
    for claim in claims_of(objects):
        names |= requested_models(claim)
    for pool in objects.pools:
        for _, pods in selected_pods(pool, objects):
            served = served_models(pods)
            names |= served if isinstance(served, frozenset) else frozenset()
    return sorted(names)


def journeys(objects: Objects, model: str, path: str) -> list[Journey]:
    """Return the way of a request for a model through each Gateway and host name."""
    claims = claims_of(objects)
    ways = {
        (claim.gateway.urn, claim.host): claim for claim in claims if reaches_models(claim, objects)
    }
    found: list[Journey] = []
    for (urn, host), claim in ways.items():
        request = Request(host.replace("*", "host", 1), path, "POST", {MODEL_HEADER: model})
        own = [each for each in claims if each.gateway.urn == urn]
        found.append(_journey(objects, claim.gateway, request, own))
    return sorted(found, key=lambda journey: (journey.region, journey.request.host))


def _journey(objects: Objects, gateway: Gateway, request: Request, claims: list[Claim]) -> Journey:
    taking = winners(claims, request)
    hops = [*ingress_hops(objects, gateway, request), *_routing(objects, gateway)]
    region = region_of(gateway, objects) or gateway.label
    if not taking:
        hops.append(Hop("HTTPRoute", "none", "no route takes this request: the answer is 404"))
        return Journey(region, request, tuple(hops), (), arrives=False)
    hops += [
        Hop("HTTPRoute", named(claim.route), _match(claim))
        if index == 0
        else Hop("HTTPRoute", named(claim.route), "claims the same: the older one answers")
        for index, claim in enumerate(taking)
    ]
    # Security policies judge a request before the extensions see it.
    hops += _security(objects, taking[0])
    traffic = _traffic(objects, gateway, request)
    hops += [hop for _, hop in traffic]
    claim = taking[0]
    replicas = [hop for backend in claim.rule.backends for hop in _backend(objects, claim, backend)]
    arrives = any(hop.step in _ENDS for hop in replicas)
    answer = [_back(extension) for extension, _ in reversed(traffic) if extension is not None]
    inside = [hop for hop in replicas if hop.step == "guardrail in the pod"]
    return Journey(region, request, (*hops, *replicas), (*inside, *answer), arrives)


def _routing(objects: Objects, gateway: Gateway) -> Iterator[Hop]:
    for extensions in attached(gateway, ROUTING, objects):
        for chain in extensions.chains:
            for extension in chain.extensions:
                yield Hop(
                    "body-based router",
                    named(extensions),
                    f"Service {extension.backend.name}, {_fails(extension)}",
                )


def _traffic(
    objects: Objects, gateway: Gateway, request: Request
) -> list[tuple[Extension | None, Hop]]:
    found: list[tuple[Extension | None, Hop]] = []
    for extensions in attached(gateway, TRAFFIC, objects):
        chain = chain_for(extensions, request)
        if chain is None:
            found.append((None, Hop("extension chain", named(extensions), "no chain matches")))
            continue
        name = f"{chain.name} of {named(extensions)}"
        found.append((None, Hop("extension chain", name, " and ".join(map(str, chain.conditions)))))
        model = request.headers[MODEL_HEADER]
        for extension in chain.extensions:
            hop = Hop(
                "request extension" if "RequestBody" in extension.events else "extension",
                f"{extension.name} ({kind_of(extension).title})",
                _templates(extension, model, "prompts") + _fails(extension),
            )
            found.append((extension, hop))
    if not found:
        found.append((None, Hop("extension chain", "none", "nothing screens this request")))
    return found


def _back(extension: Extension) -> Hop:
    name = f"{extension.name} ({kind_of(extension).title})"
    if "ResponseBody" not in extension.events:
        return Hop("response extension", name, "sees no body of an answer")
    return Hop("response extension", name, _templates(extension, None, "answers").rstrip("; "))


def _templates(extension: Extension, model: str | None, side: str) -> str:
    found = entries(extension)
    if found is None:
        return ""
    chosen_entries = found if model is None else {model: found.get(model, found.get(DEFAULT_MODEL))}
    names = {str(text(entry, SIDES[side])).rpartition("/")[2] for entry in chosen_entries.values()}
    return f"template {', '.join(sorted(names))}; "


def _fails(extension: Extension) -> str:
    return f"fails {'open' if extension.fail_open else 'closed'} after {extension.timeout}"


def _match(claim: Claim) -> str:
    match = claim.match
    headers = (f"{header.name} = {header.value}" for header in match.headers)
    return ", ".join([f"{match.path_type} {match.path}", *headers])


def _backend(objects: Objects, claim: Claim, backend: Backend) -> Iterator[Hop]:
    total = sum(each.weight for each in claim.rule.backends if isinstance(each.weight, int))
    share = (
        f"{100 * backend.weight / total:g} %"
        if isinstance(backend.weight, int) and total
        else "0 %"
    )
    target = backend_of(claim, backend, objects)
    if target is None:
        reference = backend.reference
        yield Hop("pool", f"{reference.kind} {reference.name}", f"{share}, isn't there")
    elif isinstance(target, Pool):
        yield from _pool(objects, target, share)
    else:
        yield from _service(objects, target, share)


def _pool(objects: Objects, pool: Pool, share: str) -> Iterator[Hop]:
    yield Hop("pool", named(pool), share)
    yield from _policies(objects, pool)
    offered = [
        f"{each.name} (priority {each.priority})"
        for each in objects.objectives
        if objects.refers(each, each.pool, pool)
    ]
    if offered:
        yield Hop("objectives", f"header {OBJECTIVE_HEADER}", ", ".join(sorted(offered)))
    yield Hop("endpoint picker", str(pool.picker), f"port {pool.picker_port}, {pool.failure_mode}")
    yield from _health_check(objects, pool)
    yield from _replicas(objects, pool)


def _service(objects: Objects, service: Service, share: str) -> Iterator[Hop]:
    yield Hop("service", named(service), share)
    yield from _policies(objects, service)
    yield from _health_check(objects, service)
    servers = servers_behind(service, objects)
    for workload, pods in selected_pods(service, objects):
        names = ", ".join(str(each.name) for each in pods.containers)
        yield Hop(
            "proxy" if servers else "replicas",
            f"{workload.kind} {named(workload)}",
            f"{replica_count(workload, objects)} x {names}",
        )
    for server in servers:
        yield Hop("external server", server, "outside the cluster")


def _policies(objects: Objects, target: Pool | Service) -> Iterator[Hop]:
    for policy in policies_on(objects, target, "GCPBackendPolicy"):
        seconds = number(policy.settings, "timeoutSec")
        yield Hop("backend policy", named(policy), f"answers within {seconds} s")


def _health_check(objects: Objects, target: Pool | Service) -> Iterator[Hop]:
    for policy in policies_on(objects, target, "HealthCheckPolicy"):
        check = get(policy.settings, "config", "httpHealthCheck")
        yield Hop(
            "health check",
            named(policy),
            f"{text(policy.settings, 'config', 'type')} {text(check, 'requestPath') or ''} "
            f"port {number(check, 'port')}",
        )


def _security(objects: Objects, claim: Claim) -> Iterator[Hop]:
    found: dict[str, str] = {}
    for backend in claim.rule.backends:
        target = backend_of(claim, backend, objects)
        for attaching, name in named_policy(target, objects) if target else ():
            policy = policy_of(attaching, name, objects)
            found[str(name)] = (
                f"{plural(policy.rules, 'rule')} in {policy.region}" if policy else "not there"
            )
    for name, detail in sorted(found.items()) or [("none", "")]:
        yield Hop("security policy", name, detail)


def _replicas(objects: Objects, pool: Pool) -> Iterator[Hop]:
    for workload, pods in selected_pods(pool, objects):
        for port in pool.ports:
            guard = guards_itself(pods, port)
            if guard is not None:
                yield Hop("guardrail in the pod", str(guard.name), f"port {port}")
        selector = pods.node_selector
        nodes = "" if selector is UNKNOWN else ", ".join(map(str, selector.values()))
        answers = [listening_container(pods, port) for port in pool.ports]
        container = ", ".join(str(each.name) for each in answers if each is not None)
        yield Hop(
            "replicas",
            f"{workload.kind} {named(workload)}",
            f"{replica_count(workload, objects)} x {container or 'no container'} on port "
            f"{', '.join(map(str, pool.ports))}, nodes {nodes or 'any'}"
            + (f", {workload.nodes} for each replica" if workload.nodes else ""),
        )

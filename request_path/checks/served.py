"""Every route leads to pools whose replicas serve the model it is for."""

from collections.abc import Iterator

from catalog.conventions import NODE_POOL_LABEL
from request_path.extensions import ROUTING, attached
from request_path.finding import Finding, finding
from request_path.hops import policies_on
from request_path.matching import Claim, claims_of
from request_path.models import (
    BASE_MODEL_HEADER,
    MODEL_HEADER,
    backend_of,
    reaches_models,
    requested_models,
)
from request_path.objects import Backend, Objects, Pods, Pool, Service, Workload
from request_path.pods import listening_container, selected_pods, served_models
from resources.properties import UNKNOWN
from resources.selectors import may_equal, may_match


def check(objects: Objects) -> Iterator[Finding]:
    """Yield what keeps a request from a replica of its model."""
    claims = [claim for claim in claims_of(objects) if reaches_models(claim, objects)]
    for claim in claims:
        yield from _routing(claim, objects)
        yield from _backends(claim, objects)
    for pool in objects.pools:
        yield from _pool(pool, objects)
    for objective in objects.objectives:
        if not any(objects.refers(objective, objective.pool, pool) for pool in objects.pools):
            yield finding("objective-without-pool", objective, objective.pool.name)
    yield from _unrouted(claims, objects)


def _routing(claim: Claim, objects: Objects) -> Iterator[Finding]:
    names = {header.name for header in claim.match.headers}
    if names & {MODEL_HEADER, BASE_MODEL_HEADER} and not attached(claim.gateway, ROUTING, objects):
        yield finding("no-body-based-router", claim.route, claim.gateway)


def _backends(claim: Claim, objects: Objects) -> Iterator[Finding]:
    backends = claim.rule.backends
    if not any(backend.weight != 0 for backend in backends):
        yield finding("weights-zero", claim.route)
    for backend in backends:
        kind = backend.reference.kind
        target = backend_of(claim, backend, objects) if isinstance(kind, str) else None
        if target is not None:
            yield from _namespace(claim, backend, target, objects)
        elif kind in {"InferencePool", "Service"}:
            name = "pool-missing" if kind == "InferencePool" else "service-missing"
            yield finding(name, claim.route, backend.reference.name)
        if isinstance(target, Pool):
            yield from _models(claim, target, objects)
        elif target is not None:
            yield from _service(claim, backend, target, objects)


def _namespace(
    claim: Claim, backend: Backend, target: Pool | Service, objects: Objects
) -> Iterator[Finding]:
    if target.beside(claim.route) or any(
        each.kind == "ReferenceGrant" and each.beside(target) for each in objects.others
    ):
        return
    namespace = backend.reference.namespace
    yield finding("no-reference-grant", claim.route, target, namespace)


def _service(
    claim: Claim, backend: Backend, service: Service, objects: Objects
) -> Iterator[Finding]:
    """Yield a Service with models behind it: a proxy to a server outside the cluster, for
    example."""
    replicas = list(selected_pods(service, objects))
    if not replicas:
        yield finding("no-replicas", service)
    if not any(may_equal(port, backend.port) for port in service.ports):
        yield finding("port-unserved/service", claim.route, backend.port, service)
    for port, target in service.targets.items():
        for workload, pods in replicas:
            if (
                may_equal(port, backend.port)
                and target
                and listening_container(pods, target) is None
            ):
                yield finding("port-unserved/pods", service, target, workload)
    yield from _health_check(service, objects)


def _models(claim: Claim, pool: Pool, objects: Objects) -> Iterator[Finding]:
    for workload, pods in selected_pods(pool, objects):
        served = served_models(pods)
        for model in sorted(requested_models(claim)):
            if isinstance(served, frozenset) and model not in served:
                names = ", ".join(sorted(served)) or "nothing"
                yield finding("another-model", claim.route, model, workload, names)


def _pool(pool: Pool, objects: Objects) -> Iterator[Finding]:
    replicas = list(selected_pods(pool, objects))
    if not replicas:
        yield finding("no-replicas", pool)
    for workload, pods in replicas:
        yield from _replicas(pool, workload, pods, objects)
    if len({workload.urn for workload, _ in replicas}) > 1 and pool.selector is not UNKNOWN:
        different = {served_models(pods) for _, pods in replicas}
        if len(different) > 1 and UNKNOWN not in different:
            labels = ", ".join(workload.label for workload, _ in replicas)
            yield finding("mixed-models", pool, labels)
    yield from _picker(pool, objects)
    yield from _health_check(pool, objects)


def _health_check(target: Pool | Service, objects: Objects) -> Iterator[Finding]:
    """Yield a finding where nothing tells the load balancer what to ask."""
    if not any(policies_on(objects, target, "HealthCheckPolicy")):
        yield finding("no-health-check", target)


def _replicas(pool: Pool, workload: Workload, pods: Pods, objects: Objects) -> Iterator[Finding]:
    if pods.role == "worker":
        yield finding("workers-selected", pool, workload)
    for port in pool.ports:
        if pods.role != "worker" and listening_container(pods, port) is None:
            yield finding("port-unserved/pods", pool, port, workload)
    wanted = None if pods.node_selector is UNKNOWN else pods.node_selector.get(NODE_POOL_LABEL)
    known = [each.name for each in objects.node_pools]
    if isinstance(wanted, str) and known and not any(may_equal(each, wanted) for each in known):
        yield finding("node-pool-missing", workload, wanted)


def _picker(pool: Pool, objects: Objects) -> Iterator[Finding]:
    if pool.picker is UNKNOWN:
        return
    ready = [
        service
        for service in objects.services
        if service.beside(pool)
        and may_equal(service.name, pool.picker)
        and any(may_equal(port, pool.picker_port) for port in service.ports)
        and any(
            workload.beside(pool) and may_match(service.selector, pods.labels)
            for workload in objects.workloads
            for pods in workload.pods
        )
    ]
    if not ready:
        yield finding("no-picker", pool, pool.picker or "(none)", pool.picker_port)


def _unrouted(claims: list[Claim], objects: Objects) -> Iterator[Finding]:
    """Yield names that replicas serve and no route asks for, where routes ask by name at all."""
    by_cluster: dict[str, set[str]] = {}
    for claim in claims:
        by_cluster.setdefault(claim.route.cluster, set()).update(requested_models(claim))
    by_path = {claim.route.cluster for claim in claims if not requested_models(claim)}
    for pool in objects.pools:
        if pool.cluster in by_path:
            continue
        for workload, pods in selected_pods(pool, objects):
            served = served_models(pods)
            names = served if isinstance(served, frozenset) else frozenset[str]()
            for model in sorted(names - by_cluster.get(pool.cluster, set())):
                yield finding("model-unrouted", workload, model)

"""Every route leads to pools whose replicas serve the model it is for."""

from collections.abc import Iterator
from typing import Final

from request_path.extensions import ROUTING, attached
from request_path.finding import Check, Finding
from request_path.hops import policies_on
from request_path.matching import Claim, claims_of
from request_path.models import (
    BASE_MODEL_HEADER,
    MODEL_HEADER,
    asked_models,
    pool_of,
    reaches_models,
    service_of,
)
from request_path.objects import Backend, Objects, Pods, Pool, Service, Workload
from request_path.pods import answering, chosen, served_models
from resources.properties import UNKNOWN
from resources.selectors import may_equal, may_match

NODE_POOL: Final = "cloud.google.com/gke-nodepool"


def check(objects: Objects) -> Iterator[Finding]:
    """Yield what keeps a request from a replica of its model."""
    claims = [claim for claim in claims_of(objects) if reaches_models(claim)]
    for claim in claims:
        yield from _routing(claim, objects)
        yield from _backends(claim, objects)
    for pool in objects.pools:
        yield from _pool(pool, objects)
    for objective in objects.objectives:
        if not any(
            objective.cluster == pool.cluster
            and objective.pool.means(objective, pool, "InferencePool", objects.pools)
            for pool in objects.pools
        ):
            yield Finding(
                Check.REACHABLE,
                "objective-without-pool",
                objective,
                "names the pool {}, which isn't there, so no request has its priority",
                (objective.pool.name,),
            )
    yield from _unrouted(claims, objects)


def _routing(claim: Claim, objects: Objects) -> Iterator[Finding]:
    names = {header.name for header in claim.match.headers}
    if names & {MODEL_HEADER, BASE_MODEL_HEADER} and not attached(claim.gateway, ROUTING, objects):
        yield Finding(
            Check.REACHABLE,
            "no-body-based-router",
            claim.route,
            "matches a header with the model's name, but no routing extension on the Gateway {} "
            "writes it from the body",
            (claim.gateway,),
        )


def _backends(claim: Claim, objects: Objects) -> Iterator[Finding]:
    backends = claim.rule.backends
    if not any(backend.weight != 0 for backend in backends):
        yield Finding(
            Check.REACHABLE,
            "weights-zero",
            claim.route,
            "the weights of its backends add up to 0: every request gets an error",
        )
    for backend in backends:
        if backend.reference.kind == "InferencePool":
            pool = pool_of(claim, backend, objects)
            if pool is None:
                yield Finding(
                    Check.REACHABLE,
                    "pool-missing",
                    claim.route,
                    "leads to the pool {}, which isn't there",
                    (backend.reference.name,),
                )
            else:
                yield from _namespace(claim, backend, pool, objects)
                yield from _models(claim, pool, objects)
        elif backend.reference.kind == "Service":
            service = service_of(claim, backend, objects)
            if service is None:
                yield Finding(
                    Check.REACHABLE,
                    "service-missing",
                    claim.route,
                    "leads to the Service {}, which isn't there",
                    (backend.reference.name,),
                )
            else:
                yield from _namespace(claim, backend, service, objects)
                yield from _service(claim, backend, service, objects)


def _namespace(
    claim: Claim, backend: Backend, target: Pool | Service, objects: Objects
) -> Iterator[Finding]:
    if target.beside(claim.route) or any(
        each.kind == "ReferenceGrant" and each.beside(target) for each in objects.others
    ):
        return
    yield Finding(
        Check.REACHABLE,
        "no-reference-grant",
        claim.route,
        "leads to {} of another namespace, {}, where no ReferenceGrant allows it",
        (target, backend.reference.namespace),
    )


def _service(
    claim: Claim, backend: Backend, service: Service, objects: Objects
) -> Iterator[Finding]:
    """Yield a Service with models behind it: a proxy to a server outside the cluster, for
    example."""
    replicas = list(chosen(service, objects))
    if not replicas:
        yield Finding(
            Check.REACHABLE, "no-replicas", service, "its selector takes no pod of this stack"
        )
    if not any(may_equal(port, backend.port) for port in service.ports):
        yield Finding(
            Check.REACHABLE,
            "port-unserved",
            claim.route,
            "leads to port {} of the Service {}, which has no such port",
            (backend.port, service),
        )
    for port, target in service.targets.items():
        for workload, pods in replicas:
            if may_equal(port, backend.port) and target and answering(pods, target) is None:
                yield Finding(
                    Check.REACHABLE,
                    "port-unserved",
                    service,
                    "sends requests to port {}, on which no container of {} answers",
                    (target, workload),
                )
    yield from _health_check(service, "Service", objects)


def _models(claim: Claim, pool: Pool, objects: Objects) -> Iterator[Finding]:
    for workload, pods in chosen(pool, objects):
        served = served_models(pods)
        for model in sorted(asked_models(claim)):
            if isinstance(served, frozenset) and model not in served:
                yield Finding(
                    Check.REACHABLE,
                    "another-model",
                    claim.route,
                    "leads requests for {} to {}, which serves {}",
                    (model, workload, ", ".join(sorted(served)) or "nothing"),
                )


def _pool(pool: Pool, objects: Objects) -> Iterator[Finding]:
    replicas = list(chosen(pool, objects))
    if not replicas:
        yield Finding(
            Check.REACHABLE, "no-replicas", pool, "its selector takes no pod of this stack"
        )
    for workload, pods in replicas:
        yield from _replicas(pool, workload, pods, objects)
    if len({workload.urn for workload, _ in replicas}) > 1 and pool.selector is not UNKNOWN:
        different = {served_models(pods) for _, pods in replicas}
        if len(different) > 1 and UNKNOWN not in different:
            yield Finding(
                Check.REACHABLE,
                "mixed-models",
                pool,
                "its selector takes pods that serve different models: {}",
                (", ".join(workload.label for workload, _ in replicas),),
            )
    yield from _picker(pool, objects)
    yield from _health_check(pool, "InferencePool", objects)


def _health_check(target: Pool | Service, kind: str, objects: Objects) -> Iterator[Finding]:
    """Yield a finding where nothing tells the load balancer what to ask."""
    if not any(policies_on(objects, target, kind, "HealthCheckPolicy")):
        yield Finding(
            Check.REACHABLE,
            "no-health-check",
            target,
            "has no HealthCheckPolicy: the load balancer asks for /, where what serves models "
            "answers 404, and sends no request",
        )


def _replicas(pool: Pool, workload: Workload, pods: Pods, objects: Objects) -> Iterator[Finding]:
    if pods.role == "worker":
        yield Finding(
            Check.REACHABLE,
            "workers-selected",
            pool,
            "its selector takes the workers of {}, which answer no request",
            (workload,),
        )
    for port in pool.ports:
        if pods.role != "worker" and answering(pods, port) is None:
            yield Finding(
                Check.REACHABLE,
                "port-unserved",
                pool,
                "sends requests to port {}, on which no container of {} answers",
                (port, workload),
            )
    wanted = None if pods.node_selector is UNKNOWN else pods.node_selector.get(NODE_POOL)
    known = [each.name for each in objects.node_pools]
    if isinstance(wanted, str) and known and not any(may_equal(each, wanted) for each in known):
        yield Finding(
            Check.REACHABLE,
            "node-pool-missing",
            workload,
            "its pods need nodes of the pool {}, which isn't there",
            (wanted,),
        )


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
        yield Finding(
            Check.REACHABLE,
            "no-picker",
            pool,
            "its endpoint picker {} isn't a Service with pods on port {}",
            (pool.picker or "(none)", pool.picker_port),
        )


def _unrouted(claims: list[Claim], objects: Objects) -> Iterator[Finding]:
    """Yield names that replicas serve and no route asks for, where routes ask by name at all."""
    by_cluster: dict[str, set[str]] = {}
    for claim in claims:
        by_cluster.setdefault(claim.route.cluster, set()).update(asked_models(claim))
    by_path = {claim.route.cluster for claim in claims if not asked_models(claim)}
    for pool in objects.pools:
        if pool.cluster in by_path:
            continue
        for workload, pods in chosen(pool, objects):
            served = served_models(pods)
            names = served if isinstance(served, frozenset) else frozenset[str]()
            for model in sorted(names - by_cluster.get(pool.cluster, set())):
                yield Finding(
                    Check.REACHABLE,
                    "model-unrouted",
                    workload,
                    "serves {}, for which there is no route",
                    (model,),
                )

"""A running path takes a change of its cluster's objects, in the order of an `up`: what is new is
ready before a route names it, and what goes is there until nobody is on the way to it."""

import time
from typing import Final

from emulator.gateway import envoy, workloads
from emulator.gateway.cluster import Cluster
from emulator.gateway.replicas import apply_pod, delete_pod, replicas
from emulator.gateway.serve import Gateway, start_workload
from emulator.gateway.workloads import Workload

_DRAIN_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.05
_PICKED_SECONDS: Final = 1.0
"""From a picker's choice to the replica that has the request."""


def change(gateway: Gateway, after: Cluster) -> None:
    """Let a path be of a changed cluster.

    Replicas of a new Deployment come, those of one that is gone leave once they have answered;
    pickers, router and proxies that changed start anew, and the old ones leave then. Extensions
    and the pods of a Deployment that changed stay as they are.
    """
    before, old = gateway.cluster, dict(gateway.workloads)
    _come(gateway, after)
    wanted = envoy.clusters(after, gateway.workloads, gateway.served)
    names = {each["name"] for each in wanted}
    earlier = envoy.clusters(before, old, gateway.served)
    gateway.proxy.turn_clusters([*wanted, *(each for each in earlier if each["name"] not in names)])
    gateway.proxy.turn_routes(list(envoy.hosts(after, gateway.served, gateway.certificate)))
    gateway.cluster = after
    _leave(gateway, before, old)
    gateway.proxy.turn_clusters(wanted)


def _come(gateway: Gateway, after: Cluster) -> None:
    for each in after.manifests:
        if each not in gateway.cluster.manifests:
            gateway.client.apply(each)
    there = {pod.rpartition("-")[0] for pod in gateway.replicas}
    coming = [each for each in replicas(after) if each.pod.rpartition("-")[0] not in there]
    for each in coming:
        gateway.tune(each)
    gateway.servers.start(*coming)
    for each in coming:
        gateway.replicas[each.pod] = each
        apply_pod(gateway.client, after, each)
    for deployment in after.of("Deployment"):
        if workloads.program_of(deployment) and deployment not in gateway.cluster.manifests:
            start_workload(gateway, after, deployment)
    for workload in gateway.workloads.values():
        workload.wait()


def _leave(gateway: Gateway, before: Cluster, old: dict[str, Workload]) -> None:
    time.sleep(_PICKED_SECONDS)
    here = {each["metadata"]["name"] for each in gateway.cluster.of("Deployment")}
    leaving = [pod for pod in gateway.replicas if pod.rpartition("-")[0] not in here]
    drained = [gateway.replicas.pop(pod) for pod in leaving]
    for each in drained:
        delete_pod(gateway.client, before, each)
    end = time.monotonic() + _DRAIN_SECONDS
    while any(each.running.total() for each in drained) and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)
    if drained:
        gateway.servers.stop(*drained)
    for name, workload in old.items():
        if name not in here:
            del gateway.workloads[name]
        if gateway.workloads.get(name) is not workload:
            gateway.programs.remove(workload.program)
            workload.program.stop()
    kept = {(each["kind"], each["metadata"]["name"]) for each in gateway.cluster.manifests}
    for each in reversed(before.manifests):
        if (each["kind"], each["metadata"]["name"]) not in kept:
            gateway.client.delete(each)

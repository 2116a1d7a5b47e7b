"""The pods of a stack's model servers, made from their own templates, at loopback addresses."""

import ipaddress
import itertools
import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Final

from emulator.gateway.client import Client, Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.model_servers import Replica

_MERGE_PATCH: Final = "application/merge-patch+json"
# https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions
_CONDITIONS: Final = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
_LAST_BLOCK: Final = 250


class AddressError(OSError):
    """No loopback addresses for pods."""


def replicas(cluster: Cluster) -> list[Replica]:
    """Return a replica for each pod that the stack's Deployments have behind a pool."""
    ports = _ports(cluster)
    wanted = [
        (deployment, number, port)
        for deployment in cluster.of("Deployment")
        if (port := ports.get(_key(_labels(deployment)))) is not None
        for number in range(deployment["spec"].get("replicas", 1))
    ]
    if not wanted:
        return []
    addresses = _addresses(max(port for _, _, port in wanted))
    return [
        _replica(deployment, number, next(addresses), port) for deployment, number, port in wanted
    ]


def another(cluster: Cluster, deployment: Manifest, there: Iterable[Replica]) -> Replica:
    """Return one more replica of a Deployment, like those it has, at the next address."""
    found, name = list(there), deployment["metadata"]["name"]
    like = [each for each in found if each.pod.rpartition("-")[0] == name]
    taken = {int(each.pod.rpartition("-")[2]) for each in like}
    number = next(each for each in itertools.count() if each not in taken)
    port = _ports(cluster)[_key(_labels(deployment))]
    last = max((ipaddress.ip_address(each.address) for each in found), default=None)
    address = next(_addresses(port)) if last is None else str(last + 1)
    if like:
        return replace(like[0], pod=f"{name}-{number}", address=address)
    return _replica(deployment, number, address, port)


def _ports(cluster: Cluster) -> Mapping[frozenset[tuple[str, str]], int]:
    """Return the port of each pool by the labels of its pods."""
    return {
        _key(pool["spec"]["selector"]["matchLabels"]): pool["spec"]["targetPorts"][0]["number"]
        for pool in cluster.of("InferencePool")
    }


def _replica(deployment: Manifest, number: int, address: str, port: int) -> Replica:
    names = list(_served(deployment["spec"]["template"]["spec"]["containers"][0]["args"]))
    pod = f"{deployment['metadata']['name']}-{number}"
    return Replica(pod, address, port, names[0], tuple(names[1:]))


def apply_pod(client: Client, cluster: Cluster, replica: Replica, *, ready: bool = True) -> None:
    """Make the pod of a replica what the kubelet would tell of it, ready or not."""
    pod = _pod(cluster, replica)
    client.apply(pod)
    status = {
        "phase": "Running",
        "podIP": replica.address,
        "podIPs": [{"ip": replica.address}],
        "conditions": [
            {"type": each, "status": str(ready or each not in {"Ready", "ContainersReady"})}
            for each in _CONDITIONS
        ],
    }
    client.request("PATCH", f"{client.path(pod)}/status", {"status": status}, _MERGE_PATCH)


def delete_pod(client: Client, cluster: Cluster, replica: Replica) -> None:
    """Delete the pod of a replica."""
    client.delete(_pod(cluster, replica))


def pools_without(cluster: Cluster, found: Iterable[Replica]) -> list[str]:
    """Return the pools that none of the replicas is behind."""
    deployments = {each.pod.rpartition("-")[0] for each in found}
    labels = {
        _key(_labels(each))
        for each in cluster.of("Deployment")
        if each["metadata"]["name"] in deployments
    }
    return [
        pool["metadata"]["name"]
        for pool in cluster.of("InferencePool")
        if _key(pool["spec"]["selector"]["matchLabels"]) not in labels
    ]


def _pod(cluster: Cluster, replica: Replica) -> Manifest:
    deployment = cluster.one("Deployment", replica.pod.rpartition("-")[0])
    template, namespace = deployment["spec"]["template"], deployment["metadata"]["namespace"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": replica.pod, "namespace": namespace},
        "spec": template["spec"],
    }


def _labels(deployment: Manifest) -> Mapping[str, str]:
    return deployment["spec"]["selector"]["matchLabels"]


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def _served(args: list[str]) -> Iterator[str]:
    """Yield the names that a vLLM server answers to, its adapters' after its own."""
    for arg in args:
        name, _, value = arg.partition("=")
        if name == "--served-model-name":
            yield value
        elif arg.startswith("{"):
            yield json.loads(arg)["name"]


def _addresses(port: int) -> Iterator[str]:
    """Return the free addresses of a block of the loopback, on whose first nobody serves."""
    for block in range(1, _LAST_BLOCK):
        hosts = list(map(str, ipaddress.ip_network(f"127.0.{block}.0/24").hosts()))
        if _is_free(hosts[0], port):
            return (each for each in hosts if _is_free(each, port))
    raise AddressError(
        f"no address of 127.0.1.0 to 127.0.{_LAST_BLOCK}.0 takes port {port}: end what listens "
        "there; on macOS, give the loopback such addresses by `ifconfig lo0 alias`"
    )


def _is_free(address: str, port: int) -> bool:
    with closing(socket.socket()) as opened:
        try:
            opened.bind((address, port))
        except OSError:
            return False
        return True

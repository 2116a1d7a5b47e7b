"""Stands in for Managed Service for Prometheus: the series that a cluster's programs emit.

Pods are scraped where the stack's PodMonitoring objects say so, and get the labels of
https://cloud.google.com/stackdriver/docs/managed-prometheus/setup-managed. Two kinds of series come
from none of these programs, and are made here of what they are about:

- those of kube-state-metrics, which GKE runs, from the API server's objects;
- those of the load balancer, which Google counts, from Envoy's access log.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.metrics import METRICS
from emulator.gateway.client import Client, Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.programs import LOOPBACK
from emulator.gateway.scraping import families
from emulator.gateway.serve import Gateway
from sandbox.world import World

Series = tuple[str, frozenset[tuple[str, str]]]
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_SCRAPED: Final = tuple(
    metric.name
    for metric in METRICS.values()
    if metric.source in {"vllm", "vllm_http", "picker", "router"}
)
_LOAD_BALANCER: Final = "internal_http_lb_rule"
_NO_BACKEND: Final = "INVALID_BACKEND"
"""What the load balancer names where it chose none."""


@dataclass(frozen=True)
class Target:
    """What is scraped, and the labels that all of its series get."""

    address: str
    path: str
    labels: Mapping[str, str]


class Collection:
    """Reads the series of one running request path, again and again."""

    def __init__(self, cluster: Cluster, client: Client, cloud: World, gateway: Gateway) -> None:
        self._client, self._cluster = client, cluster
        (found,) = (each for each in cloud.by_type(_CLUSTER) if each.inputs["name"] == cluster.name)
        self._place = {
            "project_id": found.inputs["project"],
            "location": found.inputs["location"],
            "cluster": cluster.name,
        }
        self.targets = list(_targets(cluster, gateway, self._place))
        self._gateway = gateway
        self._read = 0
        self._requests: Counter[tuple[str, int]] = Counter()

    def read(self) -> Iterator[tuple[Series, float]]:
        """Yield every series with its value now; what can't be scraped has none."""
        for target in self.targets:
            yield from _scraped(target)
        yield from self._kube_state()
        yield from self._load_balancer()

    def _kube_state(self) -> Iterator[tuple[Series, float]]:
        """https://github.com/kubernetes/kube-state-metrics, docs/metrics/workload."""
        for pod in self._client.request("GET", "/api/v1/pods")["items"]:
            if _is_unschedulable(pod):
                labels = {"pod": pod["metadata"]["name"]}
                yield self._series("pods_unschedulable", pod, labels), 1
        path = "/apis/autoscaling/v2/horizontalpodautoscalers"
        for scaler in self._client.request("GET", path)["items"]:
            labels = {"horizontalpodautoscaler": scaler["metadata"]["name"]}
            now = scaler.get("status", {}).get("currentReplicas", 0)
            yield self._series("autoscaler_replicas", scaler, labels), now
            most = scaler["spec"]["maxReplicas"]
            yield self._series("autoscaler_maximum", scaler, labels), most

    def _series(self, metric: str, about: Manifest, labels: Mapping[str, str]) -> Series:
        namespace = about["metadata"]["namespace"]
        return _key(METRICS[metric].name, {**self._place, "namespace": namespace, **labels})

    def _load_balancer(self) -> Iterator[tuple[Series, float]]:
        """https://cloud.google.com/load-balancing/docs/l7-internal/monitoring."""
        with self._gateway.access_log.open(encoding="utf-8") as log:
            log.seek(self._read)
            while (line := log.readline()).endswith("\n"):
                self._read = log.tell()
                request: dict[str, Any] = json.loads(line)
                status = request["status"] // 100 * 100
                self._requests[request["pool"] or _NO_BACKEND, status] += 1
        for (pool, status), count in self._requests.items():
            labels = {
                "monitored_resource": _LOAD_BALANCER,
                "project_id": self._place["project_id"],
                "region": self._place["location"],
                "backend_target_name": pool,
                "response_code_class": str(status),
            }
            yield _key(METRICS["gateway_requests"].name, labels), count


def _targets(cluster: Cluster, gateway: Gateway, place: Mapping[str, str]) -> Iterator[Target]:
    for monitoring in cluster.of("PodMonitoring"):
        selector = monitoring["spec"]["selector"]["matchLabels"].items()
        (endpoint,) = monitoring["spec"]["endpoints"]
        for deployment in cluster.of("Deployment"):
            if not selector <= deployment["spec"]["template"]["metadata"]["labels"].items():
                continue
            name = deployment["metadata"]["name"]
            for pod, address in _addresses(gateway, deployment, endpoint["port"]):
                labels = {
                    "namespace": monitoring["metadata"]["namespace"],
                    "job": monitoring["metadata"]["name"],
                    "instance": f"{pod}:{endpoint['port']}",
                    "pod": pod,
                    "top_level_controller_name": name,
                }
                yield Target(address, endpoint["path"], {**place, **labels})


def _addresses(gateway: Gateway, deployment: Manifest, port: str) -> Iterator[tuple[str, str]]:
    """Yield the pods of a Deployment with where their port of that name is here."""
    name = deployment["metadata"]["name"]
    for pod, replica in gateway.replicas.items():
        if pod.rpartition("-")[0] == name:
            yield pod, f"{replica.address}:{replica.port}"
    if name in gateway.workloads:
        (number,) = (
            each["containerPort"]
            for container in deployment["spec"]["template"]["spec"]["containers"]
            for each in container["ports"]
            if each["name"] == port
        )
        yield f"{name}-0", f"{LOOPBACK}:{gateway.workloads[name].ports[number]}"


def _scraped(target: Target) -> Iterator[tuple[Series, float]]:
    try:
        found = families(f"{target.address}{target.path}", _SCRAPED)
    except OSError:
        return
    for family in found:
        for sample in family.samples:
            clashes = {
                f"exported_{name}" if name in target.labels else name: value
                for name, value in sample.labels.items()
            }
            yield _key(sample.name, {**clashes, **target.labels}), sample.value


def _is_unschedulable(pod: Manifest) -> bool:
    return any(
        (each["type"], each["status"], each.get("reason"))
        == ("PodScheduled", "False", "Unschedulable")
        for each in pod.get("status", {}).get("conditions", ())
    )


def _key(name: str, labels: Mapping[str, str]) -> Series:
    return name, frozenset(labels.items())

"""A stack's autoscalers at work: Kubernetes' own controller, over what the replicas say.

Two things stand in around it: the metrics adapter, which answers from the replicas and pickers
without Cloud Monitoring between, and what makes the pods of a Deployment, of which a new one takes
as long to load as catalog/durations.yaml has it, on its replica's clock. The controller's clock is
ours.
"""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

import trustme
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from catalog.table import read
from emulator.gateway.client import Client, Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.control_plane import ZERO_REPLICAS
from emulator.gateway.loops import background_loop
from emulator.gateway.metric_rates import Rates
from emulator.gateway.model_servers import ModelServers, Replica
from emulator.gateway.programs import ENGINE, LOOPBACK, Program
from emulator.gateway.replicas import another, apply_pod, delete_pod
from emulator.gateway.workloads import Workload, write_kubeconfig
from emulator.ports import free_ports

CONTROLLER: Final = ENGINE / "kubernetes" / "kube-controller-manager"
_MINUTES: Final = cast("dict[str, dict[str, list[float]]]", read("durations.yaml")["minutes"])
LOAD_SECONDS: Final = 60 * _MINUTES["kubernetes:apps/v1:Deployment"]["create"][1]
"""From a pod that is made to one that answers."""
START_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.2
_CLOSE_SECONDS: Final = 0.3
_MERGE_PATCH: Final = "application/merge-patch+json"
_GROUP: Final = "custom.metrics.k8s.io"
_EXTERNAL: Final = "external.metrics.k8s.io"


class _Deployment:
    """What a Deployment's controllers and its nodes would do."""

    def __init__(
        self,
        parts: tuple[Client, Cluster, ModelServers, dict[str, Replica]],
        manifest: Manifest,
        tune: Callable[[Replica], None],
    ) -> None:
        self._client, self._cluster, self._servers, self._replicas = parts
        self._manifest, self._tune = manifest, tune
        self._path = self._client.path(manifest)
        self._name = manifest["metadata"]["name"]
        self._loading: dict[str, float] = {}
        self._leaving: dict[str, tuple[Replica, float]] = {}
        (container, *_) = manifest["spec"]["template"]["spec"]["containers"]
        self._sleeps: float = container["lifecycle"]["preStop"]["sleep"]["seconds"]

    def turn(self) -> None:
        """Go one step towards what is wanted, and say how far it is."""
        wanted = self._client.request("GET", self._path)["spec"]["replicas"]
        mine = [pod for pod in self._replicas if pod.rpartition("-")[0] == self._name]
        for pod in mine[wanted:]:
            self._leave(pod)
        for _ in range(wanted - len(mine)):
            self._come()
        now = time.monotonic()
        for pod, ready in list(self._loading.items()):
            if now >= ready:
                replica = self._replicas[pod]
                del self._loading[pod]
                self._servers.start(replica)
                apply_pod(self._client, self._cluster, replica)
        for pod, (replica, end) in list(self._leaving.items()):
            if now >= end:
                del self._leaving[pod]
                self._servers.stop(replica)
        self._tell(wanted)

    def _come(self) -> None:
        first = all(pod.rpartition("-")[0] != self._name for pod in self._replicas)
        replica = another(self._cluster, self._manifest, self._replicas.values())
        if first:
            self._tune(replica)
        self._replicas[replica.pod] = replica
        apply_pod(self._client, self._cluster, replica, ready=False)
        self._loading[replica.pod] = time.monotonic() + LOAD_SECONDS / replica.speed

    def _leave(self, pod: str) -> None:
        """Take a pod out of its pool, and let it answer for as long as its hook sleeps: by our
        clock, as pickers and requests go by it."""
        replica = self._replicas.pop(pod)
        delete_pod(self._client, self._cluster, replica)
        if self._loading.pop(pod, None) is None:
            self._leaving[pod] = replica, time.monotonic() + self._sleeps

    def _tell(self, count: int) -> None:
        ready = count - len(self._loading)
        status = {"replicas": count, "readyReplicas": ready, "availableReplicas": ready}
        self._client.request("PATCH", f"{self._path}/status", {"status": status}, _MERGE_PATCH)


@contextmanager
def autoscaled(
    cluster: Cluster,
    client: Client,
    servers: ModelServers,
    replicas: dict[str, Replica],
    workloads: Mapping[str, Workload],
    folder: Path,
    tune: Callable[[Replica], None],
) -> Generator[Program | None]:
    """Let the autoscalers of a cluster act, whose objects an API server has; yields the controller.

    Replicas come into `replicas` and go, the first of a Deployment tuned. Raises ProgramError if
    the controller doesn't start.
    """
    scalers = [each for each in cluster.of("HorizontalPodAutoscaler") if follows_a_queue(each)]
    if not scalers:
        yield None
        return
    # Each is of a client of its own: a connection is of one thread.
    own = client.again()
    parts = own, cluster, servers, replicas
    names = {each["spec"]["scaleTargetRef"]["name"] for each in scalers}
    deployments = [
        _Deployment(parts, cluster.one("Deployment", name), tune) for name in sorted(names)
    ]
    with closing(own), ExitStack() as running:
        port = running.enter_context(_adapter(cluster, replicas, workloads))
        _register(client, cluster, port)
        config = folder / "controller-manager.kubeconfig"
        write_kubeconfig(config, client, client.token)
        controller = Program(
            running,
            folder / "kube-controller-manager.log",
            [
                *(CONTROLLER, f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0"),
                "--controllers=horizontal-pod-autoscaler-controller",
                "--horizontal-pod-autoscaler-sync-period=1s",
                ZERO_REPLICAS,
            ],
        )
        running.enter_context(_turning(deployments))
        controller.wait_until(
            lambda: all(_is_active(client, each) for each in scalers), START_SECONDS
        )
        yield controller


@contextmanager
def _turning(deployments: list[_Deployment]) -> Generator[None]:
    ended = threading.Event()

    def turn() -> None:
        while not ended.wait(_LOOK_SECONDS):
            for each in deployments:
                each.turn()

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def follows_a_queue(scaler: Manifest) -> bool:
    """Return whether it scales by a metric of pods: what CPU they use, nothing here tells."""
    return any(each["type"] == "Pods" for each in scaler["spec"]["metrics"])


def _is_active(client: Client, scaler: Manifest) -> bool:
    """Return whether the controller has read the metric of an autoscaler."""
    status = client.request("GET", client.path(scaler)).get("status", {})
    return any(
        (each["type"], each["status"]) == ("ScalingActive", "True")
        for each in status.get("conditions") or ()
    )


def _register(client: Client, cluster: Cluster, port: int) -> None:
    """Let the API server find the adapter's stand-in behind the stack's own registration."""
    for each in cluster.of("APIService"):
        service = each["spec"]["service"]
        path = f"/api/v1/namespaces/{service['namespace']}/services/{service['name']}"
        here = {"type": "ExternalName", "externalName": "localhost", "selector": None}
        client.request("PATCH", path, {"spec": here}, _MERGE_PATCH)
        there = {"spec": {"service": {"port": port}}}
        client.request("PATCH", client.path(each), there, _MERGE_PATCH)


@contextmanager
def _adapter(
    cluster: Cluster, replicas: Mapping[str, Replica], workloads: Mapping[str, Workload]
) -> Generator[int]:
    """Serve the APIs of https://github.com/kubernetes/metrics, pkg/apis/custom_metrics and
    external_metrics."""
    labels: dict[str, Mapping[str, str]] = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in cluster.of("Deployment")
    }

    rates = Rates()

    async def resources(request: web.Request) -> web.Response:
        asked = request.match_info
        return web.json_response(_resources(f"{asked['group']}/{asked['version']}"))

    async def external(request: web.Request) -> web.Response:
        asked = request.match_info
        labels = dict(each.split("=") for each in request.query["labelSelector"].split(","))
        picker = workloads[labels["resource.labels.job"]]
        read = await asyncio.to_thread(rates.read, picker, asked["metric"])
        return web.json_response(
            {
                "kind": "ExternalMetricValueList",
                "apiVersion": f"{_EXTERNAL}/v1beta1",
                "metadata": {},
                "items": [
                    {
                        "metricName": asked["metric"],
                        "metricLabels": labels,
                        "timestamp": _now(),
                        "value": f"{round(read * 1000)}m",
                    }
                ],
            }
        )

    async def values(request: web.Request) -> web.Response:
        asked = request.match_info
        selector = {tuple(each.split("=")) for each in request.query["labelSelector"].split(",")}
        chosen = [
            each
            for each in list(replicas.values())
            if selector <= labels[each.pod.rpartition("-")[0]].items()
        ]
        return web.json_response(
            {
                "kind": "MetricValueList",
                "apiVersion": f"{_GROUP}/{asked['version']}",
                "metadata": {},
                "items": list(_values(chosen, asked["namespace"], asked["metric"])),
            }
        )

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    application = web.Application()
    root = f"/apis/{_GROUP}/{{version}}"
    application.add_routes(
        [
            web.get("/apis/{group}/{version}", resources),
            web.get(f"{root}/namespaces/{{namespace}}/pods/{{all}}/{{metric}}", values),
            web.get(f"/apis/{_EXTERNAL}/v1beta1/namespaces/{{namespace}}/{{metric}}", external),
        ]
    )
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    (port,) = free_ports(1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port, ssl_context=context).start()

    with background_loop() as run:
        run(start())
        try:
            yield port
        finally:
            run(runner.cleanup())
            # Connections by TLS take a moment to close.
            run(asyncio.sleep(_CLOSE_SECONDS))


def _resources(group: str) -> dict[str, Any]:
    resource = {
        "name": "pods/*",
        "singularName": "",
        "namespaced": True,
        "kind": "MetricValueList",
        "verbs": ["get"],
    }
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group,
        "resources": [resource],
    }


def _values(replicas: Iterable[Replica], namespace: str, metric: str) -> Iterator[dict[str, Any]]:
    """Yield a metric's value of each replica, under Cloud Monitoring's name: type|metric|kind."""
    name, now = metric.split("|")[1], _now()
    for replica in replicas:
        for family in text_string_to_metric_families(replica.metrics()):
            for sample in family.samples:
                if sample.name == name:
                    yield {
                        "describedObject": {
                            "kind": "Pod",
                            "namespace": namespace,
                            "name": replica.pod,
                            "apiVersion": "/v1",
                        },
                        "metric": {"name": metric, "selector": None},
                        "timestamp": now,
                        "value": str(int(sample.value)),
                    }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

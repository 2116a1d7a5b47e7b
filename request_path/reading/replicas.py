"""Read InferencePools, Services, what keeps pods running and what scales it.

Fields: https://gateway-api-inference-extension.sigs.k8s.io/reference/spec
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from request_path import objects as o
from request_path.fields import is_set, items, number, numbers, text, texts
from request_path.reading.common import home_of, in_cluster, reference
from resources.properties import Unknown, get
from resources.resource import Resource
from resources.selectors import labels

# Each makes a group of the pods for a load balancer of somebody's own:
# https://cloud.google.com/kubernetes-engine/docs/how-to/standalone-neg and
# https://github.com/GoogleCloudPlatform/gke-autoneg-controller
_GROUPS: Final = (
    ("cloud.google.com/neg", "exposed_ports"),
    ("controller.autoneg.dev/neg", "backend_services"),
    ("anthos.cft.dev/autoneg", "name"),
)
_OPEN_TYPES: Final = ("LoadBalancer", "NodePort")
WORKER_INDEX: Final = "leaderworkerset.sigs.k8s.io/worker-index"


def pool(resource: Resource) -> o.Pool:
    """Read an InferencePool."""
    spec = get(resource.props, "spec")
    picker = get(spec, "endpointPickerRef")
    return o.Pool(
        **in_cluster(resource),
        selector=labels(spec, "selector", "matchLabels"),
        ports=numbers(items(spec, "targetPorts"), "number"),
        picker=text(picker, "name"),
        picker_port=number(picker, "port", "number"),
        failure_mode=text(picker, "failureMode") or "FailClose",
    )


def _pods(role: str, template: object) -> o.Pods:
    spec = get(template, "spec")
    return o.Pods(
        role,
        labels(template, "metadata", "labels"),
        tuple(_container(each) for each in _containers(spec)),
        labels(spec, "nodeSelector"),
        texts(items(spec, "volumes"), "configMap", "name"),
    )


def _containers(spec: object) -> Iterable[object]:
    yield from items(spec, "containers")
    for each in items(spec, "initContainers"):
        # One that is always restarted is a sidecar.
        if text(each, "restartPolicy") == "Always":
            yield each


def _container(value: object) -> o.Container:
    return o.Container(
        text(value, "name"),
        (*texts(items(value, "command")), *texts(items(value, "args"))),
        frozenset(numbers(items(value, "ports"), "containerPort")),
    )


def workload(resource: Resource) -> o.Workload:
    """Read a Deployment, StatefulSet or LeaderWorkerSet."""
    spec = get(resource.props, "spec")
    nodes = None
    if resource.type.endswith(":LeaderWorkerSet"):
        template = get(spec, "leaderWorkerTemplate")
        worker = get(template, "workerTemplate")
        leader = get(template, "leaderTemplate")
        first = _pods("leader", leader if is_set(leader) else worker)
        # The controller tells a group's pods apart by a label of its own.
        if isinstance(first.labels, Mapping):
            first = replace(first, labels={**first.labels, WORKER_INDEX: "0"})
        pods = (first, _pods("worker", worker))
        nodes = number(template, "size")
    else:
        pods = (_pods("", get(spec, "template")),)
    return o.Workload(
        **in_cluster(resource),
        replicas=number(spec, "replicas"),
        nodes=nodes,
        pods=pods,
    )


def autoscaler(resource: Resource) -> o.Autoscaler:
    """Read a HorizontalPodAutoscaler."""
    spec = get(resource.props, "spec")
    least = number(spec, "minReplicas")
    return o.Autoscaler(
        **in_cluster(resource),
        target=reference(get(spec, "scaleTargetRef"), home_of(resource)),
        least=1 if least is None else least,
        most=number(spec, "maxReplicas"),
    )


def service(resource: Resource) -> o.Service:
    """Read a Service."""
    spec = get(resource.props, "spec")
    targets: dict[int | Unknown, int | Unknown | None] = {}
    for each in items(spec, "ports"):
        port = number(each, "port")
        if port is not None:
            # Without one of its own, the port of the pods is the same.
            own = not is_set(each, "targetPort")
            targets[port] = port if own else number(each, "targetPort")
    return o.Service(
        **in_cluster(resource),
        selector=labels(spec, "selector"),
        ports=tuple(targets),
        targets=targets,
        opened=_opened(resource),
    )


def _opened(resource: Resource) -> str | None:
    kind = text(resource.props, "spec", "type")
    if kind in _OPEN_TYPES:
        return str(kind)
    if items(resource.props, "spec", "externalIPs"):
        return "external addresses"
    for annotation, word in _GROUPS:
        if word in str(text(resource.props, "metadata", "annotations", annotation)):
            return "a network endpoint group"
    return None


def ingress(resource: Resource) -> o.Ingress:
    """Read an Ingress, a route, or a ServiceExport, which is named like its Service."""
    spec, home = get(resource.props, "spec"), home_of(resource)
    rules = items(spec, "rules")
    paths = [each for rule in rules for each in items(rule, "http", "paths")]
    backends = [
        get(each, "service")
        for each in (get(spec, "defaultBackend"), *(get(each, "backend") for each in paths))
    ]
    backends += [each for rule in rules for each in items(rule, "backendRefs")]
    if resource.type.endswith(":ServiceExport"):
        backends.append(get(resource.props, "metadata"))
    named = (reference(each, home, "Service") for each in backends)
    return o.Ingress(**in_cluster(resource), targets=tuple(each for each in named if each.name))


def objective(resource: Resource) -> o.Objective:
    """Read an InferenceObjective."""
    spec = get(resource.props, "spec")
    return o.Objective(
        **in_cluster(resource),
        pool=reference(get(spec, "poolRef"), home_of(resource), "InferencePool"),
        priority=number(spec, "priority"),
    )

"""What pods serve: the model names of vLLM, and who answers on a port."""

import json
from collections.abc import Iterator, Sequence

from catalog.conventions import GUARDRAIL
from request_path.objects import Container, Objects, Pods, Pool, Service, Workload
from resources.properties import UNKNOWN, Unknown
from resources.selectors import may_match


def selected_pods(pool: Pool | Service, objects: Objects) -> Iterator[tuple[Workload, Pods]]:
    """Yield the pods that the selector of a pool or a Service takes."""
    for workload in objects.workloads:
        if workload.beside(pool):
            for pods in workload.pods:
                if may_match(pool.selector, pods.labels):
                    yield workload, pods


def replica_count(workload: Workload, objects: Objects) -> str:
    """Return the number of replicas, from the least to the most where an autoscaler decides."""
    for each in objects.autoscalers:
        if objects.refers(each, each.target, workload):
            return f"{each.least}-{each.most}"
    return str(1 if workload.replicas is None else workload.replicas)


def served_models(pods: Pods) -> frozenset[str] | Unknown | None:
    """Return the names pods answer to: model and adapters; None where none of them is vLLM."""
    server = model_server(pods)
    if server is None:
        return None
    if UNKNOWN in server.arguments:
        return UNKNOWN
    arguments = [each for each in server.arguments if isinstance(each, str)]
    names = list(_values(arguments, "--served-model-name")) or list(_values(arguments, "--model"))
    return frozenset((*names, *map(_adapter_name, _values(arguments, "--lora-modules"))))


def model_server(pods: Pods) -> Container | None:
    """Return the container that runs vLLM."""
    for container in pods.containers:
        for argument in container.arguments:
            if isinstance(argument, str) and (
                "vllm" in argument or argument.startswith("--served-model-name")
            ):
                return container
    return None


def listening_container(pods: Pods, port: int | Unknown) -> Container | None:
    """Return the container that declares a port, or may."""
    for container in pods.containers:
        if port is UNKNOWN or port in container.ports or UNKNOWN in container.ports:
            return container
    return None


def guards_itself(pods: Pods, port: int | Unknown) -> Container | None:
    """Return the container that screens what reaches the model server through `port`.

    That is one of its own, before vLLM, and called a guardrail; other proxies screen nothing.
    """
    container = listening_container(pods, port)
    if container is None or container is model_server(pods):
        return None
    return container if is_guardrail_name(container.name) else None


def is_guardrail_name(name: object) -> bool:
    """Return whether something goes by the name of a guardrail, such as `nemo-guardrail`."""
    return isinstance(name, str) and name.rpartition("-")[2].removesuffix("s") == GUARDRAIL


def _values(arguments: Sequence[str], flag: str) -> Iterator[str]:
    """Yield the values of a flag, in both ways of writing it."""
    taking = False
    for argument in arguments:
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            taking = name == flag
            if taking and equals:
                yield value
        elif taking:
            yield argument


def _adapter_name(module: str) -> str:
    if module.startswith("{"):
        try:
            return str(json.loads(module)["name"])
        except (ValueError, KeyError, TypeError):
            return ""
    return module.partition("=")[0]

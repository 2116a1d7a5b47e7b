"""Containers on Cloud Run: sizes that go together; and filters Pub/Sub can read."""

from collections.abc import Iterator

from catalog.cloud_run import CPUS, cpus_for, sizes_for
from catalog.message_filter import FilterError, check_filter
from config.checks.order import check_order
from config.containers import Container
from config.errors import KeyPath, Problem, listed, shown


def check_container(path: KeyPath, container: Container) -> Iterator[Problem]:
    """Check CPU, memory, GPU and the number of instances."""
    cpus = cpus_for(container.gpu)
    if container.cpu not in cpus:
        yield Problem(
            (*path, "cpu"),
            shown(container.cpu),
            f"{listed(cpus)} with gpu {container.gpu}",
            "raise it, or remove the gpu",
        )
    else:
        yield from _check_memory(path, container)
    yield from check_order(
        path, min_instances=container.min_instances, max_instances=container.max_instances
    )


def _check_memory(path: KeyPath, container: Container) -> Iterator[Problem]:
    least, most = sizes_for(container.cpu, container.gpu)
    if least <= container.memory_mib <= most:
        return
    beside = f"cpu {container.cpu}" + (f" and gpu {container.gpu}" if container.gpu else "")
    fitting = next((cpu for cpu in CPUS if _fits(container, cpu)), None)
    yield Problem(
        (*path, "memory_mib"),
        shown(container.memory_mib),
        f"{least} to {most} with {beside}",
        "change it or the cpu" if fitting is None else f"change it, or the cpu to '{fitting}'",
    )


def _fits(container: Container, cpu: str) -> bool:
    least, most = sizes_for(cpu, container.gpu)
    return cpu in cpus_for(container.gpu) and least <= container.memory_mib <= most


def check_filter_text(path: KeyPath, text: str | None) -> Iterator[Problem]:
    """Check a filter of messages."""
    if text is None:
        return
    try:
        check_filter(text)
    except FilterError as problem:
        yield Problem(
            path,
            str(problem),
            "comparisons of attributes, joined by AND or OR, up to 256 bytes",
            'write it like attributes.lang = "en"',
        )

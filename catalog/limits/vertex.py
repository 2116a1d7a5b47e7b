"""Limits of the models that Vertex AI runs."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from catalog.limits import Choice, Range, Text, label
from catalog.machines import GPU_MACHINE_TYPES
from catalog.problems import Problem, in_order, joined, shown

ENDPOINT_NAME: Final = label(30, "it is the name of the endpoint and its model")
MODEL: Final = Text(
    r"publishers/[^/@\s]+/models/[^/@\s]+@[^/@\s]+"
    r"|[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*",
    "a model of Model Garden, publishers/<publisher>/models/<model>@<version>, or of Hugging Face,"
    " <author>/<model>",
    "`gcloud ai model-garden models list` shows them",
)
MACHINE_TYPE: Final = Choice(
    tuple(sorted(name for name, each in GPU_MACHINE_TYPES.items() if not each.is_tpu)),
    remedy="choose a machine type with GPUs",
)
MIN_REPLICAS: Final = Range(1, 100, "replicas", default=1)
MAX_REPLICAS: Final = Range(1, 100, "replicas", default=1)
DUTY_CYCLE_PERCENT: Final = Range(1, 100, "percent", default=60)


def endpoint(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a machine type that the region does not have, and replicas in the wrong order."""
    machine = GPU_MACHINE_TYPES.get(given["machine_type"])
    if machine is not None and given["region"] not in machine.regions:
        yield Problem(
            ("machine_type",),
            shown(machine.name),
            f"a machine type that {given['region']} has; this one is in {joined(machine.regions)}",
            "choose another machine type or region",
        )
    yield from in_order(
        min_replicas=given.get("min_replicas", MIN_REPLICAS.default),
        max_replicas=given.get("max_replicas", MAX_REPLICAS.default),
    )

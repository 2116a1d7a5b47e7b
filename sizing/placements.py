"""Which machine types hold a model, and with how many GPUs of how many nodes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from catalog.config_folder import make_command
from catalog.machines import GPU_MACHINE_TYPES, MachineType
from catalog.prices import HOURS_PER_MONTH, MACHINE_PRICES
from sizing.memory import Fit, Serving
from sizing.shape import Shape

TENSOR = (1, 2, 4, 8)
NODES = (1, 2, 4, 8)
_SHOWN = 3


@dataclass(frozen=True)
class Placement:
    """A replica on machines of one type."""

    machine: MachineType
    fit: Fit

    @property
    def gpus(self) -> int:
        """GPUs of a replica on each of its nodes, or chips of TPUs."""
        return self.fit.serving.gpus // self.nodes

    @property
    def nodes(self) -> int:
        """Nodes of a replica."""
        serving = self.fit.serving
        if self.machine.is_tpu:
            return max(serving.gpus // self.machine.gpu_count, 1)
        return serving.pipeline

    @property
    def share(self) -> float:
        """Machines that it takes, as a share of one where it takes a part."""
        return self.fit.serving.gpus / self.machine.gpu_count

    def usd(self, capacity: str = "on-demand") -> float | None:
        """Return USD per month of its share of the machines; None where there is no price."""
        price = MACHINE_PRICES.get(self.machine.name)
        hour = None
        if price is not None:
            hour = price.spot if capacity == "spot" else price.on_demand
        return None if hour is None else hour * HOURS_PER_MONTH * self.share


def sizes(machine: MachineType) -> list[tuple[int, int]]:
    """Return how a replica may be split on machines of a type: tensor and pipeline parallelism."""
    if machine.is_tpu:
        # A replica takes all chips of a topology, which are one device.
        return [(machine.gpu_count * machine.nodes_of(each), 1) for each in machine.topologies]
    parts = [(tensor, 1) for tensor in TENSOR if tensor <= machine.gpu_count]
    return parts + [(machine.gpu_count, each) for each in NODES[1:] if machine.gpu_count > 1]


def placements(
    shape: Shape,
    serving: Serving,
    machines: Mapping[str, MachineType] = GPU_MACHINE_TYPES,
) -> Iterator[Placement]:
    """Yield for each machine type the smallest replica that it holds.

    Several nodes only where all GPUs of one are too few.
    """
    for machine in machines.values():
        if machine.is_tpu and shape.latent:
            continue
        for tensor, pipeline in sizes(machine):
            fit = Fit(shape, machine.gpu, replace(serving, tensor=tensor, pipeline=pipeline))
            if fit.holds:
                yield Placement(machine, fit)
                break


def cheapest(
    shape: Shape,
    serving: Serving,
    machines: Mapping[str, MachineType] = GPU_MACHINE_TYPES,
) -> list[Placement]:
    """Return what holds the model: on one node before on several, then the cheapest first."""
    return sorted(
        placements(shape, serving, machines),
        key=lambda each: (
            each.nodes > 1,
            each.usd() is None,
            each.usd(),
            each.machine.name,
        ),
    )


def ways(shape: Shape, serving: Serving) -> str:
    """Return the cheapest machine types that hold a model as a phrase, or how the nearest fails."""
    if found := cheapest(shape, serving)[:_SHOWN]:
        return (
            f"the cheapest: {'; '.join(map(_described, found))}; `{make_command('fit')}` lists all"
        )
    tried = [
        Placement(machine, Fit(shape, machine.gpu, replace(serving, tensor=each, pipeline=nodes)))
        for machine in GPU_MACHINE_TYPES.values()
        for each, nodes in sizes(machine)
        if shape.heads % each == 0 and nodes <= shape.layers
    ]
    nearest = min(tried, key=lambda each: each.fit.lacking)
    return (
        f"no machine type holds it; the nearest, {_described(nearest)}, lacks"
        f" {nearest.fit.lacking:.0f} GiB: quantise the model or lower max_context"
    )


def _described(placement: Placement) -> str:
    """Return a placement by the keys of the config, as a phrase."""
    nodes = f", nodes: {placement.nodes}" if placement.nodes > 1 else ""
    return f"{placement.machine.name} with gpus: {placement.gpus}{nodes}"

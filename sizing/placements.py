"""Which machine types hold a model, and with how many GPUs of how many nodes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from catalog.machines import GPU_MACHINE_TYPES, MachineType
from catalog.prices import HOURS_PER_MONTH, MACHINE_PRICES
from sizing.memory import Fit, Serving
from sizing.shape import Shape

TENSOR = (1, 2, 4, 8)
NODES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Placement:
    """A replica on machines of one type."""

    machine: MachineType
    fit: Fit

    @property
    def share(self) -> float:
        """Machines that it takes, as a share of one where it takes a part."""
        return self.fit.serving.gpus / self.machine.gpu_count

    def usd(self, capacity: str = "on-demand") -> float | None:
        """Return USD per month of its share of the machines; None where there is no price."""
        price = MACHINE_PRICES.get(self.machine.name)
        hour = price and (price.spot if capacity == "spot" else price.on_demand)
        return hour and hour * HOURS_PER_MONTH * self.share


def placements(
    shape: Shape,
    serving: Serving,
    machines: Mapping[str, MachineType] = GPU_MACHINE_TYPES,
) -> Iterator[Placement]:
    """Yield for each machine type the smallest replica that it holds.

    Several nodes only where all GPUs of one are too few.
    """
    for machine in machines.values():
        sizes = [(tensor, 1) for tensor in TENSOR if tensor <= machine.gpu_count]
        sizes += [(machine.gpu_count, nodes) for nodes in NODES[1:] if machine.gpu_count > 1]
        for tensor, pipeline in sizes:
            fit = Fit(shape, machine.gpu, replace(serving, tensor=tensor, pipeline=pipeline))
            if fit.holds:
                yield Placement(machine, fit)
                break


def cheapest(
    shape: Shape,
    serving: Serving,
    machines: Mapping[str, MachineType] = GPU_MACHINE_TYPES,
) -> list[Placement]:
    """Return what holds the model, the cheapest first, those without a price last."""
    found = placements(shape, serving, machines)
    return sorted(found, key=lambda each: (each.usd() is None, each.usd() or 0, each.machine.name))

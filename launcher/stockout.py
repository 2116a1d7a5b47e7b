"""What a stockout does to the models of a config: which move where, which are down, at what cost.

A rehearsal on paper: nodes of the pools that are out are gone, replicas move along the list of
their capacity, and nothing else changes by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from catalog.config_folder import make_command
from catalog.limits.inference import WEIGHT
from catalog.words import plural
from config.checks.memory import fit_of, known_shape
from config.gpu_pools import GpuPool
from config.models import Model, ReplicaSet
from config.platform import Platform
from launcher.problem import LaunchError
from sizing.placements import Placement, cheapest

_ALL: Final = "all"


@dataclass(frozen=True)
class Stockout:
    """What is out: machines of pools in zones, by pool and region the zones that are left."""

    text: str
    left: Mapping[tuple[str, str], tuple[str, ...]]

    def is_out(self, pool: str, region: str) -> bool:
        """Return whether no zone of a pool is left in a region."""
        return self.left.get((pool, region)) == ()


def stockout(text: str, platform: Platform) -> Stockout:
    """Return what `us-central1-a/h100` means: a zone or region, and a pool, GPU or machine type.

    Raises LaunchError where no pool has such nodes there.
    """
    place, _, kind = text.partition("/")
    left: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, pool in platform.gpu_pools.items():
        machine = pool.machine
        if kind not in (_ALL, name, machine.name) and kind not in machine.gpu_type.split("-"):
            continue
        for region in platform.regions:
            zones = pool.zones_in(region) if pool.is_in(region) else ()
            out = [zone for zone in zones if place in (zone, region)]
            if out:
                left[name, region] = tuple(zone for zone in zones if zone not in out)
    if not left:
        raise LaunchError(
            f"STOCKOUT: found {text!r}, where no pool has nodes; allowed: <zone or region>/<pool,"
            f" GPU, machine type or {_ALL}> of {'; '.join(_places(platform))}"
        )
    return Stockout(text, left)


def _places(platform: Platform) -> Iterator[str]:
    for name, pool in platform.gpu_pools.items():
        zones = [
            zone
            for region in platform.regions
            if pool.is_in(region)
            for zone in pool.zones_in(region)
        ]
        yield f"{name} ({pool.machine_type}) in {', '.join(zones)}"


def consequences(found: Stockout, platform: Platform) -> Iterator[str]:
    """Yield a line for every model that has replicas on what is out."""
    for name, model in platform.models.items():
        for region in platform.regions:
            if not model.is_in(region):
                continue
            for replica_set in model.replica_sets:
                pools = _pools_in(platform, replica_set, region)
                if any((each, region) in found.left for each in pools):
                    yield from _of_set(found, platform, name, model, replica_set, region)


def _of_set(
    found: Stockout,
    platform: Platform,
    name: str,
    model: Model,
    replica_set: ReplicaSet,
    region: str,
) -> Iterator[str]:
    pools = _pools_in(platform, replica_set, region)
    said = f"{name} on {pools[0]} in {region}"
    left = [pool for pool in pools if not found.is_out(pool, region)]
    if pools[0] in left:
        if zones := found.left.get((pools[0], region)):
            yield f"{said}: moves to {', '.join(zones)} as nodes come there; same cost"
        return
    if left:
        yield f"{said}: {_along(platform, replica_set, left)}"
        return
    others = [
        each.name
        for each in model.backends
        if not (isinstance(each, ReplicaSet) and _is_down(found, platform, each, region))
    ]
    share = replica_set.weight if replica_set.has_weight else WEIGHT.default
    if others:
        yield (
            f"{said}: {share} % of its requests fail there until its weight moves to"
            f" {', '.join(others)}"
        )
    else:
        yield f"{said}: down there, {_elsewhere(found, platform, model, region)}"
    yield from _instead(platform, model, replica_set, region, found)


def _pools_in(platform: Platform, replica_set: ReplicaSet, region: str) -> Sequence[str]:
    """Return the pools of a region that a replica set may run on, the best first."""
    return [name for name in replica_set.pools if platform.gpu_pools[name].is_in(region)]


def _is_down(found: Stockout, platform: Platform, replica_set: ReplicaSet, region: str) -> bool:
    return all(found.is_out(each, region) for each in _pools_in(platform, replica_set, region))


def _along(platform: Platform, replica_set: ReplicaSet, left: Sequence[str]) -> str:
    """Return where replicas move along their list, and how many of them find no room there."""
    waiting, parts = replica_set.replicas, list[str]()
    for name in left:
        pool = platform.gpu_pools[name]
        here = min(waiting, pool.gpus_per_node // replica_set.gpus * pool.max_nodes)
        if here:
            parts.append(f"{plural(here, 'replica')} to {name} ({pool.capacity})")
        waiting -= here
    rest = f"; {plural(waiting, 'replica')} down" if waiting else ""
    return f"moves by itself, {', '.join(parts)}{rest}; and back once the first has nodes again"


def _elsewhere(found: Stockout, platform: Platform, model: Model, region: str) -> str:
    """Return which other regions serve the model, and how its clients reach them."""
    serving = [
        other
        for other in platform.regions
        if other != region
        and model.is_in(other)
        and any(not _is_down(found, platform, each, other) for each in model.replica_sets)
    ]
    if not serving:
        return "and nothing else serves it"
    sent = [name for name, each in platform.consumers.items() if each.failover is not None]
    how = f"where the failover of {', '.join(sent)} sends clients" if sent else "by their own names"
    return f"served by {', '.join(serving)}, {how}"


def _instead(
    platform: Platform, model: Model, replica_set: ReplicaSet, region: str, found: Stockout
) -> Iterator[str]:
    """Yield which pool of the region could hold the replicas, and what that would cost."""
    shape = known_shape(model, replica_set)
    if shape is None:
        yield "  instead: not known, as the shape of its weights isn't"
        return
    ways: dict[str, Placement] = {}
    for name, pool in platform.gpu_pools.items():
        if name in replica_set.pools or not pool.is_in(region) or found.is_out(name, region):
            continue
        if pool.partition is not None:
            continue  # what a whole GPU holds tells nothing of a partition
        fit = fit_of(model, replica_set, pool, shape)
        serving = replace(fit.serving, tensor=1, pipeline=1)
        for placement in cheapest(shape.shape, serving, {pool.machine_type: pool.machine})[:1]:
            ways[name] = placement
    for name, placement in ways.items():
        yield f"  instead: {_move(platform.gpu_pools[name], name, placement, replica_set)}"
    if not ways:
        fit = make_command("fit")
        yield f"  instead: no other pool of {region} holds it; `{fit}` lists what does"


def _move(pool: GpuPool, name: str, placement: Placement, replica_set: ReplicaSet) -> str:
    serving, replicas = placement.fit.serving, replica_set.replicas
    nodes = -(-serving.gpus * replicas // pool.gpus_per_node)
    cost = placement.usd("spot" if pool.capacity == "spot" else "on-demand")
    price = "no price" if cost is None else f"{cost * replicas:,.0f} USD a month"
    of_nodes = f", nodes: {placement.nodes}" if placement.nodes > 1 else ""
    return (
        f"{plural(replicas, 'replica')} on {name} with gpus: {placement.gpus}{of_nodes}, which take"
        f" {plural(nodes, 'node')} (max_nodes: {pool.max_nodes}), {price}"
    )

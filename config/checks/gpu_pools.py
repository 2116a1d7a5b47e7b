"""GPU pools: machines that can be bought that way in those zones, and counts that make sense."""

from collections.abc import Iterator

from catalog.machines import GPU_MACHINE_TYPES
from config.checks.order import check_order
from config.checks.references import check_region_keys, check_regions
from config.errors import Problem, listed, shown
from config.gpu_pools import GpuPool
from config.known import Known


def check_gpu_pools(known: Known) -> Iterator[Problem]:
    """Every pool: capacity, counts, and each of its regions."""
    for name, pool in known.gpu_pools.items():
        path = ("gpu_pools", name)
        yield from _check_capacity(path, pool)
        yield from _check_rdma(path, pool)
        yield from check_regions(known, (*path, "regions"), pool.regions)
        yield from check_region_keys(known, (*path, "zones"), pool.zones)
        yield from _check_zones(known, path, pool)


def _check_capacity(path: tuple[str, str], pool: GpuPool) -> Iterator[Problem]:
    if pool.capacity not in pool.machine.capacities:
        yield Problem(
            (*path, "capacity"),
            shown(pool.capacity),
            f"{listed(pool.machine.capacities)} (how {pool.machine_type} is sold)",
            "change the capacity or the machine type",
        )
    yield from check_order(path, min_nodes=pool.min_nodes, max_nodes=pool.max_nodes)
    if pool.capacity == "flex-start" and pool.min_nodes:
        yield Problem(
            (*path, "min_nodes"),
            shown(pool.min_nodes),
            "0 with capacity flex-start",
            "set it to 0: flex-start nodes only come for waiting pods",
        )
    if pool.capacity != "flex-start" and pool.max_run_hours is not None:
        yield Problem(
            (*path, "max_run_hours"),
            shown(pool.max_run_hours),
            "nothing unless capacity is flex-start",
            "remove it",
        )
    if pool.capacity == "reservation" and pool.reservation is None:
        yield Problem(
            (*path, "reservation"),
            "nothing",
            "the name of a reservation with capacity reservation",
            "add it: `gcloud compute reservations list` shows them",
        )
    if pool.capacity != "reservation" and pool.reservation is not None:
        yield Problem(
            (*path, "reservation"),
            shown(pool.reservation),
            "nothing unless capacity is reservation",
            "remove it or set capacity: reservation",
        )


def _check_rdma(path: tuple[str, str], pool: GpuPool) -> Iterator[Problem]:
    if pool.rdma and not pool.machine.rdma_interfaces:
        having = [name for name, each in GPU_MACHINE_TYPES.items() if each.rdma_interfaces]
        yield Problem(
            (*path, "rdma"),
            f"true with {pool.machine_type}",
            f"machine types with an RDMA network: {listed(having)}",
            "remove it or change the machine type",
        )


def _check_zones(known: Known, path: tuple[str, str], pool: GpuPool) -> Iterator[Problem]:
    for region in known.region_names(pool.regions):
        if region in known.regions and not pool.machine.zones_in(region):
            yield Problem(
                (*path, "machine_type"),
                f"{shown(pool.machine_type)} in {region}",
                f"regions that sell it: {listed(pool.machine.regions)}",
                f"set regions: without {region}, or change the machine type",
            )
    for region, zones in pool.zones.items():
        sold = pool.machine.zones_in(region)
        if not pool.is_in(region):
            yield Problem(
                (*path, "zones", region),
                "zones of a region without this pool",
                listed(pool.regions or ()),
                "remove the entry or add the region to regions",
            )
        elif not zones:
            yield Problem((*path, "zones", region), "an empty list", listed(sold), "add a zone")
        for position, zone in enumerate(zones):
            if sold and zone not in sold:
                yield Problem(
                    (*path, "zones", region, position),
                    shown(zone),
                    f"{listed(sold)} (zones of {region} that sell {pool.machine_type})",
                    "choose one of them",
                )
            elif zone in zones[:position]:
                yield Problem(
                    (*path, "zones", region, position),
                    f"{shown(zone)} again",
                    "each zone once",
                    "remove it",
                )

"""GPU pools: machines that can be bought that way in those zones, and counts that make sense."""

from collections.abc import Iterator

from catalog.limits import clusters
from catalog.limits import gpu_pools as limits
from catalog.problems import Problem, below, joined, shown
from config.checks.references import check_region_keys, check_regions
from config.gpu_pools import GpuPool
from config.known import Known


def check_gpu_pools(known: Known) -> Iterator[Problem]:
    """Check every pool: capacity, counts, and each of its regions."""
    yield from below(("cluster",), clusters.cluster(known.cluster.model_dump(exclude_none=True)))
    for name, pool in known.gpu_pools.items():
        path = ("gpu_pools", name)
        yield from below(path, limits.gpu_pool(pool.model_dump()))
        yield from check_regions(known, (*path, "regions"), pool.regions)
        yield from check_region_keys(known, (*path, "zones"), pool.zones)
        yield from _check_regions(known, path, pool)


def _check_regions(known: Known, path: tuple[str, str], pool: GpuPool) -> Iterator[Problem]:
    for region in known.region_names(pool.regions):
        slices = pool.max_nodes // pool.slice_nodes if pool.slice_nodes > 1 else 1
        suffix = f"-{slices}" if slices > 1 else ""
        most = limits.LONGEST_NAME - len(region) - len(suffix) - 1
        if len(f"{path[1]}-{region}{suffix}") > limits.LONGEST_NAME:
            yield Problem(
                path,
                f"the name {shown(path[1])}",
                f"up to {most} characters for a pool in {region}",
                "shorten it: a node pool's name is that of the pool and its region",
            )
        if region in known.regions and not pool.machine.zones_in(region):
            yield Problem(
                (*path, "machine_type"),
                f"{shown(pool.machine_type)} in {region}",
                f"regions that sell it: {joined(pool.machine.regions)}",
                f"set regions: without {region}, or change the machine type",
            )
        yield from below(path, limits.one_zone(pool.model_dump(), pool.zones_in(region)))
    for region, zones in pool.zones.items():
        where = (*path, "zones", region)
        if not pool.is_in(region):
            yield Problem(
                where,
                "zones of a region without this pool",
                joined(pool.regions or ()),
                "remove the entry or add the region to regions",
            )
        elif not zones:
            sold = joined(pool.machine.zones_in(region))
            yield Problem(where, "an empty list", sold, "add a zone")
        yield from below(where, limits.zones(pool.machine, region, zones))

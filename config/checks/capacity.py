"""Which GPU pools a replica set names: one, or several in an order that GKE can follow."""

from collections.abc import Iterator

from catalog.limits import gpu_pools as limits
from catalog.problems import KeyPath, Problem, joined, shown, shown_path
from config.checks.references import check_name
from config.known import Known
from config.models import Model, ReplicaSet


def check_pools_named(
    known: Known, path: KeyPath, model: Model, replica_set: ReplicaSet
) -> Iterator[Problem]:
    """Check that a replica set names pools that its regions have, in one of two ways."""
    if (replica_set.node_pool is None) == (not replica_set.capacity):
        yield Problem(
            (*path, "node_pool"),
            "nothing" if replica_set.node_pool is None else "a pool beside capacity",
            "either node_pool, or capacity with several pools, the best first",
            "name one pool" if replica_set.node_pool is None else "remove one of them",
        )
    regions = known.region_names(model.regions)
    for where, name in places(path, replica_set):
        yield from check_name(known, "gpu_pools", where, name)
        pool = known.gpu_pools.get(name)
        missing = [region for region in regions if pool is not None and not pool.is_in(region)]
        if missing and (not replica_set.capacity or len(missing) == len(regions)):
            yield Problem(
                where,
                f"{shown(name)}, which is not in {joined(missing)}",
                "a pool in every region of the model"
                if not replica_set.capacity
                else "a pool in some region of the model",
                "add the regions to the pool or set regions: of the model",
            )
    yield from _check_order(known, path, replica_set)
    pools = [known.gpu_pools.get(name) for name in replica_set.capacity]
    for region in regions if pools and None not in pools else ():
        if not any(pool is not None and pool.is_in(region) for pool in pools):
            yield Problem(
                (*path, "capacity"),
                f"no pool in {region}",
                "at least one in every region of the model",
                f"add one of {region} or set regions: of the model",
            )


def places(path: KeyPath, replica_set: ReplicaSet) -> Iterator[tuple[KeyPath, str]]:
    """Yield each pool that a replica set names, and where."""
    if replica_set.node_pool is not None:
        yield (*path, "node_pool"), replica_set.node_pool
    for position, name in enumerate(replica_set.capacity):
        yield (*path, "capacity", position), name


def _check_order(known: Known, path: KeyPath, replica_set: ReplicaSet) -> Iterator[Problem]:
    """Check that GKE can follow the order of a list."""
    for position, name in enumerate(replica_set.capacity):
        pool, where = known.gpu_pools.get(name), (*path, "capacity", position)
        if name in replica_set.capacity[:position]:
            yield Problem(where, f"{shown(name)} again", "each pool once", "remove it")
        elif position and pool is not None and pool.min_nodes:
            yield Problem(
                ("gpu_pools", name, "min_nodes"),
                f"{pool.min_nodes} on a pool that {shown_path(where)} falls back to",
                "0 on all but the first pool of the list: replicas stay on nodes that always run",
                "set it to 0, or put the pool first",
            )
    first = next(iter(replica_set.capacity), "")
    if first and not limits.COMPUTE_CLASS.matches(first):
        yield Problem(
            (*path, "capacity", 0),
            shown(first),
            limits.COMPUTE_CLASS.allowed,
            "rename the pool: the compute class has the name of its first",
        )
    if replica_set.nodes > 1 and len(replica_set.capacity) > 1:
        yield Problem(
            (*path, "capacity"),
            f"several pools with nodes: {replica_set.nodes}",
            "one pool: the nodes of a replica must be alike",
            "name one by node_pool",
        )


def check_pools_shared(known: Known) -> Iterator[Problem]:
    """Check that all who name a pool of a list name the same list: GKE ties a pool to one class."""
    taken: dict[str, tuple[KeyPath, tuple[str, ...]]] = {}
    named = [
        (where, name, replica_set.capacity)
        for model_name, model in known.models.items()
        for position, replica_set in enumerate(model.replica_sets)
        for where, name in places(("models", model_name, "replica_sets", position), replica_set)
    ]
    # Lists first: they claim their pools, whoever names these alone.
    for where, name, capacity in sorted(named, key=lambda each: not each[2]):
        other, pools = taken.setdefault(name, (where, capacity))
        if pools != capacity:
            yield Problem(
                where,
                f"{shown(name)}, which is also in {shown_path(other)}",
                f"the same list everywhere, capacity: [{', '.join(pools)}]"
                if pools
                else "one way to name a pool",
                "write the same list, or take another pool",
            )

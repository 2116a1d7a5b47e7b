"""Models: names that stay apart, pools that exist and hold them, weights that add up."""

from collections import Counter
from collections.abc import Iterator

from catalog import vllm_options
from catalog.conventions import dns_label
from catalog.limits import clusters
from catalog.limits import inference as limits
from catalog.problems import KeyPath, Problem, below, joined, shown, shown_path
from catalog.releases import IMAGES
from config.checks.backends import check_backends, check_length
from config.checks.capacity import check_pools_named, check_pools_shared
from config.checks.memory import check_memory
from config.checks.references import check_regions
from config.gpu_pools import GpuPool
from config.known import Known
from config.models import Model, ReplicaSet


def check_models(known: Known) -> Iterator[Problem]:
    """Check every model, and all of them together on their pools."""
    yield from _check_names(known)
    declared = known.names.get("regions", set())
    placed = {region for model in known.models.values() for region in model.regions or declared}
    for region in known.regions:
        if placed and placed <= declared and region not in placed:
            yield Problem(
                ("regions", region),
                "a region that serves no model",
                "regions of which each serves a model",
                f"remove it, or add {region} to the regions of a model",
            )
    for name, model in known.models.items():
        path = ("models", name)
        yield from check_regions(known, (*path, "regions"), model.regions)
        yield from check_backends(known, name, model)
        for position, replica_set in enumerate(model.replica_sets):
            yield from _check_replica_set(
                known, (*path, "replica_sets", position), name, model, replica_set
            )
        yield from below(path, check_memory(known, model))
        yield from below((*path, "server_args"), limits.server_args(model.server_args))
        yield from below((*path, "server_args"), _server_args(known, model))
        yield from below(
            (*path, "objectives"),
            limits.objectives(model.objectives, flow_control=model.flow_control),
        )
        if model.picker is not None:
            found = limits.scorers(model.picker.scorers, lora=bool(model.adapters))
            yield from below((*path, "picker", "scorers"), found)
        if model.gated and model.source and model.source.startswith("gs://"):
            yield Problem(
                (*path, "gated"), "true", "false for a source in Cloud Storage", "remove it"
            )
    yield from _check_objective_names(known)
    yield from check_pools_shared(known)
    yield from _check_room(known)


def _own_image(known: Known, model: Model) -> bool:
    """Return whether another image than that of the catalog serves the model."""
    tpu = any(each.machine.is_tpu for each in _pools(known, model))
    image = "vllm_tpu" if tpu else "vllm"
    return known.images.get(image, IMAGES[image].image) != IMAGES[image].image


def _pools(known: Known, model: Model) -> list[GpuPool]:
    names = (name for each in model.replica_sets for name in each.pools)
    return [pool for name in names if (pool := known.gpu_pools.get(name))]


def _server_args(known: Known, model: Model) -> Iterator[Problem]:
    """Check the options of the server; those of another image are not known."""
    if any(each.machine.is_tpu for each in _pools(known, model)):
        yield from limits.tpu_args(model.server_args)
    for name, value in model.server_args.items():
        option = vllm_options.OPTIONS.get(name)
        if _own_image(known, model) or name in limits.OWN_FLAGS:
            continue
        if option is None:
            yield Problem(
                (name,),
                f"an option vLLM {vllm_options.VERSION} does not have",
                vllm_options.alike(name),
                "rename or remove it",
            )
        elif (allowed := option.allowed(value)) is not None:
            yield Problem((name,), shown(value), allowed, "change it")


def _check_names(known: Known) -> Iterator[Problem]:
    """Check the names that clients send and Kubernetes objects are named after."""
    taken: dict[str, KeyPath] = {}
    slugs: dict[str, KeyPath] = {}
    for name, model in known.models.items():
        served: list[tuple[KeyPath, str]] = [(("models", name), name)]
        served += [
            (("models", name, "adapters", position, "name"), adapter.name)
            for position, adapter in enumerate(model.adapters)
        ]
        for path, served_name in served:
            if served_name in taken:
                yield Problem(
                    path,
                    f"{shown(served_name)}{_of_team(known, path)}",
                    "a name no other model or adapter has"
                    f" ({shown_path(taken[served_name])}{_of_team(known, taken[served_name])} has"
                    " it)",
                    "rename one of them",
                )
            taken.setdefault(served_name, path)
        key = dns_label(name)
        if key in slugs:
            yield Problem(
                ("models", name),
                f"{shown(name)}{_of_team(known, ('models', name))}",
                f"a name that differs from {shown_path(slugs[key])}"
                f"{_of_team(known, slugs[key])} in letters or digits"
                f" (both become '{key}' in Kubernetes)",
                "rename one of them",
            )
        slugs.setdefault(key, ("models", name))


def _of_team(known: Known, path: KeyPath) -> str:
    """Return whose the model at or above a path is, in words; nothing where it is nobody's."""
    team = known.models[str(path[1])].team
    return f" of team {team}" if team else ""


def _check_objective_names(known: Known) -> Iterator[Problem]:
    """Check the names of objectives: of model, replica set and their own, all in one
    namespace."""
    taken: dict[str, KeyPath] = {}
    for name, model in known.models.items():
        for objective in model.objectives:
            path: KeyPath = ("models", name, "objectives", objective)
            for replica_set in model.replica_sets:
                key = f"{dns_label(name)}-{replica_set.name}-{objective}"
                if taken.setdefault(key, path) != path:
                    yield Problem(
                        path,
                        shown(objective),
                        f"a name whose object differs from {shown_path(taken[key])}'s"
                        f" (both become '{key}' in Kubernetes)",
                        "rename one of them",
                    )


def _check_zero(known: Known, path: KeyPath, model: Model) -> Iterator[Problem]:
    """Check that a replica set that goes to zero can, and that nothing counts on its replicas."""
    if len(model.backends) > 1:
        yield Problem(
            (*path, "replicas"),
            "0 of a model with other backends beside: their weights send requests to none",
            "1 or more, or one replica set that is the whole model",
            "raise it, or remove the other backends: a canary needs replicas",
        )
    version = known.cluster.minimum_version
    made = any(not each.existing.cluster for each in known.regions.values())
    if made and (version is None or clusters.minor(version) < clusters.ZERO_REPLICAS_MINOR):
        yield Problem(
            ("cluster", "minimum_version"),
            f"{'none' if version is None else shown(version)}, with replicas: 0 in"
            f" {shown_path(path)}",
            f"1.{clusters.ZERO_REPLICAS_MINOR} or later: before, autoscalers keep a replica",
            f'set it to "1.{clusters.ZERO_REPLICAS_MINOR}", or raise replicas',
        )


def _check_replica_set(
    known: Known, path: KeyPath, name: str, model: Model, replica_set: ReplicaSet
) -> Iterator[Problem]:
    yield from check_length(path, name, replica_set.name)
    yield from below(path, limits.replicas(replica_set.model_dump()))
    if replica_set.goes_to_zero:
        yield from _check_zero(known, path, model)
    yield from check_pools_named(known, path, model, replica_set)
    pools = [pool for name in replica_set.pools if (pool := known.gpu_pools.get(name))]
    for pool in {(each.machine_type, each.partition): each for each in pools}.values():
        yield from _check_gpus(path, replica_set, pool)
    if len({each.machine.is_tpu for each in pools}) > 1:
        yield Problem(
            (*path, "capacity"),
            "pools of GPUs and of TPUs",
            "one of both, as a replica asks for one of them and has vLLM for one of them",
            "make two replica sets",
        )
    elif len(sizes := {each.partitions for each in pools}) > 1:
        yield Problem(
            (*path, "capacity"),
            f"pools whose GPUs have {joined(sorted(map(str, sizes)))} partitions",
            "pools with as many partitions of a GPU, as a replica asks all of them for the same",
            "change partition of one of them",
        )


def _check_chips(path: KeyPath, replica_set: ReplicaSet, pool: GpuPool) -> Iterator[Problem]:
    """Check that a replica takes whole nodes of TPUs, and all of a slice."""
    name, topology = pool.machine_type, pool.topology or pool.machine.topologies[0]
    for key, found, needed in (
        ("gpus", replica_set.gpus, pool.gpus_per_node),
        ("nodes", replica_set.nodes, pool.slice_nodes),
    ):
        if found != needed:
            yield Problem(
                (*path, key),
                shown(found),
                f"{needed}, as topology {topology} of {name} has: a replica takes all of its chips",
                "change it, or machine_type and topology of the pool",
            )
    if replica_set.capacity and pool.slice_nodes > 1:
        yield Problem(
            (*path, "capacity"),
            f"a pool of slices of {pool.slice_nodes} nodes",
            "node_pool with slices of several nodes: each is a node pool of its own",
            "name the pool by node_pool",
        )


def _check_gpus(path: KeyPath, replica_set: ReplicaSet, pool: GpuPool) -> Iterator[Problem]:
    if pool.partition is not None:
        if replica_set.gpus_in_all > 1:
            yield Problem(
                (*path, "gpus"),
                f"{replica_set.gpus_in_all} with partition {pool.partition}",
                "1: GKE gives a pod one partition, and none works with another",
                "lower it or nodes, or choose a pool of whole GPUs",
            )
        return
    if pool.machine.is_tpu:
        yield from _check_chips(path, replica_set, pool)
        return
    if replica_set.gpus > pool.gpus_per_node:
        yield Problem(
            (*path, "gpus"),
            shown(replica_set.gpus),
            f"at most {pool.gpus_per_node}, the GPUs of one {pool.machine_type}",
            "lower it or choose a pool with larger machines",
        )
    yield from _check_nodes(path, replica_set, pool)


def _check_nodes(path: KeyPath, replica_set: ReplicaSet, pool: GpuPool) -> Iterator[Problem]:
    if replica_set.nodes == 1:
        return
    if replica_set.gpus != pool.gpus_per_node:
        yield Problem(
            (*path, "gpus"),
            f"{replica_set.gpus} with nodes: {replica_set.nodes}",
            f"{pool.gpus_per_node}, all GPUs of one {pool.machine_type}, with several nodes",
            "raise it: a replica that fits a part of a node needs no second one",
        )


def _check_room(known: Known) -> Iterator[Problem]:
    """Check that all replicas of a region find GPUs on their pools at their largest."""
    wanted: Counter[tuple[tuple[str, ...], str]] = Counter()
    for model in known.models.values():
        for region in known.region_names(model.regions):
            for each in model.replica_sets:
                wanted[each.pools, region] += each.most_replicas * each.gpus_in_all
    told: set[tuple[str, ...]] = set()
    for (names, region), gpus in wanted.most_common():
        pools = {name: pool for name in names if (pool := known.gpu_pools.get(name))}
        here = {name: pool for name, pool in pools.items() if pool.is_in(region)}
        if not here or len(pools) < len(set(names)) or names in told:
            continue
        room = sum(pool.max_nodes * pool.gpus_per_node for pool in here.values())
        if gpus > room:
            told.add(names)
            name, *rest = here
            first, size = here[name], here[name].gpus_per_node
            others = f" with {joined(rest)}" if rest else ""
            yield Problem(
                ("gpu_pools", name, "max_nodes"),
                f"{first.max_nodes}, that is {room} GPUs in {region}{others}",
                f"nodes for the {gpus} GPUs the models of {region} need on this pool",
                f"raise it to {first.max_nodes + -(-(gpus - room) // size)} or lower replicas or"
                " max_replicas",
            )

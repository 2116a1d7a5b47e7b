"""Teams: only those that exist, with a quota that holds what their models always run."""

from collections import Counter
from collections.abc import Iterator

from catalog.limits import inference as limits
from catalog.problems import KeyPath, Problem, shown
from config.checks.references import check_name
from config.known import Known
from config.models import ReplicaSet
from config.teams import Team

_PODS_BESIDE = 2
"""Of a replica set: its endpoint picker, and the one that takes its place in a roll-out."""
_PROXIES = 3
"""Pods of an external backend: its two proxies, and one more in a roll-out."""
_MIB = 1024


def check_teams(known: Known) -> Iterator[Problem]:
    """Check whose models are, who is in a team, and that each quota holds the least."""
    for name, model in known.models.items():
        if model.team is not None:
            yield from check_name(known, "teams", ("models", name, "team"), model.team)
    for name, team in known.teams.items():
        path: KeyPath = ("teams", name)
        yield from _members(known, (*path, "members"), team)
        told: set[str] = set()
        for region in known.region_names(None):
            for key, least in _least(known, name, region).items():
                most = getattr(team, key)
                if most is not None and least > most and key not in told:
                    told.add(key)
                    yield Problem(
                        (*path, key),
                        f"{most}, less than the {least} that its models always have in {region}",
                        f"at least {least}",
                        "raise it, or lower replicas of its models",
                    )


def _members(known: Known, path: KeyPath, team: Team) -> Iterator[Problem]:
    group = known.cluster.security_group
    for position, member in enumerate(team.members):
        if member in team.members[:position]:
            yield Problem((*path, position), f"{shown(member)} again", "each once", "remove it")
        elif member.startswith("group:") and group is None:
            yield Problem(
                (*path, position),
                f"{shown(member)}, and no cluster.security_group",
                "users and service accounts where clusters know no groups",
                "give cluster.security_group, of which the group must be a member",
            )
        elif member == f"group:{group}":
            yield Problem(
                (*path, position),
                f"{shown(member)}, in which every team's group is",
                "the team's own group",
                "name that",
            )


def _least(known: Known, team: str, region: str) -> Counter[str]:
    """Return what a team's models always have in a region, by the key of its quota."""
    found: Counter[str] = Counter()
    mib = 0
    for model in known.models.values():
        if model.team != team or region not in known.region_names(model.regions):
            continue
        for each in model.replica_sets:
            found["pods"] += each.replicas * each.nodes + _PODS_BESIDE
            mib += _PODS_BESIDE * limits.PICKER_MEMORY_GIB * _MIB
            mib += each.replicas * each.nodes * _memory_gib(known, each) * _MIB
            found["tpus" if _on_tpus(known, each) else "gpus"] += each.replicas * each.gpus_in_all
        found["pods"] += _PROXIES * len(model.external)
        mib += _PROXIES * limits.PROXY_MEMORY_MIB * len(model.external)
    found["memory_gib"] = -(-mib // _MIB)
    return found


def _on_tpus(known: Known, replica_set: ReplicaSet) -> bool:
    pools = (known.gpu_pools.get(name) for name in replica_set.pools)
    return any(pool is not None and pool.machine.is_tpu for pool in pools)


def _memory_gib(known: Known, replica_set: ReplicaSet) -> int:
    pools = [pool for name in replica_set.pools if (pool := known.gpu_pools.get(name))]
    return pools[0].pod_memory_gib(replica_set.gpus) if pools else 0

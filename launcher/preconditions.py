"""What must be refused before the engine starts, because halfway through is too late."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog import strict_yaml
from catalog.config_folder import make_command
from catalog.strict_yaml import YamlError
from catalog.words import plural
from config.platform import Platform
from launcher.paths import StackPaths, shown_file
from launcher.problem import LaunchError
from resources.gpus import CLUSTER, NODE_POOL
from resources.properties import get, is_mapping
from sandbox.gcp.services import SERVICE
from sandbox.world import World

SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
_OWN = "inference:index:Vpc$"
PURPOSES = {"REGIONAL_MANAGED_PROXY": "proxy_only", "PRIVATE_SERVICE_CONNECT": "psc_nat"}
SHOWN = 5
_PROTECTION_RULE = "rel-deletion-protection"
_PROTECTED = "because it is protected"


def check_whole(places: StackPaths, world: World) -> None:
    """Raise LaunchError if the state, its passphrase or the world was lost without the others."""
    made = places.checkpoint.exists()
    afresh = f"put it back, or remove {places.home} to start afresh"
    if made and not places.passphrase_file.exists():
        raise LaunchError(f"{places.passphrase_file}, which opens the state, is gone: {afresh}")
    if not made and world.count():
        raise LaunchError(
            f"the sandbox cloud holds {plural(world.count(), 'resource')}, and their state "
            f"({places.checkpoint}) is gone: {afresh}"
        )
    # A run that was refused at its first resource leaves components alone.
    if made and not world.count() and any(each.get("custom") for each in places.recorded()):
        raise LaunchError(
            f"the state holds resources, and the sandbox cloud ({places.world}) is empty: {afresh}"
        )


def check_unprotected(places: StackPaths) -> None:
    """Raise LaunchError if anything of the stack is protected: nothing of it is deleted then."""
    protected = [
        resource["urn"].rpartition("::")[2]
        for resource in places.recorded()
        if resource.get("protect") or resource.get("inputs", {}).get("deletionProtection") is True
    ]
    if protected:
        raise LaunchError(
            f"{places.stack} has {_listed(protected)}, nothing was deleted. To delete them, "
            f"{_unprotect(places)}, then destroy again"
        )


def stopped_by_protection(causes: Sequence[str]) -> bool:
    """Return whether the engine stopped for nothing but what is protected."""
    return bool(causes) and all(_PROTECTED in each for each in causes)


def without_protected(causes: Iterable[str], places: StackPaths) -> list[str]:
    """Return the causes, with one for all that the engine keeps because it is protected."""
    every = list(causes)
    kept = [each for each in every if _PROTECTED in each]
    if not kept:
        return every
    names = list(dict.fromkeys(each.partition(": ")[0] for each in kept))
    told = (
        f"this deletes {_listed(names)}. If that is meant, {_unprotect(places)} before this change "
        "and without it: what is no longer in the stack file can't lose its protection"
    )
    return [told, *(each for each in every if each not in kept)]


def _listed(protected: Sequence[str]) -> str:
    more = f" and {len(protected) - SHOWN} more" if len(protected) > SHOWN else ""
    count = plural(len(protected), "protected resource")
    return f"{count} ({', '.join(protected[:SHOWN])}{more})"


def _unprotect(places: StackPaths) -> str:
    return (
        f"set deletion_protection: false in {places.config.name}{_also_allowed(places)}, run "
        f"`{make_command(f'up STACK={places.stack}')}`"
    )


def _also_allowed(places: StackPaths) -> str:
    """Return what the policies need to let the change pass, or '' where they do."""
    # The rules take longer to load than everything else of a refusal.
    from policies.engine.environment import load

    if load(places.environment)[_PROTECTION_RULE]["level"] == "disabled":
        return ""
    return f" and {_PROTECTION_RULE}: disabled below rules: in {shown_file(places.environment)}"


def check_kept(places: StackPaths, platform: Platform) -> None:
    """Raise LaunchError if a stack that is made gets another project, a region of it another
    network, subnet or address range, or another region its ranges; or if another stack of the
    folder has one of its clusters.

    Clusters and load balancers hold on to a region's subnets, so those can't be replaced. In
    another project everything would be made anew, and what is in tables, buckets and keys lost.
    """
    problems = [
        *_elsewhere(places, platform),
        *_moved(places, platform),
        *_shared(places, platform),
    ]
    for region, role, cidr in _made_ranges(places):
        wanted = platform.regions.get(region)
        if wanted is None:
            problems += [
                f"regions.{other}: takes {cidr}, which {region} still has until it is removed; "
                f"choose other ranges, or remove {region} in a run of its own first"
                for other, ranges in platform.regions.items()
                if any(_overlap(cidr, str(value)) for value in ranges.ranges.values())
            ]
            continue
        value = str(getattr(wanted, role))
        grows = role == "nodes" and _within(cidr, value)
        if value != cidr and not grows:
            problems.append(
                f"regions.{region}.{role}: found {value}, but the region was made with {cidr}; "
                "ranges of a living region stay (nodes may grow): serve from another region, or "
                "destroy the stack first"
            )
    if problems:
        lines = "\n".join(f"{places.config.name}: {problem}" for problem in dict.fromkeys(problems))
        raise LaunchError(lines)


def _elsewhere(places: StackPaths, platform: Platform) -> Iterator[str]:
    """Yield that the stack was made in another project."""
    wanted = platform.project.id
    made_in = {each["outputs"]["project"] for each in places.recorded() if each["type"] == SERVICE}
    for project in sorted(made_in - {wanted}):
        yield (
            f"project.id: found {wanted}, but the stack was made in {project}; a stack stays in "
            "its project: write another environment for the other one "
            f"(`{make_command('new ENV=<name>')}`), and "
            f"`{make_command(f'destroy STACK={places.stack}')}` here when nothing asks this one "
            "any more"
        )


def _shared(places: StackPaths, platform: Platform) -> Iterator[str]:
    """Yield a cluster that is there and that another stack file of the folder names too.

    What both would make has the same names: the second takes the first's objects over unasked, as
    objects are applied, and deletes them with its own.
    """
    for file in sorted(places.config.parent.glob("Pulumi.*.yaml")):
        theirs = set() if file == places.config else _clusters_of(file)
        for region, each in platform.regions.items():
            cluster = each.existing.cluster
            if cluster and (platform.project.id, region, cluster) in theirs:
                yield (
                    f"regions.{region}.existing.cluster: found '{cluster}', which {file.name} "
                    "names too; a cluster takes one stack: what both make has the same names. Give "
                    "each team a namespace in one stack (teams), or each stack a cluster"
                )


def _clusters_of(file: Path) -> set[tuple[object, object, object]]:
    """Return the clusters that a stack file says are there: project, region and name of each."""
    try:
        config = strict_yaml.load(file.read_text(encoding="utf-8"))
    except (OSError, YamlError):
        # Its own run tells what is wrong with it.
        return set()
    regions = get(config, "config", "regions")
    return {
        (get(config, "config", "project", "id"), region, get(found, "existing", "cluster"))
        for region in (regions if is_mapping(regions) else ())
        if is_mapping(found := get(regions, region))
    }


def _made_ranges(places: StackPaths) -> list[tuple[str, str, str]]:
    """Return region, role and range of each subnet of the platform's own network."""
    found: list[tuple[str, str, str]] = []
    for resource in places.recorded():
        if resource["type"] != SUBNETWORK or _OWN not in resource["urn"]:
            continue
        inputs = resource["inputs"]
        role = PURPOSES.get(inputs.get("purpose", ""), "nodes")
        found.append((inputs["region"], role, inputs["ipCidrRange"]))
        found += [
            (inputs["region"], secondary["rangeName"], secondary["ipCidrRange"])
            for secondary in inputs.get("secondaryIpRanges", [])
        ]
    return found


def _moved(places: StackPaths, platform: Platform) -> Iterator[str]:
    """Yield what that is there a region that exists would get another one of."""
    recorded = places.recorded()
    made_in = {
        each["inputs"]["location"]: _existing_cluster(recorded, each["inputs"]["cluster"])
        for each in recorded
        if each["type"] == NODE_POOL
    }
    for region, name in made_in.items():
        wanted = platform.regions[region].existing.cluster if region in platform.regions else name
        if wanted != name:
            yield _moves(f"regions.{region}.existing.cluster", wanted, region, name)
    own = {each.get("id") for each in recorded if _OWN in each["urn"]}
    for cluster in (each["inputs"] for each in recorded if each["type"] == CLUSTER):
        region = cluster["location"]
        if region not in platform.regions:
            continue
        network, subnet = cluster["network"], cluster["subnetwork"]
        ranges = cluster["ipAllocationPolicy"]
        made = {
            "subnetwork": None if subnet in own else subnet.rpartition("/")[2],
            "pods_range": ranges["clusterSecondaryRangeName"],
            "services_range": ranges["servicesSecondaryRangeName"],
        }
        parts = platform.regions[region].existing
        sides = {
            "network.existing": (platform.network.existing, None if network in own else network),
            **{
                f"regions.{region}.existing.{key}": (getattr(parts, key), name)
                for key, name in made.items()
            },
        }
        for key, (wanted, name) in sides.items():
            if wanted != name:
                yield _moves(key, wanted, region, name)


def _existing_cluster(recorded: Sequence[Mapping[str, Any]], cluster: str) -> str | None:
    """Return the name of a cluster, None for one of the stack."""
    made = {each["inputs"]["name"] for each in recorded if each["type"] == CLUSTER}
    return None if cluster in made else cluster


def _moves(key: str, wanted: str | None, region: str, name: str | None) -> str:
    return (
        f"{key}: found {wanted or 'none'}, but {region} was made with {name or 'one of its own'}; "
        "a living region stays where it is: serve from another region, or destroy the stack first"
    )


def _within(small: str, large: str) -> bool:
    return ipaddress.IPv4Network(small).subnet_of(ipaddress.IPv4Network(large))


def _overlap(one: str, other: str) -> bool:
    return ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))

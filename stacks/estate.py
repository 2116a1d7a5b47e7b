"""What is there already, read from the cloud and held against the config, before anything is made.

What the cloud doesn't tell passes.
"""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import pulumi
import pulumi_gcp as gcp

from catalog.conventions import PLATFORM
from catalog.problems import KeyPath, Problem, joined, shown
from config.network import Region
from config.platform import Platform

_GOOGLE_APIS = "googleapis.com."
_ALL_SUBNETS = ("ALL_SUBNETWORKS_ALL_IP_RANGES",)
_Found = TypeVar("_Found")


def check_network(platform: Platform, provider: gcp.Provider) -> None:
    """Raise pulumi.RunError for parts of an existing network that aren't there or don't fit."""
    raise_for(_network_problems(platform, pulumi.InvokeOptions(provider=provider)))


def raise_for(problems: Iterator[Problem]) -> None:
    """Raise pulumi.RunError, with the stack file's name in each line, if there is a problem."""
    source = f"Pulumi.{pulumi.get_stack()}.yaml"
    if lines := [f"{source}: {each}" for each in problems]:
        raise pulumi.RunError("\n".join(lines))


def read(
    path: KeyPath, name: str, what: str, ask: Callable[[], _Found]
) -> tuple[_Found | None, list[Problem]]:
    """Return what is there, or that it can't be read."""
    try:
        return ask(), []
    # The SDK raises nothing more specific: pulumi/runtime/invoke.py.
    except Exception as error:
        reason = str(error).rpartition("failed: ")[2]
        problem = Problem(
            path,
            f"{shown(name)}, which can't be read: {reason}",
            f"{what} that is there",
            "correct the name, or leave it out to have one made; on the sandbox put it into "
            f"sandbox.{pulumi.get_stack()}.yaml",
        )
        return None, [problem]


def _network_problems(platform: Platform, options: pulumi.InvokeOptions) -> Iterator[Problem]:
    network = platform.network
    if network.existing is None:
        return
    yield from _zone(platform, options)
    for name, region in platform.regions.items():
        yield from _RegionReader(platform, options, name, region).problems()


def _zone(platform: Platform, options: pulumi.InvokeOptions) -> Iterator[Problem]:
    name, path = platform.network.google_apis_zone, ("network", "google_apis_zone")
    if name is None:
        return
    project = platform.network.project
    zone, problems = read(
        path, name, "a private zone", lambda: gcp.dns.get_managed_zone(name, project, opts=options)
    )
    yield from problems
    if zone and zone.dns_name not in {None, _GOOGLE_APIS}:
        yield Problem(
            path,
            f"{shown(name)}, the zone of {zone.dns_name}",
            f"the zone of {_GOOGLE_APIS}",
            "name that, or leave it out to have one made",
        )


class _RegionReader:
    """Reads what one region says is there."""

    def __init__(
        self, platform: Platform, options: pulumi.InvokeOptions, name: str, region: Region
    ) -> None:
        self._platform = platform
        self._network = str(platform.network.existing)
        self._project = platform.network.project
        self._options = options
        self._name = name
        self._region = region
        self._path: KeyPath = ("regions", name)

    def problems(self) -> Iterator[Problem]:
        there, ranges = self._region.existing, self._region.ranges
        for key, name, range_ in (
            ("subnetwork", there.subnetwork, "nodes"),
            ("proxy_only", there.proxy_only, "proxy_only"),
            ("psc_nat", there.psc_nat, "psc_nat"),
        ):
            if name is None:
                continue
            path = (*self._path, "existing", key)
            subnet, problems = self._subnet(path, name)
            yield from problems
            if subnet is None:
                continue
            if subnet.network and not subnet.network.endswith(self._network):
                yield Problem(
                    path,
                    f"{shown(name)}, a subnet of {subnet.network.rpartition('/v1/')[2]}",
                    f"a subnet of {self._network}",
                    "name another, or change network.existing",
                )
            yield from self._agrees(range_, ranges[range_], subnet.ip_cidr_range, name)
            if key == "subnetwork":
                yield from self._nodes(path, subnet)
        yield from self._nat()
        yield from self._apart()

    def _subnet(
        self, path: KeyPath, name: str
    ) -> tuple[gcp.compute.GetSubnetworkResult | None, list[Problem]]:
        return read(
            path,
            name,
            "a subnet",
            lambda: gcp.compute.get_subnetwork(
                name=name, project=self._project, region=self._name, opts=self._options
            ),
        )

    def _nodes(self, path: KeyPath, subnet: gcp.compute.GetSubnetworkResult) -> Iterator[Problem]:
        there = self._region.existing
        if subnet.private_ip_google_access is False:
            yield Problem(
                path,
                f"{shown(there.subnetwork)} without Private Google Access",
                "a subnet from which nodes without public addresses reach Google APIs",
                f"`gcloud compute networks subnets update {there.subnetwork} "
                f"--project={self._project} "
                f"--region={self._name} --enable-private-ip-google-access`",
            )
        if not isinstance(subnet.secondary_ip_ranges, list):
            return
        named = {each.range_name: each.ip_cidr_range for each in subnet.secondary_ip_ranges}
        for key, name in (("pods", there.pods_range), ("services", there.services_range)):
            if name not in named:
                yield Problem(
                    (*self._path, "existing", f"{key}_range"),
                    f"{shown(name)}, which the subnet {there.subnetwork} doesn't have",
                    f"one of its secondary ranges: {joined(named)}",
                    "name one of them, or add it to the subnet",
                )
            else:
                yield from self._agrees(key, self._region.ranges[key], named[name], name)

    def _agrees(self, key: str, wanted: str, found: str | None, name: str) -> Iterator[Problem]:
        if found not in {None, wanted}:
            yield Problem(
                (*self._path, key), shown(wanted), f"{found}, which {name} has", f"write {found}"
            )

    def _nat(self) -> Iterator[Problem]:
        nat = self._region.existing.nat
        if nat is None:
            return
        path = (*self._path, "existing", "nat")
        found, problems = read(
            path,
            nat.name,
            "a Cloud NAT gateway",
            lambda: gcp.compute.get_router_nat(
                name=nat.name,
                router=nat.router,
                project=self._project,
                region=self._name,
                opts=self._options,
            ),
        )
        yield from problems
        wanted = self._region.existing.subnetwork or f"{PLATFORM}-{self._name}-nodes"
        covers = found and found.source_subnetwork_ip_ranges_to_nat
        if not found or not covers or covers in _ALL_SUBNETS:
            return
        listed = {each.name.rpartition("/")[2] for each in found.subnetworks or ()}
        if wanted not in listed:
            yield Problem(
                path,
                f"{shown(nat.name)}, which serves {joined(listed)} ({covers})",
                f"a gateway that serves the nodes and pods of {wanted}",
                "add the subnet to it, or leave it out to have a gateway made",
            )

    def _apart(self) -> Iterator[Problem]:
        """Yield ranges that are made here, and that a subnet of the network has already."""
        there = self._region.existing
        made = {
            role: self._region.ranges[role]
            for role, named in (
                ("nodes", there.subnetwork),
                ("proxy_only", there.proxy_only),
                ("psc_nat", there.psc_nat),
            )
            if named is None
        }
        if not made:
            return
        found, problems = read(
            self._path,
            self._name,
            "a region of the network",
            lambda: gcp.compute.get_subnetworks(
                project=self._project, region=self._name, opts=self._options
            ),
        )
        yield from problems
        own = {f"{PLATFORM}-{self._name}-{role.replace('_', '-')}" for role in made}
        taken: Mapping[str, str] = {
            each.name: each.ip_cidr_range
            for each in (found.subnetworks or () if found else ())
            if str(each.network).endswith(self._network) and each.name not in own
        }
        for role, range_ in made.items():
            for name, other in taken.items():
                if ipaddress.ip_network(range_).overlaps(ipaddress.ip_network(other)):
                    yield Problem(
                        (*self._path, role),
                        shown(range_),
                        f"a range that does not overlap the network's subnet {name} ({other})",
                        "move it, or name that subnet in existing",
                    )

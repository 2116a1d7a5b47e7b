"""The arguments of PscEndpoint, and what can be checked of them before anything is made."""

import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.validation import Problems

_DNS_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_API = re.compile(r"https://[^/]+/compute/[^/]+/")


class PublishedService(TypedDict):
    """What one region publishes."""

    target_service: pulumi.Input[str]
    """Self link of the forwarding rule of an internal load balancer of the region."""
    nat_subnetwork: pulumi.Input[str]
    """Id of a subnet of purpose PRIVATE_SERVICE_CONNECT no other attachment uses."""


class AcceptedConsumer(TypedDict):
    """Who may connect: a project or a network, not both."""

    project: NotRequired[pulumi.Input[str]]
    """Id or number of a project."""
    network: NotRequired[pulumi.Input[str]]
    """Self link of a network."""
    connection_limit: NotRequired[pulumi.Input[int]]
    """Endpoints it may make, per attachment; default 10."""


class Frontend(TypedDict):
    """The load balancer before a consumer's connections to several regions."""

    certificate: pulumi.Input[str]
    """Full name of a Certificate Manager certificate in `global`, of scope ALL_REGIONS."""
    proxy_only_subnetworks: NotRequired[Sequence[pulumi.Input[str]]]
    """The network's proxy-only subnets of purpose GLOBAL_MANAGED_PROXY, where the same program
    makes them."""
    request_timeout_seconds: pulumi.Input[int]
    """Longest answer in seconds."""
    outlier_detection: NotRequired[bool]
    """As for CrossRegionFrontend."""


class Consumer(TypedDict):
    """Where endpoints are made."""

    project: NotRequired[pulumi.Input[str]]
    """Id of the network's project; default: the producer's."""
    network: pulumi.Input[str]
    """Self link of the network."""
    subnetworks: Mapping[str, pulumi.Input[str]]
    """Id of the subnet that gives the endpoint its address, by region."""
    dns_name: NotRequired[str]
    """Name the network resolves to its endpoints, such as `llm.acme.internal`; default: none."""
    regional_names: NotRequired[bool]
    """Whether `<region>.<dns_name>` is the endpoint of that region alone; default false."""
    shared_with: NotRequired[Sequence[pulumi.Input[str]]]
    """Self links of networks that reach this one's endpoints, so resolve the names too."""
    frontend: NotRequired[Frontend]
    """Answers `dns_name` with the nearest region that works, which endpoints alone can't."""


class PscEndpointArgs(TypedDict):
    """Arguments of PscEndpoint. Give `publish` or `service_attachments`."""

    project: pulumi.Input[str]
    """Id of the producer's project."""
    service_name: str
    """Name of the service: of its attachments, and first part of its consumers' resources."""
    publish: NotRequired[Mapping[str, PublishedService]]
    """What to publish, by region."""
    service_attachments: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Self links of attachments that exist already, by region."""
    accept: NotRequired[Sequence[AcceptedConsumer]]
    """Who may connect: only projects, or only networks."""
    consume: NotRequired[Mapping[str, Consumer]]
    """Where to make endpoints, by the consumer's name."""
    propagated_connection_limit: NotRequired[int]
    """Networks to which a consumer's endpoints may be propagated by a Network Connectivity Center
    hub, per attachment and consumer; default: Google's, 250."""
    allow_psc_global_access: NotRequired[bool]
    """Whether clients of other regions may use an endpoint; default false. The load balancer must
    allow global access before it is published."""


def validate_psc_endpoint(args: PscEndpointArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems()
    problems.check_name("service_name", args["service_name"])
    publish = args.get("publish", {})
    attachments = args.get("service_attachments", {})
    accept = args.get("accept", ())
    if bool(publish) == bool(attachments):
        problems.add(
            "publish",
            f"found {len(publish)} regions to publish and {len(attachments)} in "
            "service_attachments, allowed: one of the two; publish a service or name attachments",
        )
    if publish:
        problems.check_not_empty("accept", accept, "the projects or networks that may connect")
    elif accept:
        problems.add(
            "accept",
            f"found {len(accept)} entries, allowed: none without publish; the owner of the "
            "service attachments decides who may connect",
        )
    _check_accept(problems, accept)
    limit = args.get("propagated_connection_limit")
    if limit is not None and limit < 1:
        problems.add(
            "propagated_connection_limit",
            f"found {limit}, allowed: 1 or more; leave it out where nothing is shared",
        )
    for name, consumer in args.get("consume", {}).items():
        _check_consumer(problems, args, name, consumer)
    return problems


def _check_accept(problems: Problems, accept: Sequence[AcceptedConsumer]) -> None:
    for index, entry in enumerate(accept):
        path = f"accept[{index}]"
        if ("project" in entry) == ("network" in entry):
            problems.add(
                path, f"found {sorted(entry)}, allowed: one of project and network; give one"
            )
        limit = entry.get("connection_limit")
        if isinstance(limit, int) and limit < 1:
            problems.add(f"{path}.connection_limit", f"found {limit}, allowed: 1 or more")
    kinds = {kind for entry in accept for kind in ("project", "network") if kind in entry}
    if len(kinds) > 1:
        problems.add(
            "accept",
            "found projects and networks, allowed: only one kind for one attachment; "
            "name the project of each network instead",
        )


def _check_consumer(
    problems: Problems, args: PscEndpointArgs, name: str, consumer: Consumer
) -> None:
    path = f"consume.{name}"
    problems.check_name(path, f"{args['service_name']}-{name}")
    subnetworks = consumer["subnetworks"]
    problems.check_not_empty(f"{path}.subnetworks", subnetworks, "a subnet of a published region")
    regions = args.get("publish") or args.get("service_attachments", {})
    for region in subnetworks:
        problems.check_one_of(f"{path}.subnetworks.{region}", region, regions)
    dns_name = consumer.get("dns_name")
    if dns_name is not None and not _DNS_NAME.fullmatch(dns_name):
        problems.add(
            f"{path}.dns_name",
            f"found {dns_name!r}, allowed: a full lowercase name without a last dot, "
            "such as llm.acme.internal",
        )
    for key in ("frontend", "regional_names", "shared_with"):
        if consumer.get(key) and dns_name is None:
            problems.add(
                f"{path}.{key}", "found it without dns_name, allowed: beside dns_name; give both"
            )
    accept = args.get("accept", ())
    if accept and not any(_accepts(entry, consumer, args["project"]) for entry in accept):
        problems.add(
            path,
            "found a consumer that no entry of accept names, so its endpoints would stay pending; "
            "add its project or network to accept",
        )


def _accepts(entry: AcceptedConsumer, consumer: Consumer, project: pulumi.Input[str]) -> bool:
    pairs = (
        (entry.get("project"), consumer.get("project", project)),
        (entry.get("network"), consumer["network"]),
    )
    return any(_may_be_same(one, other) for one, other in pairs if one is not None)


def _may_be_same(one: pulumi.Input[str], other: pulumi.Input[str]) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return _API.sub("", one) == _API.sub("", other)
    return True

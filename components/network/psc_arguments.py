"""The arguments of PscEndpoint, and what can be checked of them before anything is made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Choice, Entries
from catalog.limits import network as limits
from catalog.limits.names import DNS_NAME, RESOURCE_NAME
from catalog.problems import Problem
from components.validation import Problems

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
    connection_limit: NotRequired[Annotated[pulumi.Input[int], limits.CONNECTION_LIMIT]]
    """Endpoints it may make, per attachment."""


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
    subnetworks: Annotated[
        Mapping[str, pulumi.Input[str]], Entries("a subnet of a published region")
    ]
    """Id of the subnet that gives the endpoint its address, by region."""
    dns_name: NotRequired[Annotated[str, DNS_NAME]]
    """Name the network resolves to its endpoints, such as `llm.acme.internal`; default: none."""
    regional_names: NotRequired[bool]
    """Whether `<region>.<dns_name>` is the endpoint of that region alone; default false."""
    shared_with: NotRequired[Sequence[pulumi.Input[str]]]
    """Self links of networks that reach this one's endpoints, so resolve the names too."""
    frontend: NotRequired[Frontend]
    """Answers `dns_name` with the nearest region that works, which endpoints alone can't."""


class PscEndpointArgs(TypedDict):
    """Arguments of PscEndpoint."""

    project: pulumi.Input[str]
    """Id of the producer's project."""
    service_name: Annotated[str, RESOURCE_NAME]
    """Name of the service: of its attachments, and first part of its consumers' resources."""
    publish: Annotated[Mapping[str, PublishedService], Entries("a service to publish")]
    """What to publish, by region."""
    accept: Annotated[
        Sequence[AcceptedConsumer], Entries("the projects or networks that may connect")
    ]
    """Who may connect: only projects, or only networks."""
    consume: NotRequired[Mapping[str, Consumer]]
    """Where to make endpoints, by the consumer's name."""
    propagated_connection_limit: NotRequired[Annotated[int, limits.PROPAGATED_CONNECTIONS]]
    """Networks to which a consumer's endpoints may be propagated by a Network Connectivity Center
    hub, per attachment and consumer; default: Google's, 250."""
    allow_psc_global_access: NotRequired[bool]
    """Whether clients of other regions may use an endpoint; default false. The load balancer must
    allow global access before it is published."""


def validate_psc_endpoint(args: PscEndpointArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(PscEndpointArgs, args)
    problems.extend(_rules(args))
    for name, consumer in args.get("consume", {}).items():
        path = ("consume", name)
        problems.check_limit(RESOURCE_NAME, f"{args['service_name']}-{name}", *path)
        for region in consumer["subnetworks"]:
            problems.check_limit(Choice(args["publish"]), region, *path, "subnetworks", region)
        problems.extend(_consumer_rules(args, consumer), *path)
    return problems


def _rules(args: PscEndpointArgs) -> Iterator[Problem]:
    kinds = [{*entry} & {"project", "network"} for entry in args["accept"]]
    for position, kind in enumerate(kinds):
        if len(kind) != 1:
            yield Problem(
                ("accept", position),
                "both of them" if kind else "neither of them",
                "exactly one of project, network",
                "give one",
            )
    if len(set[str]().union(*kinds)) > 1:
        yield Problem(
            ("accept",),
            "projects and networks",
            "only one kind for one attachment",
            "name the project of each network instead",
        )


def _consumer_rules(args: PscEndpointArgs, consumer: Consumer) -> Iterator[Problem]:
    for key in ("frontend", "regional_names", "shared_with"):
        if consumer.get(key) and consumer.get("dns_name") is None:
            yield Problem((key,), "it without dns_name", "it beside dns_name", "give both")
    accept = args["accept"]
    if accept and not any(_accepts(entry, consumer, args["project"]) for entry in accept):
        yield Problem(
            (),
            "a consumer that no entry of accept names",
            "accepted ones: its endpoints would stay pending",
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

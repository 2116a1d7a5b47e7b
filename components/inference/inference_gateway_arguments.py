"""Arguments of InferenceGateway, and what is allowed in them."""

from collections.abc import Collection, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Entries
from catalog.limits.images import IMAGE
from catalog.limits.inference import REQUEST_TIMEOUT_SECONDS, objectives
from catalog.limits.names import DNS_NAME, HOSTNAME
from components.inference.endpoint_picker import picker_name
from components.inference.inference_pool import Pool, objective_name
from components.inference.model_routes import External, Route, check_routes
from components.names import LABEL_LENGTH, dns_label
from components.validation import Problems


class InferenceGatewayArgs(TypedDict):
    """Arguments of `InferenceGateway`."""

    project: pulumi.Input[str]
    """Project id."""
    region: str
    """Region of the cluster."""
    namespace: pulumi.Input[str]
    """Kubernetes namespace of the Gateway, and of pools, replicas and routes that name none."""
    subnetwork: pulumi.Input[str]
    """Subnet that gives the address. Its network and region need a proxy-only subnet."""
    proxy_only_subnetwork: NotRequired[pulumi.Input[str]]
    """That proxy-only subnet, where the same program makes it: the Gateway then comes after it."""
    hostname: Annotated[str, HOSTNAME]
    """Host name clients use, such as `inference.dev.acme.internal`."""
    additional_hostnames: NotRequired[Sequence[Annotated[str, DNS_NAME]]]
    """Other names the gateway answers to, such as its region's own; default: none."""
    certificate: pulumi.Input[str]
    """Name of a Certificate Manager certificate of the region, for every host name."""
    pools: Sequence[Pool]
    """Pools, one for each replica set."""
    external: NotRequired[Sequence[External]]
    """Backends outside the cluster."""
    routes: Annotated[Sequence[Route], Entries("a route, or no request is answered")]
    """Model names and the pools or external backends that answer them."""
    request_timeout_seconds: NotRequired[Annotated[int, REQUEST_TIMEOUT_SECONDS]]
    """Longest answer."""
    security_policy: NotRequired[pulumi.Input[str]]
    """Name of a Cloud Armor policy of the region, put before every pool (default none)."""
    picker_image: NotRequired[Annotated[pulumi.Input[str], IMAGE]]
    """Container image of each pool's endpoint picker; default: the catalog's."""
    router_image: NotRequired[Annotated[pulumi.Input[str], IMAGE]]
    """Container image of the body-based router (default: the catalog's)."""
    extension_api_group: NotRequired[pulumi.Input[str]]
    """`InferenceCrds.api_group`: the pickers then start once the definitions are there."""


def hostnames(args: InferenceGatewayArgs) -> tuple[str, ...]:
    """Return every name the gateway answers to."""
    return (args["hostname"], *args.get("additional_hostnames", ()))


def validate_inference_gateway(name: str, args: InferenceGatewayArgs) -> Problems:
    """Check the plain arguments of an `InferenceGateway`."""
    problems = Problems.of(InferenceGatewayArgs, args)
    problems.check_name(f"{dns_label(name)}-bbr", "name")
    externals = args.get("external", ())
    if not externals:
        problems.check_limit(Entries("a pool, one for each replica set"), args["pools"], "pools")
    _check_pools(problems, args["pools"])
    pools = {pool["name"] for pool in args["pools"]}
    _check_externals(problems, externals, pools)
    check_routes(problems, args["routes"], pools | {each["name"] for each in externals})
    _check_served(problems, args)
    return problems


def _check_pools(problems: Problems, pools: Sequence[Pool]) -> None:
    seen: dict[str, str] = {}
    for index, pool in enumerate(pools):
        path = f"pools[{index}]"
        if len(picker_name(pool["name"])) > LABEL_LENGTH:
            problems.add(
                f"{path}.name",
                f"found {pool['name']!r}, too long for its picker's Service "
                f"{picker_name(pool['name'])!r}; allowed: {LABEL_LENGTH - len(picker_name(''))} "
                "characters; shorten it",
            )
        if pool["name"] in seen:
            problems.add(
                f"{path}.name",
                f"found {pool['name']!r}, which {seen[pool['name']]} has too; rename one of them",
            )
        seen.setdefault(pool["name"], path)
    _check_objectives(problems, pools)
    _check_selectors(problems, pools)


def _check_selectors(problems: Problems, pools: Sequence[Pool]) -> None:
    """Note a pool whose labels are among another's: it selects that one's replicas too."""
    for index, pool in enumerate(pools):
        for other_index, other in enumerate(pools):
            wider = pool["selector"].items() <= other["selector"].items()
            same = len(pool["selector"]) == len(other["selector"])
            if wider and pool["selector"] and (not same or index > other_index):
                problems.add(
                    f"pools[{index}].selector",
                    f"found labels that select the replicas of pools[{other_index}] too; give the "
                    "labels of one replica set: ModelServer.pod_labels",
                )


def _check_served(problems: Problems, args: InferenceGatewayArgs) -> None:
    served = {pool["name"]: pool["models"] for pool in args["pools"] if "models" in pool}
    for index, route in enumerate(args["routes"]):
        for position, backend in enumerate(route["backends"]):
            names = served.get(backend["pool"])
            missing = sorted(set(route["models"]) - set(names)) if names is not None else []
            if names is not None and missing:
                problems.add(
                    f"routes[{index}].backends[{position}].pool",
                    f"found {backend['pool']!r}, which serves {', '.join(names)} and not "
                    f"{', '.join(missing)}; route to a pool that serves them",
                )


def _check_externals(
    problems: Problems, externals: Sequence[External], pools: Collection[str]
) -> None:
    seen = set(pools)
    for index, external in enumerate(externals):
        if external["name"] in seen:
            problems.add(
                f"external[{index}].name",
                f"found {external['name']!r}, which a pool or external backend has too; rename one "
                "of them",
            )
        seen.add(external["name"])


def _check_objectives(problems: Problems, pools: Sequence[Pool]) -> None:
    taken: dict[str, str] = {}
    for index, pool in enumerate(pools):
        given = pool.get("objectives", {})
        problems.extend(
            objectives(given, flow_control=pool.get("flow_control", False)),
            *("pools", index, "objectives"),
        )
        for objective in given:
            path = f"pools[{index}].objectives.{objective}"
            name = objective_name(pool["name"], objective)
            problems.check_name(name, "pools", index, "objectives", objective)
            other = taken.setdefault(name, path)
            if other != path:
                problems.add(path, f"found a name {name!r} that {other} makes too; rename one")

"""The architecture of a deployment, drawn from its own resources: by region, in its perimeter."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from catalog.words import plural
from plans.plan import Plan, name_of
from policies.access.reach import Access
from policies.shared.gpu_totals import region_of
from request_path.explain import models_in
from request_path.frontends import Frontend
from request_path.hops import named
from request_path.matching import claims_of
from request_path.models import backend_of, requested_models, servers_behind, used_backends
from request_path.objects import Backend, Gateway, Objects, Pool, Service
from request_path.pods import selected_pods
from request_path.publication import attachments_of, network_of, ways_to
from request_path.publication import region_of as region_of_gateway
from request_path.reading import read
from resources.properties import is_mapping
from resources.resource import Resource, Stack

OUTSIDE: Final = "outside"
NOWHERE: Final = "global"
GPU_NODES: Final = "GPU nodes"
MODELS_SHOWN: Final = 8
"""Models of a region that are drawn one by one; more are drawn by the nodes they run on."""
_PERIMETER: Final = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
# What is drawn beside the way to models, and the word for it.
_DRAWN: Final[Mapping[str, str]] = {
    "gcp:bigquery/dataset:Dataset": "BigQuery dataset",
    "gcp:cloudrunv2/job:Job": "Cloud Run job",
    "gcp:cloudrunv2/service:Service": "Cloud Run service",
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": "Dataflow job",
    "gcp:pubsub/topic:Topic": "Pub/Sub topic",
    "gcp:redis/instance:Instance": "Redis",
    "gcp:storage/bucket:Bucket": "bucket",
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": (
        "Vertex AI endpoint"
    ),
}
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_TABLE: Final = "gcp:bigquery/table:Table"
_NODE_POOL: Final = "gcp:container/nodePool:NodePool"
_USES: Final = (("write-data", "writes"), ("read-data", "reads"), ("invoke", "calls"))


@dataclass
class Node:
    """Something drawn: `state` is what the plan does to it, as in `Step.operation`."""

    id: str
    label: str
    kind: str
    region: str
    network: str
    state: str = "same"


@dataclass(frozen=True)
class Place:
    """Where something is; the network is empty for what is in none."""

    region: str
    network: str = ""


@dataclass
class Picture:
    """Nodes in regions, and edges with a word on each."""

    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    edges: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    perimeter: bool = False

    def add(self, key: str, label: str, kind: str, place: "Place", state: str = "same") -> str:
        """Draw something once, in the first state that it is drawn in and that changes it."""
        known = Node(f"n{len(self.nodes)}", label, kind, place.region, place.network, state)
        node = self.nodes.setdefault(key, known)
        if node.state == "same":
            node.state = state
        return key

    def link(self, start: str, end: str, label: str = "") -> None:
        """Draw an edge between two that are drawn."""
        if start in self.nodes and end in self.nodes and start != end:
            self.edges.setdefault((start, end), label)

    def regions(self) -> dict[str, list[Node]]:
        """Return the nodes by region, what is outside of all first."""
        found: defaultdict[str, list[Node]] = defaultdict(list)
        for each in self.nodes.values():
            found[each.region].append(each)
        first = (OUTSIDE, NOWHERE)
        return {name: found[name] for name in sorted(found, key=lambda x: (x not in first, x))}


def picture_of(plan: Plan) -> Picture:
    """Return the picture of what there is to be, with what goes."""
    states = {each.urn: each.operation for each in plan.changes}
    picture = Picture(perimeter=bool(plan.after.by_type.get(_PERIMETER)))
    objects = read(plan.after)
    network = _network(plan.after)
    for gateway in objects.gateways:
        place = Place(region_of_gateway(gateway, objects) or NOWHERE, network)
        _way(picture, objects, gateway, place, states)
    _services(picture, plan.after, states)
    for each in plan.changes:
        if each.operation == "delete" and each.before and each.type in (*_DRAWN, _NODE_POOL):
            word = _DRAWN.get(each.type, "nodes")
            picture.add(each.urn, each.name, word, _place(each.before), "delete")
    return picture


def _place(resource: Resource) -> Place:
    return Place(region_of(resource) or NOWHERE)


def _network(stack: Stack) -> str:
    """Return the network of the clusters, where it is one."""
    found = {
        name_of(urn)
        for each in stack.by_type.get(_CLUSTER, ())
        for urn in each.dependencies.get("network", ())
    }
    return found.pop() if len(found) == 1 else ""


def _way(
    picture: Picture, objects: Objects, gateway: Gateway, place: Place, states: Mapping[str, str]
) -> None:
    state = states.get(gateway.urn, "same")
    door = picture.add(gateway.urn, str(gateway.name), "Gateway", place, state)
    for attachment in attachments_of(gateway, objects):
        urn = attachment.urn
        picture.add(urn, attachment.label, "service attachment", place, states.get(urn, "same"))
        picture.link(urn, door)
        for way in ways_to(attachment, objects):
            start = way.service if isinstance(way, Frontend) else way
            kind = "load balancer" if isinstance(way, Frontend) else "endpoint"
            state = states.get(start.urn, "same")
            outside = Place(OUTSIDE, re.split("::|/", str(network_of(way, objects)))[-1])
            picture.add(start.urn, start.label, f"consumer's {kind}", outside, state)
            picture.link(start.urn, urn, "Private Service Connect")
    _models(picture, objects, gateway, place, states)


@dataclass
class _End:
    """Where requests of models end, with the share of each model."""

    label: str
    kind: str
    state: str
    shares: dict[str, str] = field(default_factory=dict[str, str])


def _models(
    picture: Picture, objects: Objects, gateway: Gateway, place: Place, states: Mapping[str, str]
) -> None:
    ends: dict[str, _End] = {}
    changed: defaultdict[str, str] = defaultdict(str)
    for claim in claims_of(objects):
        for backend in used_backends(claim) if claim.gateway.urn == gateway.urn else ():
            target = backend_of(claim, backend, objects)
            for found in _ends(objects, target) if target else ():
                nodes = states.get(found.nodes, "same")
                end = ends.setdefault(found.name, _End(found.name, found.kind, nodes))
                for name in requested_models(claim):
                    end.shares[name] = _share(claim.rule.backends, backend)
                    for urn in (claim.route.urn, target.urn if target else "", found.workload):
                        changed[name] = changed[name] or states.get(urn, "")
    together = len({name for end in ends.values() for name in end.shares}) > MODELS_SHOWN
    for end in ends.values():
        # A server outside the cluster is outside of its network, too.
        inside = place if end.kind == GPU_NODES else Place(place.region)
        key = f"{place.region}/{end.label}"
        picture.add(key, end.label, end.kind, inside, end.state)
        if together:
            picture.link(gateway.urn, key, plural(len(end.shares), "model"))
            continue
        for name, share in sorted(end.shares.items()):
            state = changed[name] or "same"
            model = picture.add(f"{place.region}/model/{name}", name, "model", place, state)
            picture.link(gateway.urn, model)
            picture.link(model, key, share)


@dataclass(frozen=True)
class _Found:
    name: str
    kind: str
    workload: str = ""
    nodes: str = ""


def _ends(objects: Objects, target: Pool | Service) -> Iterator[_Found]:
    """Yield where requests end: nodes of a kind, or a server outside."""
    if isinstance(target, Service):
        for server in servers_behind(target, objects):
            yield _Found(server.partition(":")[0], "external server")
        return
    for workload, pods in selected_pods(target, objects):
        selector = pods.node_selector
        chosen_nodes = ", ".join(map(str, selector.values())) if is_mapping(selector) else ""
        pool = next((each.urn for each in objects.node_pools if each.name == chosen_nodes), "")
        yield _Found(chosen_nodes or named(workload), GPU_NODES, workload.urn, pool)


def _share(backends: Iterable[Backend], one: Backend) -> str:
    weights = [each.weight for each in backends if isinstance(each.weight, int)]
    if len(weights) < 2 or not isinstance(one.weight, int):
        return ""
    return f"{100 * one.weight / sum(weights):g} %"


def _services(picture: Picture, stack: Stack, states: Mapping[str, str]) -> None:
    for token, word in _DRAWN.items():
        for each in stack.by_type.get(token, ()):
            picture.add(each.urn, each.name, word, _place(each), states.get(each.urn, "same"))
    tables = {each.urn: _first(each, "datasetId") for each in stack.by_type.get(_TABLE, ())}
    for each in stack.by_type.get(_SUBSCRIPTION, ()):
        topic = _first(each, "topic")
        for prop, word in (
            ("pushConfig", "push"),
            ("bigqueryConfig", "export"),
            ("cloudStorageConfig", "export"),
            ("deadLetterPolicy", "dead letters"),
        ):
            for urn in each.dependencies.get(prop, ()):
                picture.link(topic, tables.get(urn, urn), word)
    _calls(picture, stack)


def _first(resource: Resource, prop: str) -> str:
    return next(iter(resource.dependencies.get(prop, ())), "")


def _calls(picture: Picture, stack: Stack) -> None:
    """Link what runs as an account to what the account may use."""
    access = Access(stack)
    by_name = {node.label: key for key, node in picture.nodes.items()}
    datasets = {
        each.name: stack.by_urn[urn].name
        for each in stack.by_type.get(_TABLE, ())
        if (urn := _first(each, "datasetId")) in stack.by_urn
    }
    for who, workloads in access.workloads.items():
        for held in access.held.get(who, ()):
            end = by_name.get(datasets.get(held.scope.name, held.scope.name))
            may = held.capabilities or frozenset()
            word = next((w for c, w in _USES if c in may), "")
            if end and word:
                for workload in workloads:
                    picture.link(workload.resource.urn, end, word)


def models_changed(plan: Plan) -> tuple[list[str], list[str]]:
    """Return the models that are served anew, and those that no longer are, or not in a region."""
    then, now = (read(each) for each in (plan.before, plan.after))
    return _served_anew(then, now), _served_anew(now, then)


def _served_anew(then: Objects, now: Objects) -> list[str]:
    before = set(models_in(then))
    elsewhere = [
        f"{model} in {region}"
        for region, model in _served_in(now) - _served_in(then)
        if model in before
    ]
    return sorted([*(set(models_in(now)) - before), *elsewhere])


def _served_in(objects: Objects) -> set[tuple[str, str]]:
    return {
        (region, model)
        for claim in claims_of(objects)
        if (region := region_of_gateway(claim.gateway, objects))
        for model in requested_models(claim)
    }

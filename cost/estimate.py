"""The cost of a month, estimated from resources alone: no credentials, no network, no program.

Method: each type has a handler that turns inputs into lines with a minimum and a maximum, at the
list prices of `catalog/prices.yaml`. What has no price, or whose quantity is not known, is listed
as unpriced; it is never counted as 0.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import Final

from cost import apigee, certificates, compute, data, dataflow, network, serverless, vertex
from cost.model import Estimate, Item, Line, Unpriced
from cost.others import other
from cost.pricing import Pricing, region
from cost.rates import CATALOG, HOURS_PER_MONTH, Rates
from resources.gpus import NODE_POOL
from resources.resource import Resource
from resources.standing import standing_nodes

__all__ = ["Estimate", "Line", "Unpriced", "estimate"]

STALE_DAYS: Final = 180
_Handler = Callable[[Resource, Pricing], Iterator[Item]]
_HANDLERS: Final[Mapping[str, _Handler]] = {
    "gcp:cloudrunv2/job:Job": serverless.job,
    "gcp:cloudrunv2/service:Service": serverless.service,
    "gcp:cloudrunv2/workerPool:WorkerPool": serverless.service,
    "gcp:compute/address:Address": network.address,
    "gcp:compute/forwardingRule:ForwardingRule": network.forwarding_rule,
    "gcp:compute/globalAddress:GlobalAddress": network.address,
    network.GLOBAL_RULE: network.forwarding_rule,
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup": network.endpoint_group,
    "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy": network.security_policy,
    "gcp:compute/routerNat:RouterNat": network.nat,
    "gcp:compute/securityPolicy:SecurityPolicy": network.security_policy,
    "gcp:container/cluster:Cluster": compute.cluster,
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": dataflow.job,
    "gcp:dataflow/job:Job": dataflow.job,
    "gcp:redis/instance:Instance": data.redis_instance,
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": (
        vertex.endpoint
    ),
    "gcp:vertex/aiFeatureOnlineStore:AiFeatureOnlineStore": vertex.online_store,
    "gcp:vertex/aiIndexEndpointDeployedIndex:AiIndexEndpointDeployedIndex": vertex.deployed_index,
    "kubernetes:apps/v1:StatefulSet": compute.claims,
    "kubernetes:core/v1:PersistentVolumeClaim": compute.claims,
    "kubernetes:core/v1:Service": network.kubernetes_service,
    "kubernetes:gateway.networking.k8s.io/v1:Gateway": network.gateway,
    "kubernetes:networking.k8s.io/v1:Ingress": network.ingress,
}
_AUTHORITY: Final = "gcp:certificateauthority/authority:Authority"
_ENVIRONMENT: Final = "gcp:apigee/environment:Environment"
_POOLED: Final = frozenset({_AUTHORITY, certificates.POOL})


def estimate(
    resources: Iterable[Resource],
    *,
    rates: Rates = CATALOG,
    today: date | None = None,
    expected_share: float = 0.5,
) -> Estimate:
    """Estimate the cost of a month in USD.

    `expected_share` says where between minimum and maximum the expected cost lies, 0 to 1.
    With `today`, prices older than 180 days are told in the assumptions.
    """
    if not 0 <= expected_share <= 1:
        raise ValueError(f"expected_share: found {expected_share}, allowed: 0 to 1")
    given = list(resources)
    pricing = Pricing(rates, expected_share)
    handlers = dict(_HANDLERS)
    handlers[NODE_POOL] = partial(compute.node_pool, standing=standing_nodes(given))
    handlers[_AUTHORITY] = partial(certificates.authority, tiers=certificates.tiers(given))
    handlers[_ENVIRONMENT] = partial(apigee.environment, regions=apigee.regions(given))
    items = [item for resource in given for item in _items(resource, pricing, handlers)]
    lines = tuple(item for item in items if isinstance(item, Line))
    return Estimate(
        minimum=sum(line.minimum for line in lines),
        expected=sum(line.expected for line in lines),
        maximum=sum(line.maximum for line in lines),
        lines=lines,
        unpriced=tuple(item for item in items if isinstance(item, Unpriced)),
        assumptions=(
            *_assumptions(given, rates, expected_share),
            *_stale(pricing.used, today),
        ),
        as_of=min(pricing.used.values(), default=rates.as_of),
    )


def _items(
    resource: Resource, pricing: Pricing, handlers: Mapping[str, _Handler]
) -> Iterator[Item]:
    handler = handlers.get(resource.type)
    if handler is not None:
        yield from handler(resource, pricing)
    elif resource.type not in _POOLED:
        yield from other(resource, pricing)


def _assumptions(resources: list[Resource], rates: Rates, expected_share: float) -> Iterator[str]:
    yield (
        f"list prices of {rates.region} as of {rates.as_of}, without discounts, credits and taxes; "
        f"a month has {HOURS_PER_MONTH:.0f} hours"
    )
    elsewhere = sorted({place for each in resources if (place := region(each))} - {rates.region})
    if elsewhere:
        yield f"{', '.join(elsewhere)} at the prices of {rates.region}, some percent off"
    yield (
        "minimum: everything scaled in, with the nodes that the fewest replicas need; maximum: "
        "everything scaled out and working all month; "
        f"expected: {expected_share:.0%} of the way between them"
    )
    yield "flex-start and reserved nodes at the on-demand list price, which is a ceiling"


def _stale(used: Mapping[str, date], today: date | None) -> Iterator[str]:
    old = sorted(
        name for name, as_of in used.items() if today and (today - as_of).days > STALE_DAYS
    )
    if old:
        yield (
            f"WARNING: these prices are more than {STALE_DAYS} days old: {', '.join(old)}; "
            "renew them in catalog/prices.yaml"
        )

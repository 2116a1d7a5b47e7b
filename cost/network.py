"""NAT, addresses and load balancing."""

from collections.abc import Iterator
from typing import Final

from cost.model import Item
from cost.pricing import ONE, Bounds, Pricing, by_usage, unknown
from resources.properties import UNKNOWN, Absence, entries, text
from resources.resource import Resource

GLOBAL_RULE: Final = "gcp:compute/globalForwardingRule:GlobalForwardingRule"
_INTERNAL: Final = "INTERNAL_MANAGED"
_PSC_GROUP: Final = "PRIVATE_SERVICE_CONNECT"
_PSC_TARGET: Final = "/serviceAttachments/"
# An internal Application Load Balancer has at least three proxies.
_PROXIES: Final = 3.0


def nat(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield a NAT gateway, from one VM behind it to the most it costs."""
    yield pricing.between(
        resource,
        "NAT gateway",
        least=pricing.month("nat-vm"),
        most=pricing.month("nat-gateway-most"),
    )
    yield by_usage(resource, "NAT is billed by traffic beside that")


def address(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield a static address."""
    kind = "internal" if text(resource.props, "addressType") == "INTERNAL" else "external"
    rate = pricing.month(f"{kind}-address")
    yield pricing.line(resource, f"{kind} address", rate, ONE)


def forwarding_rule(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield a forwarding rule, or the Private Service Connect endpoint it is."""
    if _is_endpoint(resource):
        rate = pricing.month("psc-endpoint")
        yield pricing.line(resource, "Private Service Connect endpoint", rate, ONE)
        yield by_usage(resource, "the endpoint is billed by traffic beside that")
        return
    rate = pricing.month("forwarding-rule")
    yield pricing.line(resource, "forwarding rule", rate, ONE)
    if resource.type == GLOBAL_RULE and text(resource.props, "loadBalancingScheme") == _INTERNAL:
        yield _proxies(resource, pricing)
    yield by_usage(resource, "load balancing is billed by traffic beside that")


def endpoint_group(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield what a Private Service Connect backend costs; other groups of endpoints are free."""
    if text(resource.props, "networkEndpointType") == _PSC_GROUP:
        rate = pricing.month("psc-endpoint")
        yield pricing.line(resource, "Private Service Connect backend", rate, ONE)
        yield by_usage(resource, "the backend is billed by traffic beside that")


def _proxies(resource: Resource, pricing: Pricing) -> Item:
    rate = pricing.month("load-balancer-proxy")
    return pricing.line(resource, "load balancer proxies", rate, Bounds(_PROXIES, _PROXIES))


def _is_endpoint(resource: Resource) -> bool:
    target = text(resource.props, "target")
    # The API marks an endpoint by an empty scheme.
    is_attachment = isinstance(target, str) and _PSC_TARGET in target
    return is_attachment or text(resource.props, "loadBalancingScheme") == ""


def security_policy(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield a policy of Cloud Armor and each of its rules."""
    yield pricing.line(resource, "security policy", pricing.month("security-policy"), ONE)
    rules = entries(resource.props, "rules")
    if rules is UNKNOWN:
        yield unknown(resource, "the number of rules", rules)
    elif not isinstance(rules, Absence):
        count = float(len(rules))
        rate = pricing.month("security-policy-rule")
        yield pricing.line(resource, "security rules", rate, Bounds(count, count))
    yield by_usage(resource, "Cloud Armor is billed by requests beside that")


def gateway(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield the load balancer that GKE makes for a Gateway."""
    yield pricing.line(resource, "forwarding rule", pricing.month("forwarding-rule"), ONE)
    yield _proxies(resource, pricing)
    yield by_usage(resource, "more proxies are added, and traffic is billed, by load")


def kubernetes_service(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield the load balancer that a Service may ask for: one forwarding rule. Others are free."""
    kind = text(resource.props, "spec", "type")
    if kind is UNKNOWN:
        yield unknown(resource, "the type of the Service", kind)
    elif kind == "LoadBalancer":
        yield pricing.line(resource, "forwarding rule", pricing.month("forwarding-rule"), ONE)
        yield by_usage(resource, "load balancing is billed by traffic beside that")


def ingress(resource: Resource, pricing: Pricing) -> Iterator[Item]:
    """Yield the load balancer of an Ingress: one forwarding rule for HTTP, one for HTTPS."""
    rate = pricing.month("forwarding-rule")
    yield pricing.line(resource, "forwarding rules", rate, Bounds(1.0, 2.0))
    yield by_usage(resource, "load balancing is billed by traffic beside that")

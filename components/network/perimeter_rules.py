"""A perimeter's ingress and egress rules in the form of the Access Context Manager API."""

import re
from collections.abc import Mapping

import pulumi
from pulumi_gcp import accesscontextmanager as acm

from catalog.limits.perimeter import ANY
from components.network.access_levels import network_resource
from components.network.perimeter_arguments import IngressRule, Rule, RuleTo

Names = Mapping[str, pulumi.Output[str]]
"""Full names of access levels by key."""


def ingress_policy(
    rule: IngressRule, levels: Names
) -> acm.ServicePerimeterSpecIngressPolicyArgsDict:
    """Return the policy that lets a call in."""
    source, target = rule["from"], rule["to"]
    return {
        "ingress_from": {
            "identities": source.get("identities"),
            "identity_type": source.get("identity_type"),
            "sources": [
                *(
                    {"access_level": levels.get(key, ANY)}
                    for key in source.get("access_levels", ())
                ),
                *({"resource": f"projects/{number}"} for number in source.get("projects", ())),
                *({"resource": network_resource(each)} for each in source.get("networks", ())),
            ],
        },
        "ingress_to": {"resources": _resources(target), "operations": _operations(target)},
    }


def egress_policy(rule: Rule, levels: Names) -> acm.ServicePerimeterSpecEgressPolicyArgsDict:
    """Return the policy that lets a call out."""
    source, target = rule["from"], rule["to"]
    sources: list[acm.ServicePerimeterSpecEgressPolicyEgressFromSourceArgsDict] = [
        *({"access_level": levels[key]} for key in source.get("access_levels", ())),
        *({"resource": f"projects/{number}"} for number in source.get("projects", ())),
    ]
    return {
        "egress_from": {
            "identities": source.get("identities"),
            "identity_type": source.get("identity_type"),
            "sources": sources,
            "source_restriction": "SOURCE_RESTRICTION_ENABLED" if sources else None,
        },
        "egress_to": {"resources": _resources(target), "operations": _operations(target)},
    }


def _resources(target: RuleTo) -> list[str]:
    projects = target.get("projects", (ANY,))
    return [ANY] if ANY in projects else [f"projects/{number}" for number in projects]


def _operations(
    target: RuleTo,
) -> list[acm.ServicePerimeterSpecIngressPolicyIngressToOperationArgsDict]:
    return [
        # The API takes no methods beside the wildcard for all services.
        {"service_name": ANY}
        if service == ANY
        else {
            "service_name": service,
            "method_selectors": [_selector(service, method) for method in methods],
        }
        for service, methods in target["services"].items()
    ]


def _selector(
    service: str, action: str
) -> acm.ServicePerimeterSpecIngressPolicyIngressToOperationMethodSelectorArgsDict:
    """Tells a permission (bigquery.tables.getData of bigquery.googleapis.com) from a method.

    https://cloud.google.com/vpc-service-controls/docs/supported-method-restrictions
    """
    api = re.escape(service.partition(".")[0])
    if re.fullmatch(rf"{api}\.[A-Za-z]+\.[A-Za-z]+", action):
        return {"permission": action}
    return {"method": action}

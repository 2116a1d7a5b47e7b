"""Access levels in the form of the Access Context Manager API."""

import re
from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp import accesscontextmanager as acm

from components.network.perimeter_arguments import AccessLevel, Condition


def make_access_levels(
    name: str,
    prefix: str,
    policy: pulumi.Input[str],
    levels: Mapping[str, AccessLevel],
    child: pulumi.ResourceOptions,
) -> Mapping[str, pulumi.Output[str]]:
    """Make the levels of a perimeter in a policy of a number; return their full names by key.

    Levels of all perimeters share the names and titles of one policy: theirs begin with `prefix`.
    """
    parent = pulumi.Output.concat("accessPolicies/", policy)
    found: dict[str, pulumi.Output[str]] = {}
    for key, level in levels.items():
        short_name = f"{prefix}_{identifier(key)}"
        found[key] = gcp.accesscontextmanager.AccessLevel(
            f"{name}-{key}",
            parent=parent,
            name=pulumi.Output.concat(parent, "/accessLevels/", short_name),
            title=short_name,
            basic={
                "combining_function": "OR" if level.get("any_of") else "AND",
                "conditions": [_condition(each) for each in level.get("any_of") or (level,)],
            },
            opts=child,
        ).name
    return found


def identifier(text: str) -> str:
    """Return the name nearest to a text that access policies allow."""
    return re.sub(r"[^a-zA-Z0-9]", "_", text)


def network_resource(network: str) -> str:
    """Return what access policies call a network."""
    return f"//compute.googleapis.com/{network}"


def _condition(given: AccessLevel | Condition) -> acm.AccessLevelBasicConditionArgsDict:
    networks = given.get("networks", {})
    return {
        "ip_subnetworks": given.get("ip_subnetworks"),
        "members": given.get("members"),
        "regions": given.get("regions"),
        "vpc_network_sources": [
            {
                "vpc_subnetwork": {
                    "network": network_resource(network),
                    "vpc_ip_subnetworks": list(ranges) or None,
                }
            }
            for network, ranges in networks.items()
        ]
        or None,
    }

"""Edge protection: a Cloud Armor policy in each region, where the config has one."""

import pulumi

from catalog.conventions import PLATFORM
from components.network.armor_rules import Armor
from components.network.regional_security_policy import (
    RegionalSecurityPolicy,
    RegionalSecurityPolicyArgs,
)
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation


def build_edge_protection(
    platform: Platform, foundation: Foundation, region: str
) -> pulumi.Output[str] | None:
    """Make the region's policy and return its name; None where the config has none."""
    settings = platform.edge_protection
    if settings is None:
        return None
    args: RegionalSecurityPolicyArgs = {
        "project": foundation.services.project_for("compute"),
        "region": region,
        "armor": to_args(Armor, settings),
    }
    return RegionalSecurityPolicy(f"{PLATFORM}-{region}", args, foundation.google).policy_name

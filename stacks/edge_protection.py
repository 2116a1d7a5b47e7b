"""Edge protection: a Cloud Armor policy in each region, where the config has one."""

import pulumi

from components.network.regional_security_policy import (
    RegionalSecurityPolicy,
    RegionalSecurityPolicyArgs,
)
from config.platform import Platform
from stacks.foundation import PLATFORM, Foundation


def build_edge_protection(
    platform: Platform, foundation: Foundation, region: str
) -> pulumi.Output[str] | None:
    """Makes the region's policy and gives its name; None where the config has none."""
    settings = platform.edge_protection
    if settings is None:
        return None
    args: RegionalSecurityPolicyArgs = {
        "project": foundation.services.project_for("compute"),
        "region": region,
        "allow": settings.allow,
        "deny": settings.deny,
        "waf": settings.waf,
        "waf_sensitivity": settings.waf_sensitivity,
        "waf_preview": settings.waf_preview,
    }
    if settings.rate_limit is not None:
        args["rate_limit"] = {
            "requests": settings.rate_limit.requests,
            "seconds": settings.rate_limit.seconds,
        }
    return RegionalSecurityPolicy(
        f"{PLATFORM}-{region}", args, pulumi.ResourceOptions(provider=foundation.provider)
    ).policy_name

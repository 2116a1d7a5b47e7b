"""RegionalSecurityPolicy: Cloud Armor before the backends of a region's load balancer.

Owns the policy and its rules. Does not own the backends: an InferencePool or ExternalBackend names
the policy, and the Gateway's controller attaches it.
"""

from typing import TypedDict

import pulumi
import pulumi_gcp as gcp

from components.network.armor_rules import Armor, armor_rules
from components.validation import Problems, component_type, register


class RegionalSecurityPolicyArgs(TypedDict):
    """Arguments of `RegionalSecurityPolicy`."""

    project: pulumi.Input[str]
    """Project id."""
    region: str
    """Region of the load balancer."""
    armor: Armor
    """The rules."""


def validate_regional_security_policy(name: str, args: RegionalSecurityPolicyArgs) -> Problems:
    """Check the plain arguments of a `RegionalSecurityPolicy`."""
    problems = Problems.of(RegionalSecurityPolicyArgs, args)
    problems.check_name(name, "name")
    return problems


class RegionalSecurityPolicy(pulumi.ComponentResource):
    """Makes a regional Cloud Armor policy: refused ranges, WAF rules, then served ranges and rates.

    A regional internal load balancer takes the actions allow, deny and throttle; redirects,
    reCAPTCHA and Adaptive Protection are for global policies. The address it sees of a consumer of
    Private Service Connect is one of the subnet psc_nat: ranges and rates then hold for a
    consumer's endpoint, not for its clients. Preconfigured rules read the first 8 KB of a body as
    JSON, so a prompt about SQL looks like an attack: begin with `waf_preview`.
    https://cloud.google.com/armor/docs/security-policy-overview and
    https://cloud.google.com/armor/docs/waf-rules
    """

    policy_name: pulumi.Output[str]
    """Name of the policy, which backends of the region refer to."""

    def __init__(
        self,
        name: str,
        args: RegionalSecurityPolicyArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(RegionalSecurityPolicy), name, {}, opts)
        validate_regional_security_policy(name, args).raise_if_any(name)
        policy = gcp.compute.RegionSecurityPolicy(
            f"{name}-policy",
            name=name,
            project=args["project"],
            region=args["region"],
            type="CLOUD_ARMOR",
            description=f"Protects the inference gateway of {args['region']}",
            advanced_options_config={"json_parsing": "STANDARD", "log_level": "NORMAL"},
            rules=armor_rules(args["armor"]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.policy_name = policy.name
        register(self)


__all__ = [
    "RegionalSecurityPolicy",
    "RegionalSecurityPolicyArgs",
    "validate_regional_security_policy",
]

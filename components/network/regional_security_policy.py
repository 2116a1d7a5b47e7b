"""RegionalSecurityPolicy: Cloud Armor before the backends of a region's load balancer.

Owns the policy and its rules. Does not own the backends: an InferencePool or ExternalBackend names
the policy, and the Gateway's controller attaches it.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.compute import RegionSecurityPolicyRuleArgsDict as Rule

from components.checks import check_between
from components.validation import Problems, component_type

WAF_RULE_SETS = (
    "java",
    "lfi",
    "methodenforcement",
    "nodejs",
    "php",
    "protocolattack",
    "rce",
    "rfi",
    "scannerdetection",
    "sessionfixation",
    "sqli",
    "xss",
)
"""Preconfigured rules of the OWASP core rule set 3.3."""
INTERVALS = (10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600)
"""Seconds a rate can be counted over."""
RANGES_A_RULE = 10
DENY = "deny(403)"
TOO_MANY = "deny(429)"
FIRST_DENIED, FIRST_WAF, FIRST_ALLOWED, DEFAULT = 1000, 2000, 3000, 2_147_483_647
EVERYBODY = "*"


class RateLimit(TypedDict):
    """A rate for each client address."""

    requests: int
    """Requests."""
    seconds: int
    """Time they are counted over: one of `INTERVALS`."""


class RegionalSecurityPolicyArgs(TypedDict):
    """Arguments of `RegionalSecurityPolicy`."""

    project: pulumi.Input[str]
    """Project id."""
    region: str
    """Region of the load balancer."""
    deny: NotRequired[Sequence[str]]
    """Address ranges that are refused."""
    allow: NotRequired[Sequence[str]]
    """Address ranges that are served, and no others (default: all that are not refused)."""
    rate_limit: NotRequired[RateLimit]
    """Most requests of a client address (default: any number)."""
    waf: NotRequired[Sequence[str]]
    """Preconfigured rules, of `WAF_RULE_SETS` (default none)."""
    waf_sensitivity: NotRequired[int]
    """1 (default; surest findings only) to 4."""
    waf_preview: NotRequired[bool]
    """Log what the preconfigured rules would refuse, and let it pass (default false)."""


def validate_regional_security_policy(name: str, args: RegionalSecurityPolicyArgs) -> Problems:
    """Check the plain arguments of a `RegionalSecurityPolicy`."""
    problems = Problems()
    problems.check_name("name", name)
    for field in ("deny", "allow"):
        for index, block in enumerate(args.get(field, ())):
            problems.check_cidr(f"{field}[{index}]", block, longest_prefix=32)
    for index, rule_set in enumerate(args.get("waf", ())):
        problems.check_one_of(f"waf[{index}]", rule_set, WAF_RULE_SETS)
    check_between(problems, "waf_sensitivity", args.get("waf_sensitivity", 1), 1, 4)
    if "rate_limit" in args:
        limit = args["rate_limit"]
        check_between(problems, "rate_limit.requests", limit["requests"], 1, 10_000, "requests")
        if limit["seconds"] not in INTERVALS:
            allowed = ", ".join(map(str, INTERVALS))
            problems.add(
                "rate_limit.seconds", f"found {limit['seconds']}, allowed: {allowed}; choose one"
            )
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
            rules=_rules(args),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.policy_name = policy.name
        self.register_outputs({"policy_name": self.policy_name})


def _rules(args: RegionalSecurityPolicyArgs) -> list[Rule]:
    allowed = args.get("allow", ())
    return [
        *_by_address(args.get("deny", ()), FIRST_DENIED, {"action": DENY, "priority": 0}),
        *_waf_rules(args),
        *_by_address(
            allowed or ([EVERYBODY] if "rate_limit" in args else []),
            FIRST_ALLOWED,
            _served(args),
        ),
        {
            "action": DENY if allowed else "allow",
            "priority": DEFAULT,
            "match": _addresses([EVERYBODY]),
            "description": "Everything else",
        },
    ]


def _waf_rules(args: RegionalSecurityPolicyArgs) -> list[Rule]:
    sensitivity = args.get("waf_sensitivity", 1)
    return [
        {
            "action": DENY,
            "priority": FIRST_WAF + index,
            "preview": args.get("waf_preview", False),
            "match": {
                "expr": {
                    "expression": f"evaluatePreconfiguredWaf('{rule_set}-v33-stable', "
                    f"{{'sensitivity': {sensitivity}}})"
                }
            },
        }
        for index, rule_set in enumerate(args.get("waf", ()))
    ]


def _served(args: RegionalSecurityPolicyArgs) -> Rule:
    if "rate_limit" not in args:
        return {"action": "allow", "priority": 0}
    limit = args["rate_limit"]
    return {
        "action": "throttle",
        "priority": 0,
        "rate_limit_options": {
            "conform_action": "allow",
            "exceed_action": TOO_MANY,
            "enforce_on_key": "IP",
            "rate_limit_threshold": {"count": limit["requests"], "interval_sec": limit["seconds"]},
        },
    }


def _by_address(ranges: Sequence[str], first: int, rule: Rule) -> list[Rule]:
    # A rule takes ten ranges.
    parts = [ranges[at : at + RANGES_A_RULE] for at in range(0, len(ranges), RANGES_A_RULE)]
    return [
        {**rule, "priority": first + index, "match": _addresses(part)}
        for index, part in enumerate(parts)
    ]


def _addresses(ranges: Sequence[str]) -> gcp.compute.RegionSecurityPolicyRuleMatchArgsDict:
    return {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": list(ranges)}}


__all__ = [
    "RegionalSecurityPolicy",
    "RegionalSecurityPolicyArgs",
    "validate_regional_security_policy",
]

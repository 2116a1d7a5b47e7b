"""Edge protection: who may reach the gateway, how often, and which attacks are refused."""

from typing import Annotated

from catalog.armor import Interval, RuleSet
from catalog.limits import network as limits
from config.fields import Settings

ClientRange = Annotated[str, limits.PRIVATE_RANGE]


class RateLimit(Settings):
    """Most requests of one client address."""

    requests: Annotated[int, limits.RATE_REQUESTS]
    """Requests."""
    seconds: Interval = 60
    """Time they are counted over."""


class EdgeProtection(Settings):
    """A Cloud Armor policy before every model of each region.

    Client addresses are those the load balancer sees: for a consumer of Private Service Connect
    one of the region's psc_nat range.
    """

    allow: tuple[ClientRange, ...] = ()
    """Client ranges that are served, and no others. Default: all not denied."""
    deny: tuple[ClientRange, ...] = ()
    """Client ranges that are refused."""
    rate_limit: RateLimit | None = None
    """Most requests of one client address. Default: any number."""
    waf: tuple[RuleSet, ...] = ()
    """Preconfigured rules against known attacks. Prompts are free text and may look like one:
    begin with waf_preview."""
    waf_sensitivity: Annotated[int, limits.WAF_SENSITIVITY] = limits.WAF_SENSITIVITY.default
    """1: the surest findings only; 4: also the least sure."""
    waf_preview: bool = False
    """Whether the preconfigured rules only log what they'd refuse."""
    with_guardrails: bool = False
    """Whether to use it together with a guardrail, which is reported not to work on the same
    backend service. Set it once you have verified it on your load balancer."""

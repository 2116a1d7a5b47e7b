"""Edge protection: who may reach the gateway, how often, and which attacks are refused."""

from typing import Annotated

from pydantic import Field

from catalog.armor import MOST_REQUESTS, MOST_SENSITIVE, Interval, RuleSet
from config.fields import Range, Settings

ClientRange = Annotated[str, Range(None)]


class RateLimit(Settings):
    """Most requests of one client address."""

    requests: int = Field(ge=1, le=MOST_REQUESTS, description="Requests.")
    seconds: Interval = Field(default=60, description="Time they are counted over.")


class EdgeProtection(Settings):
    """A Cloud Armor policy before every model of each region.

    Client addresses are those the load balancer sees: for a consumer of Private Service Connect
    one of the region's psc_nat range.
    """

    allow: tuple[ClientRange, ...] = Field(
        default=(),
        description="Client ranges that are served, and no others. Default: all not denied.",
    )
    deny: tuple[ClientRange, ...] = Field(default=(), description="Client ranges that are refused.")
    rate_limit: RateLimit | None = Field(
        default=None, description="Most requests of one client address. Default: any number."
    )
    waf: tuple[RuleSet, ...] = Field(
        default=(),
        description="Preconfigured rules against known attacks. Prompts are free text and may look"
        " like one: begin with waf_preview.",
    )
    waf_sensitivity: int = Field(
        default=1,
        ge=1,
        le=MOST_SENSITIVE,
        description="1: the surest findings only; 4: also the least sure.",
    )
    waf_preview: bool = Field(
        default=False, description="Whether the preconfigured rules only log what they'd refuse."
    )
    with_guardrails: bool = Field(
        default=False,
        description="Whether to use it together with a guardrail, which is reported not to work on"
        " the same backend service. Set it once you have verified it on your load balancer.",
    )

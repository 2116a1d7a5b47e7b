"""The gateway: the one address clients send requests to."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from config.certificate import Certificate
from config.fields import Matching, Settings

Hostname = Annotated[
    str,
    Matching(
        r"(?=.{4,64}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+",
        "a lowercase DNS name of at least two labels and at most 64 characters",
        "write it like inference.acme.internal (a certificate's common name ends at 64)",
    ),
]


class Gateway(Settings):
    """The internal HTTPS gateway in each region."""

    hostname: Hostname = Field(
        description="DNS name clients use; consumers get it in a private zone, the certificate is"
        " for it."
    )
    certificate: Certificate = Field(
        default_factory=Certificate, description="The certificate clients are shown."
    )
    regional_names: bool = Field(
        default=False,
        description="Whether each region has a name of its own beside the hostname, such as"
        " us-central1.inference.acme.internal; the certificate is for it too.",
    )
    accept: Literal["project", "network"] = Field(
        default="project",
        description="Whom the service attachments accept: every network of a consumer's project,"
        " or only the consumer's own network.",
    )
    isolated: bool = Field(
        default=False,
        description="Whether pods take connections only from the load balancer's proxies and health"
        " checks, from each other and from the collectors of metrics: network policies that deny"
        " all else.",
    )
    guardrail_timeout_seconds: int = Field(
        default=10,
        ge=1,
        le=10,
        description="Seconds to wait for a guardrail's verdict; the request fails then.",
    )
    request_timeout_seconds: int = Field(
        default=300,
        ge=1,
        le=3600,
        description="Seconds after which a request ends, its streamed answer included.",
    )

    def hostnames(self, regions: Iterable[str]) -> tuple[str, ...]:
        """The names of the gateways of `regions`: the shared one first, then each region's own."""
        own = (f"{region}.{self.hostname}" for region in regions) if self.regional_names else ()
        return (self.hostname, *own)

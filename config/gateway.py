"""The gateway: the one address clients send requests to."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from catalog.limits import inference as limits
from catalog.limits.names import HOSTNAME
from config.certificate import Certificate
from config.fields import Settings

Hostname = Annotated[str, HOSTNAME]


class Gateway(Settings):
    """The internal HTTPS gateway in each region."""

    hostname: Hostname
    """DNS name clients use; consumers get it in a private zone, the certificate is for it."""
    certificate: Certificate = Field(default_factory=Certificate)
    """The certificate clients are shown."""
    regional_names: bool = False
    """Whether each region has a name of its own beside the hostname, such as
    us-central1.inference.acme.internal; the certificate is for it too."""
    accept: Literal["project", "network"] = "project"
    """Whom the service attachments accept: every network of a consumer's project, or only the
    consumer's own network."""
    isolated: bool = False
    """Whether pods take connections only from the load balancer's proxies and health checks,
    from each other and from the collectors of metrics: network policies that deny all else."""
    guardrail_timeout_seconds: Annotated[float, limits.EXTENSION_TIMEOUT_SECONDS] = (
        limits.EXTENSION_TIMEOUT_SECONDS.default
    )
    """Seconds to wait for a guardrail's verdict; the request fails then."""
    request_timeout_seconds: Annotated[int, limits.REQUEST_TIMEOUT_SECONDS] = (
        limits.REQUEST_TIMEOUT_SECONDS.default
    )
    """Seconds after which a request ends, its streamed answer included."""

    def hostnames(self, regions: Iterable[str]) -> tuple[str, ...]:
        """Return the names of the gateways of `regions`: the shared one first, then each
        region's own."""
        own = (f"{region}.{self.hostname}" for region in regions) if self.regional_names else ()
        return (self.hostname, *own)

"""The gateway: the one address clients send requests to."""

from typing import Annotated

from pydantic import Field

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

"""Limits of certificates and of what they are made from."""

from typing import Final, Literal, get_args

from catalog.limits import Choice, Entries, Range, Text
from catalog.limits.names import PROJECT

Tier = Literal["DEVOPS", "ENTERPRISE"]

_YEAR_SECONDS: Final = 365 * 24 * 3600

TIER: Final = Choice(get_args(Tier), default="DEVOPS")
AUTHORITY_SECONDS: Final = Range(
    _YEAR_SECONDS, 30 * _YEAR_SECONDS, "seconds", default=10 * _YEAR_SECONDS
)
"""A root that expires stops every renewal."""
DOMAINS: Final = Entries("the gateway's host name")
ZONE: Final = Text(
    "[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
    "the name of a Cloud DNS zone: lowercase letters, digits or hyphens",
    "`gcloud dns managed-zones list` shows the names",
)
SECRET_VERSION: Final = Text(
    f"projects/{PROJECT}/secrets/[A-Za-z0-9_-]{{1,255}}/versions/[1-9][0-9]*",
    "the full name of a secret version in Secret Manager",
    "write it like projects/acme-secrets/secrets/inference-tls/versions/3; the key"
    " itself never stands here",
)
CERTIFICATE: Final = Text(
    "[a-zA-Z][a-zA-Z0-9_-]{0,63}",
    "the name of a certificate in Certificate Manager",
    "`gcloud certificate-manager certificates list --location REGION` shows the names",
)

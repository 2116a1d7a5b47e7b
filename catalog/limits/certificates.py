"""Limits of certificates and of what they are made from."""

from typing import Final

from catalog.limits import Entries, Text
from catalog.limits.names import PROJECT

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

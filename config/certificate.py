"""The gateway's certificate: who signs it, and what each kind needs."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from catalog.limits import Text
from catalog.limits.names import PROJECT
from config.fields import ProjectId, Settings

ZONE = Text(
    "[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
    "the name of a Cloud DNS zone: lowercase letters, digits or hyphens",
    "`gcloud dns managed-zones list` shows the names",
)
SECRET_VERSION = Text(
    f"projects/{PROJECT}/secrets/[A-Za-z0-9_-]{{1,255}}/versions/[1-9][0-9]*",
    "the full name of a secret version in Secret Manager",
    "write it like projects/acme-secrets/secrets/inference-tls/versions/3; the key"
    " itself never stands here",
)
CERTIFICATE = Text(
    "[a-zA-Z][a-zA-Z0-9_-]{0,63}",
    "the name of a certificate in Certificate Manager",
    "`gcloud certificate-manager certificates list --location REGION` shows the names",
)


class Certificate(Settings):
    """One kind, and the keys of that kind alone."""

    kind: Literal["private", "managed", "self-managed", "existing"] = "private"
    """private: signed by an authority made here, in each region; managed: signed publicly, for
    a name in a public DNS zone; self-managed: your own; existing: one that Certificate Manager
    has already."""
    zone: Annotated[str, ZONE] | None = None
    """Name of the existing public Cloud DNS zone that gets the managed certificate's record.
    Without it the record is an output, to be added by hand."""
    zone_project: ProjectId | None = None
    """Id of the zone's project; default: the platform's."""
    shared_record: bool = False
    """Whether the regions' authorizations of a name ask for one and the same record. The
    documentation doesn't say; set it if an update finds the record there already."""
    chain_file: str | None = Field(default=None, min_length=1)
    """PEM file with your own certificate, then those between it and its root; relative to the
    project's folder."""
    private_key: Annotated[str, SECRET_VERSION] | None = None
    """Full name of the Secret Manager secret version that holds your own certificate's private
    key, PEM."""
    names: Mapping[str, Annotated[str, CERTIFICATE]] = Field(default_factory=dict)
    """Name of the existing certificate by region, and under `global` that of scope ALL_REGIONS
    for consumers with failover."""

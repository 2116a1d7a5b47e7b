"""The gateway's certificate: who signs it, and what each kind needs."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from catalog.limits import certificates as limits
from config.fields import ProjectId, Settings


class Certificate(Settings):
    """One kind, and the keys of that kind alone."""

    kind: Literal["private", "managed", "self-managed", "existing"] = "private"
    """private: signed by an authority made here, in each region; managed: signed publicly, for
    a name in a public DNS zone; self-managed: your own; existing: one that Certificate Manager
    has already."""
    zone: Annotated[str, limits.ZONE] | None = None
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
    private_key: Annotated[str, limits.SECRET_VERSION] | None = None
    """Full name of the Secret Manager secret version that holds your own certificate's private
    key, PEM."""
    names: Mapping[str, Annotated[str, limits.CERTIFICATE]] = Field(default_factory=dict)
    """Name of the existing certificate by region, and under `global` that of scope ALL_REGIONS
    for consumers with failover."""

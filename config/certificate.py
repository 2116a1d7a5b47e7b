"""The gateway's certificate: who signs it, and what each kind needs."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from config.fields import PROJECT_ID, Matching, ProjectId, Settings


class Certificate(Settings):
    """One kind, and the keys of that kind alone."""

    kind: Literal["private", "managed", "self-managed", "existing"] = Field(
        default="private",
        description="private: signed by an authority made here, in each region; managed: signed"
        " publicly, for a name in a public DNS zone; self-managed: your own; existing: one that"
        " Certificate Manager has already.",
    )
    zone: (
        Annotated[
            str,
            Matching(
                "[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
                "the name of a Cloud DNS zone: lowercase letters, digits or hyphens",
                "`gcloud dns managed-zones list` shows the names",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Name of the existing public Cloud DNS zone that gets the managed"
        " certificate's record. Without it the record is an output, to be added by hand.",
    )
    zone_project: ProjectId | None = Field(
        default=None, description="Id of the zone's project; default: the platform's."
    )
    shared_record: bool = Field(
        default=False,
        description="Whether the regions' authorizations of a name ask for one and the same record."
        " The documentation doesn't say; set it if an update finds the record there already.",
    )
    chain_file: str | None = Field(
        default=None,
        min_length=1,
        description="PEM file with your own certificate, then those between it and its root;"
        " relative to the project's folder.",
    )
    private_key: (
        Annotated[
            str,
            Matching(
                f"projects/{PROJECT_ID}/secrets/[A-Za-z0-9_-]{{1,255}}/versions/[1-9][0-9]*",
                "the full name of a secret version in Secret Manager",
                "write it like projects/acme-secrets/secrets/inference-tls/versions/3; the key"
                " itself never stands here",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Full name of the Secret Manager secret version that holds your own"
        " certificate's private key, PEM.",
    )
    names: Mapping[
        str,
        Annotated[
            str,
            Matching(
                "[a-zA-Z][a-zA-Z0-9_-]{0,63}",
                "the name of a certificate in Certificate Manager",
                "`gcloud certificate-manager certificates list --location REGION` shows the names",
            ),
        ],
    ] = Field(
        default_factory=dict,
        description="Name of the existing certificate by region, and under `global` that of scope"
        " ALL_REGIONS for consumers with failover.",
    )

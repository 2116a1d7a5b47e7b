"""Services of the cluster that requests pass: other API managers, other guardrails."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from config.fields import Matching, Settings, label

ClusterImage = Annotated[
    str,
    Matching(
        r"(?:docker\.io|registry\.k8s\.io|[a-z0-9-]+-docker\.pkg\.dev)(?:/[a-z0-9][a-z0-9._-]*)+"
        r"(?:@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:@sha256:[0-9a-f]{64})?)",
        "an image of docker.io, registry.k8s.io or an Artifact Registry, with a tag or digest",
        "nodes reach no other registry: copy it to us-docker.pkg.dev/acme/images/guardrail:1.0",
    ),
]
Cpu = Annotated[
    str, Matching("[1-9][0-9]{0,3}m|[1-9][0-9]?", "an amount of CPU", "write it like 500m")
]
Memory = Annotated[
    str, Matching("[1-9][0-9]{0,5}(?:Mi|Gi)", "an amount of memory", "write it like 2Gi")
]
Variable = Annotated[
    str,
    Matching("[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable", "write it like MODE"),
]


class Callout(Settings):
    """A server that requests pass: run here from an image, or a Service that is there already."""

    image: ClusterImage | None = Field(
        default=None, description="Container image of the server, run in every region."
    )
    service: Annotated[str, label(63, "Kubernetes allows no longer name")] | None = Field(
        default=None,
        description="Name of an existing Service in the gateway's namespace, in every region;"
        " instead of image.",
    )
    port: int = Field(ge=1, le=65535, description="Port of the server.")
    health_port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of the server's gRPC health service. Default: the same port.",
    )
    replicas: int = Field(default=2, ge=1, le=50, description="Replicas in each region.")
    cpu: Cpu = Field(default="500m", description="CPU of one replica.")
    memory: Memory = Field(default="1Gi", description="Memory of one replica.")
    environment: Mapping[Variable, str] = Field(
        default_factory=dict,
        description="Environment variables. No secrets: they would stand in the manifest.",
    )

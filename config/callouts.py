"""Services of the cluster that requests pass: other API managers, other guardrails."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import inference as limits
from catalog.limits.images import CLUSTER_IMAGE
from catalog.limits.names import PORT, RESOURCE_NAME
from config.fields import Settings


class Callout(Settings):
    """A server that requests pass: run here from an image, or a Service that is there already."""

    image: Annotated[str, CLUSTER_IMAGE] | None = None
    """Container image of the server, run in every region."""
    service: Annotated[str, RESOURCE_NAME] | None = None
    """Name of an existing Service in the gateway's namespace, in every region; instead of
    image."""
    port: Annotated[int, PORT]
    """Port of the server."""
    health_port: Annotated[int, PORT] | None = None
    """Port of the server's gRPC health service. Default: the same port."""
    replicas: Annotated[int, limits.CALLOUT_REPLICAS] = limits.CALLOUT_REPLICAS.default
    """Replicas in each region."""
    max_replicas: Annotated[int, limits.CALLOUT_REPLICAS] | None = None
    """Replicas there may be in each region, by the CPU they use. Default: always as many as
    replicas."""
    cpu: Annotated[str, limits.CPU] = limits.CPU.default
    """CPU of one replica."""
    memory: Annotated[str, limits.MEMORY] = limits.MEMORY.default
    """Memory of one replica."""
    environment: Mapping[Annotated[str, limits.VARIABLE], str] = Field(default_factory=dict)
    """Environment variables. No secrets: they would stand in the manifest."""

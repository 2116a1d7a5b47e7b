"""Vertex AI: models of Model Garden on private endpoints, beside those on GKE."""

from typing import Annotated

from catalog.limits import vertex as limits
from config.fields import Settings

EndpointName = Annotated[str, limits.ENDPOINT_NAME]


class VertexEndpoint(Settings):
    """A model that Vertex AI runs, reached at an address of the platform's network."""

    region: str
    """Region of the endpoint."""
    model: Annotated[str, limits.MODEL]
    """Model to deploy."""
    machine_type: Annotated[str, limits.MACHINE_TYPE]
    """Machine type of a replica."""
    min_replicas: Annotated[int, limits.MIN_REPLICAS] = limits.MIN_REPLICAS.default
    """Replicas that always run: it never scales to zero."""
    max_replicas: Annotated[int, limits.MAX_REPLICAS] = limits.MAX_REPLICAS.default
    """Replicas at most."""
    duty_cycle_percent: Annotated[int, limits.DUTY_CYCLE_PERCENT] = (
        limits.DUTY_CYCLE_PERCENT.default
    )
    """How busy GPUs are, in percent, before a replica is added."""
    spot: bool = False
    """Whether replicas run on spot VMs, which may go at any time."""
    accept_eula: bool = False
    """Whether the model's licence is accepted, where it has one."""

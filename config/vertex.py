"""Vertex AI: models of Model Garden on private endpoints, beside those on GKE."""

from typing import Annotated

from pydantic import Field

from catalog.limits.gpu_pools import MACHINE_TYPE
from config.fields import Matching, Settings, label

EndpointName = Annotated[str, label(30, "it is the name of the endpoint and its model")]


class VertexEndpoint(Settings):
    """A model that Vertex AI runs, reached at an address of the platform's network."""

    region: str = Field(description="Region of the endpoint.")
    model: Annotated[
        str,
        Matching(
            r"publishers/[^/@\s]+/models/[^/@\s]+@[^/@\s]+"
            r"|[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*",
            "a model of Model Garden, publishers/<publisher>/models/<model>@<version>, or of"
            " Hugging Face, <author>/<model>",
            "`gcloud ai model-garden models list` shows them",
        ),
    ] = Field(description="Model to deploy.")
    machine_type: Annotated[
        str,
        MACHINE_TYPE,
    ] = Field(description="Machine type of a replica.")
    min_replicas: int = Field(
        default=1, ge=1, le=100, description="Replicas that always run: it never scales to zero."
    )
    max_replicas: int = Field(default=1, ge=1, le=100, description="Replicas at most.")
    duty_cycle_percent: int = Field(
        default=60,
        ge=1,
        le=100,
        description="How busy GPUs are, in percent, before a replica is added.",
    )
    spot: bool = Field(
        default=False, description="Whether replicas run on spot VMs, which may go at any time."
    )
    accept_eula: bool = Field(
        default=False, description="Whether the model's licence is accepted, where it has one."
    )

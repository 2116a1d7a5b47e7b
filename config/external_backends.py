"""External backends: where a model is served outside the cluster."""

from typing import Annotated

from catalog.limits import inference as limits
from catalog.limits.names import DNS_NAME, PUBLIC_NAME
from config.fields import Settings
from config.network import ExistingRegion


class VertexAi(Settings):
    """Vertex AI, by its OpenAI-compatible API."""

    endpoint: Annotated[str, limits.ENDPOINT] = limits.OPENAPI
    """Id of an endpoint a model is deployed to. Default: 'openapi', the models of Model Garden
    that need none; clients then send names such as google/gemini-2.5-flash."""
    region: ExistingRegion | None = None
    """Region of Vertex AI. Default: each region's own."""
    host: Annotated[str, DNS_NAME] | None = None
    """DNS name of a dedicated endpoint. Default: the region's API endpoint."""


class HttpsServer(Settings):
    """Another server with the OpenAI API, that asks for no credentials."""

    host: Annotated[str, PUBLIC_NAME]
    """DNS name; its certificate is from a public authority."""
    port: Annotated[int, limits.HTTPS_PORT] = limits.HTTPS_PORT.default
    """Port."""
    path: Annotated[str, limits.HTTPS_PATH] = limits.HTTPS_PATH.default
    """What stands there for /v1 of the gateway."""


class ExternalBackend(Settings):
    """A share of a model's requests that is answered outside the cluster."""

    name: Annotated[str, limits.BACKEND_NAME]
    """Name of the backend within the model, unlike its replica sets'."""
    weight: Annotated[int, limits.WEIGHT] = limits.WEIGHT.default
    """Percent of the model's requests, together with its replica sets' 100."""
    vertex_ai: VertexAi | None = None
    """Vertex AI in this project. Give this or https."""
    https: HttpsServer | None = None
    """Any other server. Give this or vertex_ai."""

    @property
    def has_weight(self) -> bool:
        """Whether the weight was given, not the default."""
        return "weight" in self.model_fields_set

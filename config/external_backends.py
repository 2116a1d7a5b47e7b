"""External backends: where a model is served outside the cluster."""

from typing import Annotated

from pydantic import Field

from config.fields import Matching, Settings, label
from config.gateway import Hostname
from config.network import ExistingRegion

OPENAPI = "openapi"

EndpointId = Annotated[
    str,
    Matching(
        f"{OPENAPI}|[0-9]{{1,20}}",
        f"'{OPENAPI}' or an endpoint's id in digits, in quotes",
        "`gcloud ai endpoints list` shows the ids",
    ),
]
Path = Annotated[
    str,
    Matching(
        "(?:/[A-Za-z0-9._~-]+)+",
        "an absolute path without a slash at the end",
        "write it like /v1",
    ),
]


class VertexAi(Settings):
    """Vertex AI, by its OpenAI-compatible API."""

    endpoint: EndpointId = Field(
        default=OPENAPI,
        description="Id of an endpoint a model is deployed to. Default: 'openapi', the models of"
        " Model Garden that need none; clients then send names such as google/gemini-2.5-flash.",
    )
    region: ExistingRegion | None = Field(
        default=None, description="Region of Vertex AI. Default: each region's own."
    )
    host: Hostname | None = Field(
        default=None,
        description="DNS name of a dedicated endpoint. Default: the region's API endpoint.",
    )


class HttpsServer(Settings):
    """Another server with the OpenAI API, that asks for no credentials."""

    host: Hostname = Field(description="DNS name; its certificate is from a public authority.")
    port: int = Field(default=443, ge=1, le=65535, description="Port.")
    path: Path = Field(default="/v1", description="What stands there for /v1 of the gateway.")


class ExternalBackend(Settings):
    """A share of a model's requests that is answered outside the cluster."""

    name: Annotated[str, label(23, "it becomes part of Kubernetes names")] = Field(
        description="Name of the backend within the model, unlike its replica sets'."
    )
    weight: int = Field(
        default=100,
        ge=0,
        le=100,
        description="Percent of the model's requests, together with its replica sets' 100.",
    )
    vertex_ai: VertexAi | None = Field(
        default=None, description="Vertex AI in this project. Give this or https."
    )
    https: HttpsServer | None = Field(
        default=None, description="Any other server. Give this or vertex_ai."
    )

    @property
    def has_weight(self) -> bool:
        """Whether the weight was given, not the default."""
        return "weight" in self.model_fields_set

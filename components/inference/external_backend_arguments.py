"""Arguments of ExternalBackend, and what is allowed in them."""

from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import inference as limits
from catalog.limits.images import IMAGE
from catalog.limits.names import DNS_NAME
from components.names import dns_label
from components.validation import Problems


class VertexAi(TypedDict):
    """An endpoint of Vertex AI."""

    region: str
    """Its region."""
    endpoint: NotRequired[Annotated[str, limits.ENDPOINT]]
    """Id of an endpoint that a model is deployed to (default openapi: models that need none)."""
    host: NotRequired[Annotated[str, DNS_NAME]]
    """DNS name of a dedicated endpoint (default: the region's API endpoint)."""


class HttpsServer(TypedDict):
    """A server that asks for no credentials."""

    host: Annotated[str, DNS_NAME]
    """DNS name, for which it has a certificate of a public authority."""
    port: NotRequired[Annotated[int, limits.HTTPS_PORT]]
    """Port."""
    path: NotRequired[Annotated[str, limits.HTTPS_PATH]]
    """What stands there for `/v1`."""


class ExternalBackendArgs(TypedDict):
    """Arguments of `ExternalBackend`: give `vertex_ai` or `https`."""

    project: pulumi.Input[str]
    """Project id."""
    project_number: pulumi.Input[str]
    """Project number, of the project that owns the workload pool."""
    workload_pool: pulumi.Input[str]
    """Workload identity pool of the cluster: `PROJECT_ID.svc.id.goog`."""
    namespace: pulumi.Input[str]
    """Kubernetes namespace of the Gateway."""
    vertex_ai: NotRequired[VertexAi]
    """Vertex AI in this project."""
    https: NotRequired[HttpsServer]
    """Any other server with the OpenAI API."""
    image: NotRequired[Annotated[pulumi.Input[str], IMAGE]]
    """Container image of Envoy (default: the catalog's)."""
    request_timeout_seconds: NotRequired[Annotated[int, limits.REQUEST_TIMEOUT_SECONDS]]
    """Longest answer."""
    security_policy: NotRequired[pulumi.Input[str]]
    """Name of a Cloud Armor policy of the region (default none)."""


def validate_external_backend(name: str, args: ExternalBackendArgs) -> Problems:
    """Check the plain arguments of an `ExternalBackend`."""
    problems = Problems.of(ExternalBackendArgs, args)
    problems.check_name(dns_label(name), "name")
    given = [kind for kind in ("vertex_ai", "https") if kind in args]
    if len(given) != 1:
        problems.add(
            "vertex_ai",
            f"found {' and '.join(given) or 'neither vertex_ai nor https'}; allowed: one of "
            "vertex_ai and https; say where requests shall go",
        )
    return problems

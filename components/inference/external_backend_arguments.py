"""Arguments of ExternalBackend, and what is allowed in them."""

import re
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from components.checks import check_between, check_labels
from components.inference.inference_gateway_arguments import (
    LONGEST_TIMEOUT_SECONDS,
)
from components.names import dns_label
from components.network.https import HTTPS_PORT
from components.validation import Problems

OPENAPI = "openapi"
"""The endpoint of Vertex AI's own and its partners' models, which needs no deployment."""

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_ENDPOINT = re.compile(rf"{OPENAPI}|[0-9]{{1,20}}")


class VertexAi(TypedDict):
    """An endpoint of Vertex AI."""

    region: str
    """Its region."""
    endpoint: NotRequired[str]
    """Id of an endpoint that a model is deployed to (default openapi: models that need none)."""
    host: NotRequired[str]
    """DNS name of a dedicated endpoint (default: the region's API endpoint)."""


class HttpsServer(TypedDict):
    """A server that asks for no credentials."""

    host: str
    """DNS name, for which it has a certificate of a public authority."""
    port: NotRequired[int]
    """Port (default 443)."""
    path: NotRequired[str]
    """What stands there for `/v1` (default /v1)."""


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
    image: NotRequired[pulumi.Input[str]]
    """Container image of Envoy (default: the catalog's)."""
    request_timeout_seconds: NotRequired[int]
    """Longest answer in seconds (default 300)."""
    security_policy: NotRequired[pulumi.Input[str]]
    """Name of a Cloud Armor policy of the region (default none)."""
    labels: NotRequired[Mapping[str, str]]
    """Kubernetes labels."""


def validate_external_backend(name: str, args: ExternalBackendArgs) -> Problems:
    """Check the plain arguments of an `ExternalBackend`."""
    problems = Problems()
    problems.check_name("name", dns_label(name))
    given = [kind for kind in ("vertex_ai", "https") if kind in args]
    if len(given) != 1:
        problems.add(
            "vertex_ai",
            f"found {' and '.join(given) or 'neither vertex_ai nor https'}, allowed: one of "
            "vertex_ai and https; say where requests shall go",
        )
    if "vertex_ai" in args:
        _check_vertex_ai(problems, args["vertex_ai"])
    if "https" in args:
        _check_https(problems, args["https"])
    check_between(
        problems,
        "request_timeout_seconds",
        args.get("request_timeout_seconds", 1),
        1,
        LONGEST_TIMEOUT_SECONDS,
        "seconds",
    )
    check_labels(problems, "labels", args.get("labels", {}))
    return problems


def _check_vertex_ai(problems: Problems, vertex_ai: VertexAi) -> None:
    endpoint = vertex_ai.get("endpoint", OPENAPI)
    if not _ENDPOINT.fullmatch(endpoint):
        problems.add(
            "vertex_ai.endpoint",
            f"found {endpoint!r}, allowed: {OPENAPI}, or an endpoint's id in digits; "
            "`gcloud ai endpoints list` shows the ids",
        )
    _check_host(problems, "vertex_ai.host", vertex_ai.get("host", "a.b"))


def _check_https(problems: Problems, https: HttpsServer) -> None:
    _check_host(problems, "https.host", https["host"])
    check_between(problems, "https.port", https.get("port", HTTPS_PORT), 1, 65535)
    path = https.get("path", "/v1")
    if not _PATH.fullmatch(path):
        problems.add(
            "https.path",
            f"found {path!r}, allowed: an absolute path without a slash at the end, such as /v1",
        )


def _check_host(problems: Problems, path: str, host: str) -> None:
    if not _HOST.fullmatch(host):
        problems.add(
            path,
            f"found {host!r}, allowed: a host name with a domain, in lowercase; give the name "
            "the server's certificate has",
        )

"""What a service in the chain of a Gateway's traffic extension is, as its owner gives it.

Fields: https://cloud.google.com/kubernetes-engine/docs/how-to/configure-gke-service-extensions
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, NotRequired, TypedDict

import pulumi

from catalog.limits.inference import EXTENSION_TIMEOUT_SECONDS
from catalog.limits.names import RESOURCE_NAME
from components.inference.custom_resources import APIGEE_BACKEND_SERVICE, SERVICE
from components.network.https import HTTPS_PORT
from components.validation import Problems

EVENTS: Final = (
    "RequestHeaders",
    "RequestBody",
    "RequestTrailers",
    "ResponseHeaders",
    "ResponseBody",
    "ResponseTrailers",
)
"""Everything of a request and of its response."""
BACKENDS: Final = ("google_api", "service", "apigee_backend")


class ServiceBackend(TypedDict):
    """A Service of the Gateway's namespace that answers the ext_proc protocol of Envoy."""

    name: pulumi.Input[str]
    """Name of the Service, known once it answers."""
    port: int
    """Port of the Service; its appProtocol is HTTP2."""


class Extension(TypedDict):
    """A service that sees requests and responses, and may change or refuse them."""

    name: Annotated[str, RESOURCE_NAME]
    """Name within the chain."""
    google_api: NotRequired[str]
    """Host name of a Google API that is called. One of this, `service` and `apigee_backend`."""
    service: NotRequired[ServiceBackend]
    """A Service of the cluster that is called."""
    apigee_backend: NotRequired[pulumi.Input[str]]
    """Name of the ApigeeBackendService that is called."""
    whole_bodies: NotRequired[bool]
    """Bodies are held back until the service has them whole, so that nothing of a long prompt
    passes unseen (default false: chunk by chunk)."""
    fail_open: NotRequired[bool]
    """Without an answer, let requests and responses pass (default false)."""
    timeout_seconds: NotRequired[Annotated[float, EXTENSION_TIMEOUT_SECONDS]]
    """Longest wait for an answer."""
    metadata: NotRequired[pulumi.Input[Mapping[str, str]]]
    """What the service is told with each request."""


def check_extension(problems: Problems, path: str, extension: Extension) -> None:
    """Note what a load balancer refuses in an extension."""
    given = [key for key in BACKENDS if key in extension]
    if len(given) != 1:
        problems.add(
            path,
            f"found {' and '.join(given) or 'no backend'}; allowed: one of {', '.join(BACKENDS)}",
        )


def extension_spec(extension: Extension) -> dict[str, Any]:
    """Return an extension as a GCPTrafficExtension has it. Closed on failure unless it says so."""
    seconds = extension.get("timeout_seconds", EXTENSION_TIMEOUT_SECONDS.default)
    spec: dict[str, Any] = {
        "name": extension["name"],
        "timeout": f"{seconds}s" if isinstance(seconds, int) else f"{round(seconds * 1000)}ms",
        "failOpen": extension.get("fail_open", False),
        "supportedEvents": list(EVENTS),
    }
    if "google_api" in extension:
        spec["googleAPIServiceName"] = extension["google_api"]
    if "service" in extension:
        service = extension["service"]
        # A Service needs an authority: the host name its calls are for. Any will do.
        spec["authority"] = service["name"]
        spec["backendRef"] = {
            "group": "",
            "kind": SERVICE.kind,
            "name": service["name"],
            "port": service["port"],
        }
    if "apigee_backend" in extension:
        reference = APIGEE_BACKEND_SERVICE.reference(extension["apigee_backend"])
        spec["backendRef"] = {**reference, "port": HTTPS_PORT}
    if extension.get("whole_bodies", False):
        spec["requestBodySendMode"] = spec["responseBodySendMode"] = "FullDuplexStreamed"
    if "metadata" in extension:
        spec["metadata"] = extension["metadata"]
    return spec

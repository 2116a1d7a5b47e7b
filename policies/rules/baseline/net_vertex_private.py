"""An endpoint on Vertex AI is reached privately only."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, UNKNOWN, flag, get
from resources.resource import Resource

_PSC: Final = ("privateServiceConnectConfig", "enablePrivateServiceConnect")
# Type token: the block that holds the endpoint's settings.
_ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:vertex/aiEndpoint:AiEndpoint": (),
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": (
        "endpointConfig",
    ),
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint": (),
}
_PEERED: Final = (
    "gcp:vertex/aiEndpoint:AiEndpoint",
    "gcp:vertex/aiIndexEndpoint:AiIndexEndpoint",
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    endpoint = _ENDPOINTS[resource.type]
    # A network that is not known yet is wired from another resource.
    peered = resource.type in _PEERED and get(resource.props, "network") not in (MISSING, "")
    if flag(resource.props, *endpoint, *_PSC) is not True and not peered:
        yield "is reached by its public name"
    if resource.type in _PEERED[1:] and flag(resource.props, "publicEndpointEnabled") in (
        True,
        UNKNOWN,
    ):
        yield "publicEndpointEnabled is not false"


RULE: Final = ResourceRule(
    id="net-vertex-private",
    display_name="Vertex AI endpoints are private",
    description=(
        "A Vertex AI endpoint is reached by Private Service Connect or a peered network, not by "
        "its public name."
    ),
    why="A public endpoint serves prompts and answers past the perimeter and the guardrails.",
    remediation=(
        "set privateServiceConnectConfig.enablePrivateServiceConnect, and leave "
        "publicEndpointEnabled out."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vertex-ai/docs/predictions/private-service-connect",
    references=(
        Reference("checkov", "CKV2_GCP_33"),
        Reference("checkov", "CKV2_GCP_34"),
    ),
    applies=lambda resource_type: resource_type in _ENDPOINTS,
    check=_check,
)

"""The API server knows whom it asks for an API of the cluster."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import flag, text
from resources.resource import Resource

_KIND: Final = "apiregistration.k8s.io/APIService"
# The adapter of Google's metrics makes a certificate of its own at every start.
_METRICS: Final = (
    "v1beta1.custom.metrics.k8s.io",
    "v1beta2.custom.metrics.k8s.io",
    "v1beta1.external.metrics.k8s.io",
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    for each in objects(resource.type, resource.props):
        unchecked = flag(each, "spec", "insecureSkipTLSVerify") is True
        if unchecked and text(each, "metadata", "name") not in limits.names("unverified"):
            yield "is served by whoever answers: insecureSkipTLSVerify is true"


RULE: Final = ResourceRule(
    id="net-api-service-tls",
    display_name="APIs of the cluster are verified",
    description=(
        "The certificate of an API that the API server hands on is verified, unless the API may "
        "go without by name."
    ),
    why="Whoever answers in its place sees the tokens of its callers and answers as it likes.",
    remediation="set caBundle and leave insecureSkipTLSVerify out.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/",
    limits=(NamesLimit("unverified", "APIs whose certificate is not verified", default=_METRICS),),
    applies=lambda resource_type: kind_of(resource_type) == _KIND,
    check=_check,
)

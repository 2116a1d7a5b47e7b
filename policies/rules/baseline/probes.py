"""Traffic goes to containers that answer."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import Severity

from policies.rules.config import Limits
from policies.rules.peek import MISSING, Absence, entries, number, peek
from policies.rules.pods import containers
from policies.rules.rule import Reference, Resource, ResourceRule

_GROUPS: Final = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
_SERVING: Final = (
    "kubernetes:apps/v1:Deployment",
    "kubernetes:apps/v1:StatefulSet",
    "kubernetes:apps/v1:DaemonSet",
    _GROUPS,
)
_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_GPU: Final = ("resources", "limits", "nvidia.com/gpu")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _SERVICE:
        found = entries(resource.props, "template", "containers")
        known = found if isinstance(found, tuple) else ()
        for index, container in enumerate(known):
            # Only the container with a port gets the requests.
            serves = peek(container, "ports") is not MISSING or len(known) == 1
            if serves and peek(container, "startupProbe") is MISSING:
                yield f"containers[{index}] has no startupProbe"
        return
    for where, container in containers(resource.type, resource.props):
        if where.startswith("init") or isinstance(container, Absence):
            continue
        # Workers of a group answer nobody: their leader does.
        if resource.type == _GROUPS and peek(container, "ports") is MISSING:
            continue
        needed = ["readinessProbe", "livenessProbe"]
        if number(container, *_GPU) not in (MISSING, 0):
            needed.append("startupProbe")
        for probe in needed:
            if peek(container, probe) is MISSING:
                yield f"{where} has no {probe}"


RULE: Final = ResourceRule(
    id="rel-probes",
    display_name="Containers are probed",
    description=(
        "Containers that serve have readiness and liveness probes, those with GPUs and on Cloud "
        "Run a startup probe."
    ),
    why=(
        "Traffic would go to a model that is still loading, and a hung process would keep its "
        "place."
    ),
    remediation="set readinessProbe, livenessProbe and startupProbe.",
    severity=Severity.MEDIUM,
    url="https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
    references=(
        Reference("checkov", "CKV_K8S_8"),
        Reference("checkov", "CKV_K8S_9"),
    ),
    applies=lambda resource_type: resource_type in _SERVING or resource_type == _SERVICE,
    check=_check,
)

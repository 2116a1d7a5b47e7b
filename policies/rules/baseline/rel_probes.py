"""Traffic goes to containers that answer."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.kubernetes import is_patch, kind_of
from resources.pods import containers
from resources.properties import MISSING, UNKNOWN, entries, get
from resources.quantities import accelerators
from resources.resource import Resource

_GROUPS: Final = "leaderworkerset.x-k8s.io/LeaderWorkerSet"
_SERVING: Final = (
    "apps/DaemonSet",
    "apps/Deployment",
    "apps/StatefulSet",
    "core/ReplicationController",
    _GROUPS,
)
# Services of Cloud Run, and where their containers stand.
_SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "gcp:cloudrun/service:Service": ("template", "spec", "containers"),
    "gcp:cloudrunv2/service:Service": ("template", "containers"),
}


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type in _SERVICES:
        found = entries(resource.props, *_SERVICES[resource.type])
        if found is UNKNOWN:
            yield "containers are not known during preview"
        known = found if isinstance(found, tuple) else ()
        for index, container in enumerate(known):
            # Only the container with a port gets the requests.
            serves = get(container, "ports") is not MISSING or len(known) == 1
            if serves and get(container, "startupProbe") is MISSING:
                yield f"containers[{index}] has no startupProbe"
        return
    for where, container in containers(resource.type, resource.props):
        if not where.startswith("containers"):
            continue
        if container is UNKNOWN:
            yield f"{where} is not known during preview"
            continue
        # Workers of a group answer nobody: their leader does.
        if kind_of(resource.type) == _GROUPS and get(container, "ports") is MISSING:
            continue
        needed = ["readinessProbe", "livenessProbe"]
        if accelerators(container) not in (MISSING, 0):
            needed.append("startupProbe")
        for probe in needed:
            if get(container, probe) is MISSING:
                yield f"{where} has no {probe}"


def _applies(token: str) -> bool:
    return token in _SERVICES or (kind_of(token) in _SERVING and not is_patch(token))


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
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
    references=(
        Reference("checkov", "CKV_K8S_8"),
        Reference("checkov", "CKV_K8S_9"),
    ),
    applies=_applies,
    check=_check,
)

"""No workload asks for more replicas than a cap."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.multipliers import CLAIMS, KNATIVE, KUBERNETES, QUEUES, counted
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import EACH, MISSING, UNKNOWN, all_at, number, show, text
from resources.resource import Resource

# The requests of a claim of devices, by each version of the API.
_REQUESTS: Final = tuple(
    (*place, "devices", "requests", EACH, *path)
    for place in (("spec",), ("spec", "spec"))
    for path in ((), ("exactly",), ("firstAvailable", EACH))
)
# Interfaces of the network, of which a pod takes those of its node.
_NETWORK: Final = re.compile(r"(.*[.-])?(m?rdma|netdev|nic|network)([.-].*)?")


def _boundless(claim: object) -> bool:
    """Return whether a claim takes whatever devices there are."""
    return any(
        text(request, "allocationMode") == "All"
        and not _NETWORK.fullmatch(str(text(request, "deviceClassName")))
        for path in _REQUESTS
        for request in all_at(claim, path)
    )


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxReplicas")
    for each in objects(resource.type, resource.props):
        found = [number(value) for value in counted(kind_of(resource.type), each)]
        if kind_of(resource.type) in KNATIVE and not any(
            each not in (MISSING, 0) for each in found
        ):
            yield f"has no max-scale, so its replicas have no bound, allowed {show(cap)}"
        if kind_of(resource.type) in CLAIMS and _boundless(each):
            yield f"takes every device that fits, allowed {show(cap)}"
        for replicas in found:
            if replicas is UNKNOWN:
                yield f"its number of replicas is not known during preview, allowed {show(cap)}"
            elif isinstance(replicas, float) and replicas > cap:
                yield f"asks for {show(replicas, 'replica')}, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-deploy-replicas",
    display_name="Replicas are capped",
    description=(
        "A workload, job, cluster of workers or claim of devices asks for no more than the cap."
    ),
    why="Each replica takes room on nodes, and with GPUs a node of its own.",
    remediation="set spec.replicas to a plain number within the cap.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://open-policy-agent.github.io/gatekeeper-library/website/validation/replicalimits/",
    limits=(NumberLimit("maxReplicas", "Most replicas of one workload"),),
    applies=lambda resource_type: kind_of(resource_type) in (*KUBERNETES, *KNATIVE, *QUEUES),
    check=_check,
)

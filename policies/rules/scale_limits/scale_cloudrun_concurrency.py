"""A Cloud Run instance takes a stated number of requests at once."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NumberLimit
from policies.shared.rule import ResourceRule
from resources.gpus import gpu_demand
from resources.properties import Absence, number, show
from resources.resource import Resource


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    cap = limits.number("maxGpuRequests" if gpu_demand(resource) else "maxRequests")
    found = number(resource.props, "template", "maxInstanceRequestConcurrency")
    if isinstance(found, Absence) or found == 0:
        state = found.value if isinstance(found, Absence) else "not set"
        yield f"its maxInstanceRequestConcurrency is {state}, allowed {show(cap)}"
    elif found > cap:
        yield f"takes {show(found, 'request')} at once, allowed {show(cap)}"


RULE: Final = ResourceRule(
    id="scale-cloudrun-concurrency",
    display_name="Cloud Run concurrency is stated",
    description=(
        "A Cloud Run service states how many requests an instance takes at once, fewer with a GPU."
    ),
    why=(
        "The default of 80 fits neither a model server nor a heavy handler: requests wait or "
        "memory runs out."
    ),
    remediation="set template.maxInstanceRequestConcurrency to a plain number within the cap.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/run/docs/configuring/concurrency",
    limits=(
        NumberLimit("maxRequests", "Most requests at once of an instance without GPU", default=250),
        NumberLimit("maxGpuRequests", "Most requests at once of an instance with GPU", default=16),
    ),
    applies=lambda resource_type: resource_type == "gcp:cloudrunv2/service:Service",
    check=_check,
)

"""No pod fills the disk of its node."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.pods import containers, makes_pods, pod_specs
from resources.properties import MISSING, elements, get, is_mapping, text
from resources.resource import Resource


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for where, container in containers(resource.type, resource.props):
        if get(container, "resources", "limits", "ephemeral-storage") is MISSING:
            yield f"{where} has no limit of ephemeral-storage"
    for spec in pod_specs(resource.type, resource.props):
        for index, volume in enumerate(elements(spec, "volumes")):
            empty = get(volume, "emptyDir")
            # What is in memory is within the limits of memory.
            of_disk = is_mapping(empty) and text(empty, "medium") in (MISSING, "")
            if of_disk and get(empty, "sizeLimit") is MISSING:
                yield f"volumes[{index}] is an emptyDir without a sizeLimit"


RULE: Final = ResourceRule(
    id="scale-disk-bounded",
    display_name="Pods bound their disk",
    description="Every container limits its ephemeral storage, and every emptyDir its size.",
    why="A pod that fills the disk has all pods of its node evicted.",
    remediation="set resources.limits.ephemeral-storage and emptyDir.sizeLimit.",
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://kubernetes.io/docs/concepts/storage/ephemeral-storage/",
    applies=makes_pods,
    check=_check,
)

"""What costs money says for whom."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import Reference, StackFinding, StackRule
from resources.properties import UNKNOWN, get, is_mapping
from resources.resource import Resource

_PROVIDER: Final = "pulumi:providers:gcp"
_LABELS: Final = ("labels", "resourceLabels", "userLabels", "effectiveLabels", "pulumiLabels")
# What is billed by itself and takes labels.
BILLED: Final = (
    "gcp:artifactregistry/repository:Repository",
    "gcp:bigquery/dataset:Dataset",
    "gcp:bigquery/table:Table",
    "gcp:cloudrunv2/job:Job",
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:compute/disk:Disk",
    "gcp:compute/instance:Instance",
    "gcp:container/cluster:Cluster",
    "gcp:pubsub/subscription:Subscription",
    "gcp:pubsub/topic:Topic",
    "gcp:secretmanager/secret:Secret",
    "gcp:storage/bucket:Bucket",
    "gcp:workbench/instance:Instance",
)


def _keys(value: object) -> frozenset[str]:
    """Return the labels of a map, also where it is written as JSON, as in a provider's inputs."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return frozenset()
    return frozenset(str(key) for key in value) if is_mapping(value) else frozenset()


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    required = frozenset(limits.names("requiredLabels"))
    defaults = [
        _keys(get(each.props, "defaultLabels")) for each in resources if each.type == _PROVIDER
    ]
    named = {key for keys in defaults for key in keys}
    everywhere = {key for key in named if all(key in keys for keys in defaults)}
    for each in resources:
        if each.type not in BILLED:
            continue
        own = {key for name in _LABELS for key in _keys(get(each.props, name))}
        if any(get(each.props, name) is UNKNOWN for name in _LABELS):
            continue
        if lacking := sorted(required - everywhere - own):
            yield StackFinding(f"lacks the labels {', '.join(lacking)}", each)


RULE: Final = StackRule(
    id="cost-labels",
    display_name="Resources carry cost labels",
    description=(
        "Every resource that takes labels has the required ones, its own or the provider's "
        "default labels."
    ),
    why="A bill that cannot be split by environment and platform tells nobody what to turn off.",
    remediation="set defaultLabels on the provider, or labels on the resource.",
    severity=Severity.LOW,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/resource-manager/docs/best-practices-labels",
    references=(Reference("checkov", "CKV_GCP_21"),),
    limits=(
        NamesLimit(
            "requiredLabels",
            "Labels every billed resource must have",
            default=(
                "environment",
                "platform",
            ),
        ),
    ),
    check=_check,
)

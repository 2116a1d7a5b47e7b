"""What the API server checks beyond types: selectors that fit their pods."""

from collections.abc import Iterator
from typing import Final

from sandbox.check import Failure
from sandbox.kubernetes.objects import Kind
from sandbox.values import Unknown, Values, as_map

_WORKLOADS: Final = frozenset({"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"})


def selector_failures(kind: Kind, inputs: Values) -> Iterator[Failure]:
    """Yield a workload whose selector is empty or does not match its own pods."""
    spec, path = as_map(inputs.get("spec")), "spec.selector"
    selector = spec.get("selector")
    if kind.group != "apps" or kind.name not in _WORKLOADS or isinstance(selector, Unknown):
        return
    wanted = as_map(selector).get("matchLabels")
    template = spec.get("template")
    metadata = as_map(template).get("metadata")
    labels = as_map(metadata).get("labels")
    if any(isinstance(part, Unknown) for part in (wanted, template, metadata, labels)):
        return
    if not wanted and not as_map(selector).get("matchExpressions"):
        yield Failure(path, f"empty selector is invalid for {kind.name} ({kind.token})")
    for key, value in as_map(wanted).items():
        found = as_map(labels).get(key)
        if not isinstance(value, Unknown) and not isinstance(found, Unknown) and found != value:
            yield Failure(
                f"{path}.matchLabels.{key}",
                f"`selector` does not match template `labels` of {kind.token}: '{key}' is "
                f"'{value}' in the selector and '{found}' in the template",
            )

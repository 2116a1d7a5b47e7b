"""Checks names and labels against what the cloud accepts."""

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.check import Failure
from sandbox.gcp.rows import name_patterns
from sandbox.kubernetes.known import known, row
from sandbox.kubernetes.objects import RELEASE, Kind, name_holder
from sandbox.values import Values, as_map

# https://cloud.google.com/resource-manager/docs/labels-overview
_GOOGLE_LABELS: Final = {"key": "[a-z][-a-z0-9_]{0,62}", "value": "[-a-z0-9_]{0,63}"}


def google_names(token: str, inputs: Values) -> Iterator[Failure]:
    """Yield every name or label of a Google Cloud resource that its API would refuse."""
    for name, regex in name_patterns(token).items():
        yield from _unfit(token, name, inputs.get(name), regex)
    if "labels" in inputs and not token.startswith("gcp:monitoring/"):
        yield from _labels(token, "labels", as_map(inputs["labels"]), _GOOGLE_LABELS)


def kubernetes_names(kind: Kind, inputs: Values) -> Iterator[Failure]:
    """Yield every name or label of a Kubernetes object that the API server would refuse."""
    rules, holder = known()["names"], name_holder(kind, inputs)
    path = "" if kind.token == RELEASE else "metadata."
    own: Any = row(kind).get("name")
    regex = own if own == "any" or (own and not kind.group) else rules["object"]
    if regex != "any":
        yield from _unfit(kind.token, f"{path}name", holder.get("name"), regex)
    labels = as_map(holder.get("labels")) if path else {}
    label_rules = {"key": rules["label"], "value": rules["label_value"]}
    yield from _labels(kind.token, f"{path}labels", labels, label_rules)


def _labels(token: str, path: str, labels: Values, rules: dict[str, str]) -> Iterator[Failure]:
    for key, value in labels.items():
        yield from _unfit(token, f"{path}.{key}", key, rules["key"])
        yield from _unfit(token, f"{path}.{key}", value, rules["value"])


def _unfit(token: str, path: str, value: object, regex: str) -> Iterator[Failure]:
    if isinstance(value, str) and not re.fullmatch(regex, value):
        yield Failure(
            path,
            f"Invalid value for field '{path}' of {token}: '{value}'. Must be a match of regex "
            f"'{regex}'",
        )

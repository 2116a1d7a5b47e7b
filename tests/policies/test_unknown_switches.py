"""What must be on or off is told when it is unknown or nonsense, at every step of the way to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from policies.shared.rule import ResourceRule
from tests.policies.cases import document, policy_resources
from tests.policies.harness import RULES, UNKNOWN, check, check_stack

SWITCHES = document(Path(__file__).parent / "unknown_switches.yaml")
# No switch of these takes text of any kind, a list, or a map of something else.
NONSENSE = ("odd", ["odd"], {"odd": "odd"}, 7)
POD: dict[str, Any] = {
    "hostNetwork": True,
    "initContainers": [{"name": "init", "image": "docker.io/a"}],
    "containers": [{"name": "main", "image": "docker.io/b"}],
    "ephemeralContainers": [{"name": "debug", "image": "docker.io/c"}],
}
TEMPLATE = ("spec", "template", "spec")
# Where each kind has the spec of its pods; a number is a position in a list.
KINDS: dict[str, tuple[str | int, ...]] = {
    "kubernetes:core/v1:Pod": ("spec",),
    "kubernetes:core/v1:PodTemplate": ("template", "spec"),
    "kubernetes:core/v1:ReplicationController": TEMPLATE,
    "kubernetes:apps/v1:Deployment": TEMPLATE,
    "kubernetes:apps/v1:StatefulSet": TEMPLATE,
    "kubernetes:apps/v1:DaemonSet": TEMPLATE,
    "kubernetes:apps/v1:ReplicaSet": TEMPLATE,
    "kubernetes:apps/v1beta1:Deployment": TEMPLATE,
    "kubernetes:apps/v1beta2:DaemonSet": TEMPLATE,
    "kubernetes:extensions/v1beta1:Deployment": TEMPLATE,
    "kubernetes:batch/v1:Job": TEMPLATE,
    "kubernetes:batch/v1:CronJob": ("spec", "jobTemplate", *TEMPLATE),
    "kubernetes:batch/v1beta1:CronJob": ("spec", "jobTemplate", *TEMPLATE),
    "kubernetes:jobset.x-k8s.io/v1alpha2:JobSet": (
        *("spec", "replicatedJobs", 0, "template"),
        *TEMPLATE,
    ),
    "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet": (
        *("spec", "leaderWorkerTemplate", "workerTemplate", "spec"),
    ),
    "kubernetes:ray.io/v1:RayCluster": ("spec", "workerGroupSpecs", 0, "template", "spec"),
    "kubernetes:ray.io/v1:RayJob": ("spec", "rayClusterSpec", "headGroupSpec", "template", "spec"),
    "kubernetes:ray.io/v1:RayService": (
        *("spec", "rayClusterConfig", "headGroupSpec", "template", "spec"),
    ),
    "kubernetes:serving.knative.dev/v1:Service": TEMPLATE,
}


def placed(path: tuple[str | int, ...], value: Any) -> Any:
    """Return a value at a path, with nothing else around it."""
    for step in reversed(path):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def put(value: Any, path: list[str], new: Any) -> Any:
    """Return the value with another one at a path; a number in the path is a position in a list."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return [put(e, rest, new) if i == int(step) else e for i, e in enumerate(parts)]
    return {**value, step: put(value[step], rest, new)}


def switches() -> Iterator[tuple[str, str, dict[str, Any], list[str]]]:
    for rule, groups in SWITCHES.items():
        for group in groups:
            for path in group["paths"]:
                yield rule, group["type"], group, path.split("|")


def said(rule: str, kind: str, props: dict[str, Any], limits: dict[str, Any]) -> list[str]:
    if isinstance(RULES[rule], ResourceRule):
        return check(rule, kind, props, limits)
    return check_stack(rule, policy_resources(({"type": kind, "props": props},)), limits)


@pytest.mark.parametrize(
    ("rule", "kind", "group", "path"),
    [pytest.param(*row, id=f"{row[0]}: {row[1]}: {'|'.join(row[3])}") for row in switches()],
)
def test_what_is_not_known_or_nonsense_never_passes(
    rule: str, kind: str, group: dict[str, Any], path: list[str]
) -> None:
    props, limits = group["props"], group.get("limits", {})
    assert said(rule, kind, props, limits) == []
    for depth in range(1, len(path) + 1):
        way = path[:depth]
        assert said(rule, kind, put(props, way, UNKNOWN), limits), (way, "unknown")
        # Whether a null passes is a matter of the service's default; it must not end the rule.
        said(rule, kind, put(props, way, None), limits)
    for odd in NONSENSE:
        assert said(rule, kind, put(props, path, odd), limits), odd


def test_every_rule_on_switches_has_a_row() -> None:
    assert len(SWITCHES) >= 24
    assert set(SWITCHES) <= set(RULES)


@pytest.mark.parametrize("form", ["", "List", "Patch"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pod_is_read_in_every_form(kind: str, form: str) -> None:
    path = ("items", 0, *KINDS[kind]) if form == "List" else KINDS[kind]
    props = placed(path, POD)
    (message,) = check("pod-no-privileged", kind + form, props)
    assert "hostNetwork is not false" in message
    images = check("sup-image-registry", kind + form, props, {"allowedRegistries": ["a"]})
    assert len(images) == 3
    for depth in range(1, len(path) + 1):
        if not isinstance(path[depth - 1], int):
            unknown = placed(path[:depth], UNKNOWN)
            assert any("not known" in e for e in check("pod-no-privileged", kind + form, unknown))
            assert any("not known" in e for e in check("pod-restricted", kind + form, unknown))


@pytest.mark.parametrize("kind", KINDS)
def test_a_patch_breaks_nothing_by_what_it_leaves_out(kind: str) -> None:
    props = placed(KINDS[kind], {"containers": [{"name": "main"}]})
    settings: dict[str, dict[str, Any]] = {
        "pod-no-privileged": {},
        "pod-restricted": {},
        "pod-readonly-rootfs": {"writableContainers": []},
        "data-no-plaintext-secret": {},
    }
    for rule, limits in settings.items():
        assert check(rule, kind + "Patch", props, limits) == [], rule

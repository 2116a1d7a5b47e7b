"""Each row of the table of what multiplies: its bound itself passes, and nothing above it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.shared.multipliers import GOOGLE, KNATIVE, KUBERNETES, UNITS, Multiplier
from resources.properties import EACH
from tests.policies.harness import check

# Nodes of Memorystore come in a few sizes alone: the rule's examples have them.
ROWS = [(token, row) for token, rows in GOOGLE.items() for row in rows if row.counts != "node type"]
PATHS = [(kind, path) for kind, paths in KUBERNETES.items() for path in paths]
KEYS = ("autoscaling.knative.dev/max-scale", "autoscaling.knative.dev/maxScale")
# Some caps, and what goes past them by one and by any amount, in each way of writing a number.
BOUNDS = st.integers(1, 10**6)
ABOVE = st.one_of(st.just(1), st.integers(1, 10**9))
WRITTEN = st.sampled_from((int, float, str))


def at(path: str, value: Any) -> Any:
    """Return properties with a value at a path, in the first element of each list on the way."""
    first, _, rest = path.partition(".")
    if not path:
        return value
    return [at(rest, value)] if first == EACH else {first: at(rest, value)}


def google(token: str, row: Multiplier, cap: int, value: object) -> list[str]:
    """Return what is said of one property, beside bounds that have to stand."""
    props: dict[str, Any] = {}
    for each in GOOGLE[token]:
        if each.must and each is not row:
            props |= at(each.path, 1)
    limits = dict.fromkeys((limit for limit, _, _ in UNITS.values()), 10**12)
    limits[UNITS[row.counts][0]] = cap
    return check("scale-capacity", token, props | at(row.path, value), limits)


@pytest.mark.parametrize(("token", "row"), ROWS, ids=[f"{t}-{row.path}" for t, row in ROWS])
@settings(max_examples=10)
@given(cap=BOUNDS, above=ABOVE, written=WRITTEN)
def test_capacity_of_google(
    token: str, row: Multiplier, cap: int, above: int, written: type
) -> None:
    def of(amount: int) -> object:
        number = written(amount * int(UNITS[row.counts][2]))
        return f"db-custom-{amount}-4096" if row.counts == "machine type" else number

    assert google(token, row, cap, of(cap)) == []
    (said,) = google(token, row, cap, of(cap + above))
    assert row.path in said


@pytest.mark.parametrize(("kind", "path"), PATHS, ids=[f"{k}-{path}" for k, path in PATHS])
@settings(max_examples=10)
@given(cap=BOUNDS, above=ABOVE, written=WRITTEN)
def test_replicas_of_kubernetes(kind: str, path: str, cap: int, above: int, written: type) -> None:
    group, _, name = kind.partition("/")
    token, limits = f"kubernetes:{group}/v1:{name}", {"maxReplicas": float(cap)}
    assert check("scale-deploy-replicas", token, at(path, written(cap)), limits) == []
    (said,) = check("scale-deploy-replicas", token, at(path, written(cap + above)), limits)
    assert "asks for" in said


@pytest.mark.parametrize("kind", KNATIVE)
@settings(max_examples=10)
@given(cap=BOUNDS, above=ABOVE, key=st.sampled_from(KEYS))
def test_replicas_of_knative(kind: str, cap: int, above: int, key: str) -> None:
    group, _, name = kind.partition("/")
    token, limits = f"kubernetes:{group}/v1:{name}", {"maxReplicas": float(cap)}

    def said(scale: int) -> list[str]:
        template = {"metadata": {"annotations": {key: str(scale)}}}
        return check("scale-deploy-replicas", token, {"spec": {"template": template}}, limits)

    assert said(cap) == []
    assert len(said(cap + above)) == 1

"""A preview names what it makes anew and what goes down with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from launcher.engine_events import dependency_graph
from launcher.replacements import replacements_section
from plans.plan import plan_of

URN = "urn:pulumi:dev::inference::inference:index:GkeCluster$"
CLUSTER = f"{URN}gcp:container/cluster:Cluster::one"
POOL = f"{URN}gcp:container/nodePool:NodePool::pool"
PROVIDER = f"{URN}pulumi:providers:kubernetes::one"
OBJECT = f"{URN}kubernetes:core/v1:ConfigMap::settings"
TABLE = f"{URN}gcp:bigquery/table:Table::rows"


def _resource(urn: str, *needs: str, provider: str = "") -> dict[str, Any]:
    return {"urn": urn, "propertyDependencies": {"x": [*needs]}, "provider": provider}


STATE = [
    _resource(CLUSTER),
    _resource(POOL, CLUSTER),
    _resource(PROVIDER, CLUSTER),
    _resource(OBJECT, provider=f"{PROVIDER}::id"),
    _resource(TABLE),
]


def _section(replaced: Mapping[str, Sequence[str]], *gone: str) -> str:
    changed = {**dict.fromkeys(gone, ()), **replaced}
    steps = {
        urn: {
            "type": urn.split("::")[2].rpartition("$")[2],
            "operation": "replace" if urn in replaced else "delete",
            "changed": keys,
            "old": None,
            "new": None,
        }
        for urn, keys in changed.items()
    }
    wired = dependency_graph(STATE)
    return replacements_section(
        plan_of({"stack": "dev", "steps": steps, "now": wired, "then": wired})
    )


def test_a_replacement_is_named_with_all_that_stands_on_it() -> None:
    told = _section(
        {CLUSTER: ["datapathProvider"], POOL: ["cluster"], OBJECT: [], TABLE: ["tableId"]},
        PROVIDER,
    )
    first, *lines = told.splitlines()
    assert first.startswith("Replaced")
    assert lines == [
        (
            "  gcp:container:Cluster one [datapathProvider]: with it 1 gcp:container:NodePool, "
            "1 kubernetes:core/v1:ConfigMap, 1 pulumi:providers:kubernetes"
        ),
        "  gcp:bigquery:Table rows [tableId]",
    ]


def test_what_is_only_deleted_or_stays_is_not_named() -> None:
    assert _section({}, POOL) == ""
    told = _section({CLUSTER: ["location"]})
    assert "NodePool" not in told

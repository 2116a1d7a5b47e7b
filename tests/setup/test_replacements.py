"""A preview names what it makes anew and what goes down with it."""

from typing import Any

from launcher.replacements import replacements_section

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


def test_a_replacement_is_named_with_all_that_stands_on_it() -> None:
    told = replacements_section(
        {CLUSTER: ["datapathProvider"], POOL: ["cluster"], OBJECT: [], TABLE: ["tableId"]},
        [PROVIDER],
        STATE,
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
    assert replacements_section({}, [POOL], STATE) == ""
    told = replacements_section({CLUSTER: ["location"]}, [], STATE)
    assert "NodePool" not in told

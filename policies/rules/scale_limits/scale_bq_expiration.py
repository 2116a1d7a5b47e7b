"""Tables end, and queries of big ones must filter."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from policies.shared.types import VIEWS
from resources.properties import flag, get, is_mapping, number, text
from resources.resource import Resource
from resources.wiring import referenced_names

_DATASET: Final = "gcp:bigquery/dataset:Dataset"
_TABLE: Final = "gcp:bigquery/table:Table"
_DEFAULTS: Final = ("defaultTableExpirationMs", "defaultPartitionExpirationMs")
_ENDS: Final = (("expirationTime",), ("timePartitioning", "expirationMs"))
_PARTITIONS: Final = ("timePartitioning", "rangePartitioning")
_SOURCE: Final = re.compile(r"([\w-]+)\.([\w-]+)(?=[`\s),;]|$)")


def _read_by_views(resources: Sequence[Resource]) -> frozenset[str]:
    """Return URNs and `dataset.table` names of what the views read.

    BigQuery refuses a view without a filter over a table that requires one.
    """
    found: set[str] = set()
    for each in resources:
        for kind in VIEWS if each.type == _TABLE else ():
            found |= set(each.dependencies.get(kind, ()))
            query = text(each.props, kind, "query")
            if isinstance(query, str):
                found |= {".".join(names) for names in _SOURCE.findall(query.replace("`", " "))}
    return frozenset(found)


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    expiring: set[str] = set()
    viewed = _read_by_views(resources)
    for each in resources:
        if each.type == _DATASET and any(
            isinstance(number(each.props, name), float) for name in _DEFAULTS
        ):
            expiring |= referenced_names(each, "datasetId") | {each.urn}
    for each in resources:
        # Views and external tables hold no data.
        if each.type != _TABLE or any(
            is_mapping(get(each.props, kind)) for kind in (*VIEWS, "externalDataConfiguration")
        ):
            continue
        if not referenced_names(each, "datasetId") & expiring and not any(
            isinstance(number(each.props, *end), float) for end in _ENDS
        ):
            yield StackFinding("keeps its data for ever", each)
        if (
            any(is_mapping(get(each.props, kind)) for kind in _PARTITIONS)
            and flag(each.props, "requirePartitionFilter") is not True
            and not {each.urn, _name(each)} & viewed
        ):
            yield StackFinding("is partitioned, but queries need no filter", each)


def _name(table: Resource) -> str:
    return ".".join(str(text(table.props, part)) for part in ("datasetId", "tableId"))


RULE: Final = StackRule(
    id="scale-bq-expiration",
    display_name="BigQuery data expires",
    description=(
        "Every table has an end for its data, and a partitioned one that no view reads requires a "
        "filter in queries."
    ),
    why="Data that nobody deletes is billed for ever, and a query without filter reads all of it.",
    remediation=(
        "set timePartitioning.expirationMs or expirationTime, and requirePartitionFilter on "
        "partitioned tables."
    ),
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/bigquery/docs/best-practices-storage",
    check=_check,
)

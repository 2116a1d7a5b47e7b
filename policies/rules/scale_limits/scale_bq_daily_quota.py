"""What queries read in a day is capped."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.properties import text
from resources.resource import Resource

# Type token: what names the quota.
_QUOTAS: Final[Mapping[str, str]] = {
    "gcp:cloudquota/sQuotaPreference:SQuotaPreference": "quotaId",
    "gcp:serviceusage/consumerQuotaOverride:ConsumerQuotaOverride": "metric",
}
_DAILY: Final = re.compile(r".*(query/usage|QueryUsagePerDay).*", re.IGNORECASE)


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    uses = any(each.type.startswith("gcp:bigquery/") for each in resources)
    for each in resources:
        if each.type in _QUOTAS and text(each.props, "service") == "bigquery.googleapis.com":
            name = text(each.props, _QUOTAS[each.type])
            if isinstance(name, str) and _DAILY.fullmatch(name):
                return
    if uses:
        yield StackFinding("uses BigQuery without a quota of query usage per day")


RULE: Final = StackRule(
    id="scale-bq-daily-quota",
    display_name="BigQuery has a daily quota",
    description="A quota caps what all queries of the project read in a day.",
    why="Caps on single jobs do not bound how many there are; the default is 200 TiB a day.",
    remediation="make a ConsumerQuotaOverride or SQuotaPreference of the query usage per day.",
    severity=Severity.LOW,
    level=EnforcementLevel.DISABLED,
    url="https://cloud.google.com/bigquery/docs/custom-quotas",
    check=_check,
)

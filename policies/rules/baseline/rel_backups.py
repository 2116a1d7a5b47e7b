"""Databases can be restored."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, get, text
from resources.resource import Resource

_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_BACKUP: Final = "settings.backupConfiguration"
_BACKUPS: Final[Mapping[str, tuple[Expected, ...]]] = {
    "gcp:alloydb/cluster:Cluster": (
        Expected("automatedBackupPolicy.enabled", (True,), unset=True),
        Expected("continuousBackupConfig.enabled", (True,), unset=True),
    ),
    "gcp:firestore/database:Database": (
        Expected("pointInTimeRecoveryEnablement", ("POINT_IN_TIME_RECOVERY_ENABLED",), unset=True),
    ),
    _SQL: (Expected(f"{_BACKUP}.enabled", (True,), unset=True),),
}
_TO_A_MOMENT: Final = Expected(f"{_BACKUP}.binaryLogEnabled", (True,), unset=True)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    # A replica is restored from its primary.
    if resource.type == _SQL and get(resource.props, "masterInstanceName") is not MISSING:
        return
    yield from unmet(resource.props, _BACKUPS[resource.type])
    if resource.type != _SQL:
        return
    version = text(resource.props, "databaseVersion")
    if isinstance(version, str) and version.startswith("MYSQL"):
        yield from unmet(resource.props, (_TO_A_MOMENT,))


RULE: Final = ResourceRule(
    id="rel-backups",
    display_name="Backups stay on",
    description=(
        "Nobody switches off the backups of Cloud SQL, AlloyDB and Firestore, nor the way back to "
        "a moment."
    ),
    why="What a wrong statement deleted is gone for good otherwise.",
    remediation="set the property as named.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/sql/docs/postgres/backup-recovery/backups",
    references=(
        Reference("CIS Google Cloud", "6.7"),
        Reference("checkov", "CKV_GCP_14"),
        Reference("checkov", "CKV2_GCP_20"),
    ),
    applies=lambda resource_type: resource_type in _BACKUPS,
    check=_check,
)

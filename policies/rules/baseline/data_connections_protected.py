"""Caches and databases ask who connects, and encrypt the way."""

from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.addresses import is_everywhere
from resources.properties import MISSING, elements, text
from resources.resource import Resource

_FILES: Final = "gcp:filestore/instance:Instance"
_WRITES: Final = ("READ_WRITE", MISSING)
# Type token: what asks for a password or identity, and what encrypts.
_PROTECTION: Final[Mapping[str, tuple[Expected, ...]]] = {
    "gcp:alloydb/instance:Instance": (
        Expected("clientConnectionConfig.sslConfig.sslMode", ("ENCRYPTED_ONLY",), unset=True),
    ),
    "gcp:memorystore/instance:Instance": (
        Expected("authorizationMode", ("IAM_AUTH",)),
        Expected("transitEncryptionMode", ("SERVER_AUTHENTICATION",)),
    ),
    "gcp:redis/cluster:Cluster": (
        Expected("authorizationMode", ("AUTH_MODE_IAM_AUTH",)),
        Expected("transitEncryptionMode", ("TRANSIT_ENCRYPTION_MODE_SERVER_AUTHENTICATION",)),
    ),
    "gcp:redis/instance:Instance": (
        Expected("authEnabled", (True,)),
        Expected("transitEncryptionMode", ("SERVER_AUTHENTICATION",)),
    ),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        Expected(
            "settings.ipConfiguration.sslMode",
            ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"),
            wired=True,
        ),
    ),
}


_EXPORTS: Final = ("fileShares", "nfsExportOptions")


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    yield from unmet(resource.props, _PROTECTION.get(resource.type, ()))
    for each in elements(resource.props, *_EXPORTS) if resource.type == _FILES else ():
        if is_everywhere(elements(each, "ipRanges")):
            yield "exports its files to every address"
        if text(each, "squashMode") == "NO_ROOT_SQUASH" and text(each, "accessMode") in _WRITES:
            yield "lets whoever is root on a client be root on its files"


RULE: Final = ResourceRule(
    id="data-connections-protected",
    display_name="Connections are protected",
    description=(
        "Redis, Valkey, Cloud SQL and AlloyDB take authenticated and encrypted connections only, "
        "and Filestore exports to named addresses, not to root."
    ),
    why="Caches and databases hold prompts and answers, and every pod of the network reaches them.",
    remediation="set the property as named.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/memorystore/docs/redis/about-in-transit-encryption",
    references=(
        Reference("CIS Google Cloud", "6.4"),
        Reference("checkov", "CKV_GCP_6"),
        Reference("checkov", "CKV_GCP_95"),
        Reference("checkov", "CKV_GCP_97"),
    ),
    applies=lambda resource_type: resource_type in (*_PROTECTION, _FILES),
    check=_check,
)

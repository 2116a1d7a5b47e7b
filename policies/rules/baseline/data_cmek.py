"""What holds data is encrypted with a key of one's own.

Tables are not asked: they take the key of their dataset.
"""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.encryption import ENTRY, encrypted
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, entries, get, text
from resources.resource import Resource


def _is_named(props: object, path: str) -> bool:
    # A key that is not known yet is wired from another resource.
    steps, is_list, rest = path.partition(ENTRY)
    if not is_list:
        return get(props, *steps.split(".")) not in (MISSING, "")
    found = entries(props, *steps.split("."))
    if not isinstance(found, tuple):
        return found is not MISSING
    tail = rest.removeprefix(".")
    each_is = (_is_named(each, tail) if tail else each not in (MISSING, "") for each in found)
    return bool(found) and all(each_is)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    row = encrypted()[resource.type]
    if not any(_is_named(resource.props, path) for path in row.keys):
        yield f"{row.keys[0]} is not set"
        return
    for each in row.beside:
        path, _, value = each.partition("=")
        if text(resource.props, *path.split(".")) != value:
            yield f"{path} is not {value}"


RULE: Final = ResourceRule(
    id="data-cmek",
    display_name="Data is encrypted with own keys",
    description=(
        "Buckets, topics, datasets, repositories, secrets, clusters, node pools, services, "
        "databases and models name a KMS key."
    ),
    why=(
        "With a key of one's own, access to the data can be cut off and every use of the key is "
        "logged."
    ),
    remediation=(
        "set encryption in the stack file, or make a gcp.kms.CryptoKey, grant it to the agent and "
        "name it here."
    ),
    severity=Severity.MEDIUM,
    level=EnforcementLevel.DISABLED,
    url="https://cloud.google.com/kms/docs/cmek",
    references=(
        Reference("CIS Google Cloud", "7.2"),
        Reference("CIS Google Cloud", "7.3"),
        Reference("checkov", "CKV_GCP_80"),
        Reference("checkov", "CKV_GCP_81"),
        Reference("checkov", "CKV_GCP_83"),
        Reference("checkov", "CKV_GCP_84"),
        Reference("checkov", "CKV_GCP_92"),
        Reference("trivy", "GCP-0066"),
    ),
    applies=lambda resource_type: resource_type in encrypted(),
    check=_check,
)

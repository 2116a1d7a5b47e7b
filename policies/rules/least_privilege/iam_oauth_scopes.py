"""Nodes have few OAuth scopes, or an account of their own."""

from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.default_accounts import is_default_account
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import UNKNOWN, entries, text
from resources.resource import Resource

_PREFIX: Final = "https://www.googleapis.com/auth/"
_WIDE: Final = (f"{_PREFIX}cloud-platform", "cloud-platform")
_NARROW: Final = frozenset(
    {
        "devstorage.read_only",
        "logging.write",
        "monitoring",
        "monitoring.write",
        "service.management.readonly",
        "servicecontrol",
        "trace.append",
    }
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    account = text(resource.props, "nodeConfig", "serviceAccount")
    own = account is UNKNOWN or (isinstance(account, str) and not is_default_account(account))
    scopes = entries(resource.props, "nodeConfig", "oauthScopes")
    for scope in scopes if isinstance(scopes, tuple) else ():
        if not isinstance(scope, str) or (scope in _WIDE and own):
            continue
        if scope.removeprefix(_PREFIX) not in _NARROW:
            yield "has a scope beyond logging, monitoring, tracing and reading images"


RULE: Final = ResourceRule(
    id="iam-oauth-scopes",
    display_name="Node scopes are narrow",
    description=(
        "A node pool has the scope cloud-platform with a service account of its own, or only "
        "narrow scopes."
    ),
    why=(
        "With the default account, wide scopes give every pod on the node what that account may do."
    ),
    remediation=(
        "name a service account of its own and the scope cloud-platform, as Google advises."
    ),
    severity=Severity.LOW,
    level=EnforcementLevel.ADVISORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/access-scopes",
    references=(Reference("checkov", "CKV_GCP_31"),),
    applies=lambda resource_type: resource_type == "gcp:container/nodePool:NodePool",
    check=_check,
)

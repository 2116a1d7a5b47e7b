"""The rules of the least-privilege pack."""

from typing import Final

from policies.rules.least_privilege import (
    cloud_run_checks_invokers,
    custom_role_no_escalation,
    gke_workload_identity,
    no_admin_for_workload_sa,
    no_authoritative_policy,
    no_basic_roles,
    no_default_sa_grant,
    no_default_sa_use,
    no_project_impersonation,
    no_public_members,
    no_sa_keys,
    resource_scope_preferred,
    sa_impersonation_narrow,
)
from policies.rules.rule import AnyRule

RULES: Final[tuple[AnyRule, ...]] = (
    no_basic_roles.RULE,
    no_public_members.RULE,
    cloud_run_checks_invokers.RULE,
    no_project_impersonation.RULE,
    sa_impersonation_narrow.RULE,
    no_admin_for_workload_sa.RULE,
    no_default_sa_grant.RULE,
    no_default_sa_use.RULE,
    no_sa_keys.RULE,
    no_authoritative_policy.RULE,
    custom_role_no_escalation.RULE,
    gke_workload_identity.RULE,
    resource_scope_preferred.RULE,
)

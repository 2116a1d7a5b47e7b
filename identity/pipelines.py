"""The accounts of an environment's pipelines, which GitHub's own tokens stand for: no keys.

Owns the pool, its provider, the accounts and their rights in the environment's project. Does not
own rights outside of it: on the organization's access policy, or on a billing account.

https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp
import yaml

from identity.attestation import APIS as ATTESTATION_APIS
from identity.attestation import make_attestor

ISSUER: Final = "https://token.actions.githubusercontent.com"
TABLE: Final[Mapping[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("roles.yaml").read_text(encoding="utf-8")
)
APIS: Final = (
    *ATTESTATION_APIS,
    "cloudbuild",
    "cloudkms",
    "cloudresourcemanager",
    "iam",
    "iamcredentials",
    "privilegedaccessmanager",
    "storage",
    "sts",
)
LONGEST_SECONDS: Final = 4 * 3600
"""For so long an `up` may go on."""
_Binding = gcp.privilegedaccessmanager.EntitlementPrivilegedAccessGcpIamAccessRoleBindingArgsDict
_ADMIN: Final = "roles/resourcemanager.projectIamAdmin"
_STATE: Final[Mapping[str, tuple[str, str]]] = {
    "preview": ("roles/storage.objectViewer", "roles/cloudkms.cryptoKeyDecrypter"),
    "deploy": ("roles/storage.objectUser", "roles/cloudkms.cryptoKeyEncrypterDecrypter"),
}
_OF_A_LIST: Final = 10
"""So many roles such a list holds: https://cloud.google.com/iam/docs/setting-limits-on-granting-roles"""
_GRANTED: Final = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', [])"


@dataclass(frozen=True)
class Pipelines:
    """Where an environment's pipelines run, and on what."""

    environment: str
    project: str
    project_number: str
    repository: str
    repository_id: str
    branch: str
    approvers: str
    state_bucket: str
    state_key: str
    also: str = ""

    def subject(self, account: str) -> str:
        """Return what GitHub's token is about when an account's pipeline runs.

        GitHub lets a run name an environment only where the environment's rules allow it.
        """
        prefix = "preview-" if account == "preview" else ""
        return f"repo:{self.repository}:environment:{prefix}{self.environment}"

    def roles(self, key: str) -> list[str]:
        """Return the roles of `lent` or `grants`, with those of the APIs in `also`."""
        apis = filter(None, self.also.replace(" ", "").split(","))
        return [*TABLE[key], *(role for api in apis for role in TABLE["also"][api].get(key, ()))]

    @property
    def condition(self) -> str:
        """Whose tokens the provider takes: previews of pull requests, all else of the branch."""
        reads, makes = self.subject("preview"), self.subject("deploy")
        repository = f"assertion.repository_id == '{self.repository_id}'"
        merged = f"assertion.ref == 'refs/heads/{self.branch}'"
        return (
            f"({repository} && assertion.sub == '{reads}') || "
            f"({repository} && assertion.sub == '{makes}' && {merged})"
        )


def make(given: Pipelines) -> Mapping[str, pulumi.Output[str]]:
    """Make everything; return the variables of the environment's pipelines on GitHub."""
    provider = gcp.Provider("google", project=given.project)
    options = pulumi.ResourceOptions(provider=provider)
    apis = [
        gcp.projects.Service(
            f"api-{name}", service=f"{name}.googleapis.com", disable_on_destroy=False, opts=options
        )
        for name in APIS
    ]
    after = pulumi.ResourceOptions(provider=provider, depends_on=apis)
    source = _provider(given, after)
    accounts = {
        name: _account(given, name, roles, after) for name, roles in TABLE["accounts"].items()
    }
    for name, account in accounts.items():
        if name in _STATE:
            _become(given, name, account, after)
            _state(given, name, account, after)
    _enable(given, accounts["deploy"], after)
    _lend(given, accounts["deploy"], after)
    _builds(given, accounts, after)
    return {
        "workload_identity_provider": source.name,
        "preview_service_account": accounts["preview"].email,
        "deploy_service_account": accounts["deploy"].email,
        "image_builder": accounts["build"].email,
        "attestation_key": make_attestor(given.project, accounts["build"].member, after),
    }


def _provider(
    given: Pipelines, options: pulumi.ResourceOptions
) -> gcp.iam.WorkloadIdentityPoolProvider:
    pool = gcp.iam.WorkloadIdentityPool(
        "pool",
        workload_identity_pool_id="pipelines",
        display_name="Pipelines",
        description="Runs of the repository's pipelines",
        opts=options,
    )
    return gcp.iam.WorkloadIdentityPoolProvider(
        "provider",
        workload_identity_pool_id=pool.workload_identity_pool_id,
        workload_identity_pool_provider_id="github",
        display_name="GitHub",
        attribute_mapping={"google.subject": "assertion.sub"},
        attribute_condition=given.condition,
        oidc={"issuer_uri": ISSUER},
        opts=options,
    )


def _account(
    given: Pipelines, name: str, roles: Sequence[str], options: pulumi.ResourceOptions
) -> gcp.serviceaccount.Account:
    account = gcp.serviceaccount.Account(
        name,
        account_id=f"pipelines-{name}",
        display_name=f"Pipelines: {name}",
        opts=options,
    )
    for role in roles:
        gcp.projects.IAMMember(
            f"{name}-{role.partition('/')[2]}",
            project=given.project,
            role=role,
            member=account.member,
            opts=options,
        )
    return account


def _become(
    given: Pipelines,
    name: str,
    account: gcp.serviceaccount.Account,
    options: pulumi.ResourceOptions,
) -> None:
    """Let the runs of one environment on GitHub, and no others, become an account."""
    pool = f"projects/{given.project_number}/locations/global/workloadIdentityPools/pipelines"
    gcp.serviceaccount.IAMMember(
        f"{name}-from-github",
        service_account_id=account.name,
        role="roles/iam.workloadIdentityUser",
        member=f"principal://iam.googleapis.com/{pool}/subject/{given.subject(name)}",
        opts=options,
    )


def _state(
    given: Pipelines,
    name: str,
    account: gcp.serviceaccount.Account,
    options: pulumi.ResourceOptions,
) -> None:
    """Let an account read the state, or write it too."""
    objects, key = _STATE[name]
    gcp.storage.BucketIAMMember(
        f"{name}-state",
        bucket=given.state_bucket,
        role=objects,
        member=account.member,
        opts=options,
    )
    gcp.kms.CryptoKeyIAMMember(
        f"{name}-state-key",
        crypto_key_id=given.state_key,
        role=key,
        member=account.member,
        opts=options,
    )


def _enable(
    given: Pipelines, account: gcp.serviceaccount.Account, options: pulumi.ResourceOptions
) -> None:
    """Let the deployer turn APIs on. What turns them off also ends the audit logs."""
    role = gcp.projects.IAMCustomRole(
        "enable-apis",
        role_id="pipelinesEnableApis",
        title="Pipelines: turn APIs on",
        permissions=[f"serviceusage.services.{verb}" for verb in ("enable", "get", "list")],
        opts=options,
    )
    gcp.projects.IAMMember(
        "deploy-enables",
        project=given.project,
        role=pulumi.Output.concat(f"projects/{given.project}/roles/", role.role_id),
        member=account.member,
        opts=options,
    )


def _lend(
    given: Pipelines, account: gcp.serviceaccount.Account, options: pulumi.ResourceOptions
) -> None:
    """Lend the deployer its roles for a while, each time that somebody agrees.

    What holds them for good is an administrator of the project, with all that can become it.
    """
    bindings: list[_Binding] = [{"role": role} for role in given.roles("lent")]
    bindings.append({"role": _ADMIN, "condition_expression": _only(given.roles("grants"))})
    gcp.privilegedaccessmanager.Entitlement(
        "deploy",
        entitlement_id="deploy",
        parent=f"projects/{given.project}",
        location="global",
        max_request_duration=f"{LONGEST_SECONDS}s",
        eligible_users=[{"principals": [account.member]}],
        requester_justification_config={"unstructured": {}},
        approval_workflow={
            "manual_approvals": {
                "steps": [{"approvers": {"principals": [given.approvers]}, "approvals_needed": 1}]
            }
        },
        privileged_access={
            "gcp_iam_access": {
                "resource": f"//cloudresourcemanager.googleapis.com/projects/{given.project}",
                "resource_type": "cloudresourcemanager.googleapis.com/Project",
                "role_bindings": bindings,
            }
        },
        opts=options,
    )


def _only(roles: Sequence[str]) -> str:
    """Return the condition of who may grant these roles alone."""
    parts = (roles[at : at + _OF_A_LIST] for at in range(0, len(roles), _OF_A_LIST))
    return " || ".join(f"{_GRANTED}.hasOnly({[*part]})" for part in parts)


def _builds(
    given: Pipelines,
    accounts: Mapping[str, gcp.serviceaccount.Account],
    options: pulumi.ResourceOptions,
) -> None:
    """Let builds read the sources that were uploaded for them."""
    bucket = f"projects/_/buckets/{given.project}_cloudbuild"
    gcp.projects.IAMMember(
        "build-sources",
        project=given.project,
        role="roles/storage.objectViewer",
        member=accounts["build"].member,
        condition={
            "title": "Sources of builds",
            "expression": f"resource.name.startsWith('{bucket}')",
        },
        opts=options,
    )

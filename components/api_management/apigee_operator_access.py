"""ApigeeOperatorAccess: what the Apigee operator of a cluster may do, and as whom.

Owns the operator's service account, its two custom roles and who may act as it, one set a
cluster. Does not own the operator (ApigeeBackend).
"""

from typing import Final, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.needs import needs_of
from components.ready import after
from components.service_accounts import account_id
from components.validation import component_type, register

NAMESPACE: Final = "apim"
KUBERNETES_ACCOUNT: Final = "apim-ksa"
"""The chart of the operator makes this account, in the namespace above."""
PERMISSIONS: Final = tuple(
    permission
    for need in needs_of("ApigeeOperatorAccess")
    if need.on == "project"
    for permission in need.may
)
GOOGLE_ROLES: Final = (
    "roles/apigee.admin",
    "roles/compute.loadBalancerAdmin",
    "roles/compute.networkAdmin",
    "roles/networkservices.serviceExtensionsAdmin",
)


class ApigeeOperatorAccessArgs(TypedDict):
    """Arguments of `ApigeeOperatorAccess`."""

    project: pulumi.Input[str]
    """Id of the project with the cluster and its gateway."""
    organization: pulumi.Input[str]
    """Name of the Apigee organization, which is the id of its project."""
    workload_pool: pulumi.Input[str]
    """Workload identity pool of the cluster: `PROJECT_ID.svc.id.goog`."""
    google_roles: NotRequired[bool]
    """Grant the four administrator roles Google asks for instead of the custom ones (default
    false)."""


class ApigeeOperatorAccess(pulumi.ComponentResource):
    """Lets the Apigee operator deploy its proxy and make the way from a gateway to it.

    Google asks for administrator roles on Apigee, load balancers, networks and extensions, which
    let the operator change everything of that kind in the project. Two custom roles take their
    place: for proxies and host names, and for backend services and network endpoint groups. Which
    permissions the operator uses is not documented, so these are unverified: set `google_roles`
    where an ApigeeBackendService reports a denied permission, and note that the least-privilege
    policies forbid them. The operator takes no direct grants of workload identity, so that it acts
    as a service account; only its Kubernetes account may.
    https://cloud.google.com/apigee/docs/api-platform/apigee-kubernetes/apigee-apim-operator-install
    """

    service_account: pulumi.Output[str]
    """Email of the operator's account, known once it has its roles."""

    def __init__(
        self, name: str, args: ApigeeOperatorAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ApigeeOperatorAccess), name, {}, opts)
        account = gcp.serviceaccount.Account(
            f"{name}-account",
            project=args["project"],
            account_id=account_id(name, "apim"),
            display_name="Apigee operator",
            opts=pulumi.ResourceOptions(parent=self),
        )
        impersonation = gcp.serviceaccount.IAMMember(
            f"{name}-workload-identity",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=pulumi.Output.concat(
                "serviceAccount:", args["workload_pool"], f"[{NAMESPACE}/{KUBERNETES_ACCOUNT}]"
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        if args.get("google_roles", False):
            roles = {
                role.removeprefix("roles/"): (
                    args["organization"] if role == "roles/apigee.admin" else args["project"],
                    pulumi.Output.from_input(role),
                )
                for role in GOOGLE_ROLES
            }
        else:
            apigee = [each for each in PERMISSIONS if each.startswith("apigee.")]
            network = [each for each in PERMISSIONS if each not in apigee]
            roles = {
                "apigee": self._role(name, "Apigee", args["organization"], apigee),
                "network": self._role(name, "Network", args["project"], network),
            }
        grants = [
            gcp.projects.IAMMember(
                f"{name}-{key}",
                project=project,
                role=role,
                member=pulumi.Output.concat("serviceAccount:", account.email),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for key, (project, role) in roles.items()
        ]
        self.service_account = after(
            account.email, impersonation.role, *[grant.role for grant in grants]
        )
        register(self)

    def _role(
        self, name: str, area: str, project: pulumi.Input[str], permissions: list[str]
    ) -> tuple[pulumi.Input[str], pulumi.Output[str]]:
        role = gcp.projects.IAMCustomRole(
            f"{name}-{area.lower()}-role",
            project=project,
            role_id=f"{name}_apigee_operator_{area.lower()}".replace("-", "_"),
            title=f"Apigee operator of {name}: {area}",
            permissions=permissions,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return project, role.id


__all__ = ["ApigeeOperatorAccess", "ApigeeOperatorAccessArgs"]

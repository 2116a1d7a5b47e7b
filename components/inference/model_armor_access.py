"""ModelArmorAccess: who may call Model Armor in a project, and whom Model Armor may call.

Owns the grants, one set a project. Does not own the service agents (ProjectServices) nor the
templates and the extension of a region (ModelArmorGuardrail).
"""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from components.ready import after
from components.validation import component_type, register

CALLOUT_ROLES = (
    "roles/modelarmor.calloutUser",
    "roles/modelarmor.user",
    "roles/serviceusage.serviceUsageConsumer",
)
SENSITIVE_DATA_ROLES = ("roles/dlp.reader", "roles/dlp.user")


class ModelArmorAccessArgs(TypedDict):
    """Arguments of `ModelArmorAccess`."""

    project: pulumi.Input[str]
    """Project id."""
    project_number: pulumi.Input[str]
    """Project number, once the service agent of networkservices.googleapis.com exists."""
    model_armor_agent_email: NotRequired[pulumi.Input[str]]
    """Service agent of modelarmor.googleapis.com, where a guardrail uses templates of Sensitive
    Data Protection: it then may use them (default: it may not)."""


class ModelArmorAccess(pulumi.ComponentResource):
    """Grants a load balancer's service extensions the use of Model Armor.

    The callout comes from service-<project number>@gcp-sa-dep.iam.gserviceaccount.com. Google asks
    for roles/container.admin too, which administers every cluster of the project and all in them:
    it is left out, as a callout reads no cluster and least privilege forbids administrator roles on
    a project. Grant it by hand if callouts are denied.
    https://cloud.google.com/service-extensions/docs/configure-extensions-to-google-services

    All grants are on the project: templates take none of their own.
    """

    project_id: pulumi.Output[str]
    """The project's id, known once the grants are made."""

    def __init__(
        self,
        name: str,
        args: ModelArmorAccessArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(ModelArmorAccess), name, {}, opts)
        callout = pulumi.Output.concat(
            "service-", args["project_number"], "@gcp-sa-dep.iam.gserviceaccount.com"
        )
        roles: dict[str, pulumi.Input[str]] = dict.fromkeys(CALLOUT_ROLES, callout)
        if "model_armor_agent_email" in args:
            roles |= dict.fromkeys(SENSITIVE_DATA_ROLES, args["model_armor_agent_email"])
        grants = [
            gcp.projects.IAMMember(
                f"{name}-{role.removeprefix('roles/')}",
                project=args["project"],
                role=role,
                member=pulumi.Output.concat("serviceAccount:", email),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role, email in roles.items()
        ]
        self.project_id = after(args["project"], *[grant.id for grant in grants])
        register(self)


__all__ = ["ModelArmorAccess", "ModelArmorAccessArgs"]

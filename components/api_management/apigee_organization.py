"""ApigeeOrganization: an Apigee organization for a project that has none, up to its environment.

Owns the organization, an instance in each region and the environment the gateway's proxy runs in.
Does not own the API (ApigeeApi). A project has one organization at most: use an existing one
without this component.
"""

from collections.abc import Sequence
from typing import Annotated, Final, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.limits.api_management import ENVIRONMENT
from components.ready import after
from components.validation import Problems, component_type, register

EXTENSION_PROCESSOR: Final = "apigee-service-extension-enabled"
"""Property of an environment whose proxies answer load balancers."""


class ApigeeOrganizationArgs(TypedDict):
    """Arguments of `ApigeeOrganization`."""

    project: pulumi.Input[str]
    """Project id, which becomes the organization's name."""
    regions: Annotated[Sequence[str], Entries("a region")]
    """Regions with a gateway; each gets an instance."""
    environment: Annotated[str, ENVIRONMENT]
    """Name of the environment."""
    analytics_region: NotRequired[str]
    """Region of analytics data, which cannot be changed later (default: the first region)."""
    deletion_protection: NotRequired[bool]
    """Whether the organization is protected from deletion (default true). A deleted one keeps its
    name, so that no other can be made in the project: for a week, for a day without protection."""


class ApigeeOrganization(pulumi.ComponentResource):
    """Makes an Apigee organization that is reached by Private Service Connect, without peering.

    The environment is of type COMPREHENSIVE, as proxies that answer load balancers need at least an
    INTERMEDIATE one. Making it takes about an hour, and it costs by the hour from then on.
    https://cloud.google.com/apigee/docs/api-platform/get-started/overview
    https://cloud.google.com/apigee/docs/api-platform/service-extensions/extension-processor-overview

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    organization: pulumi.Output[str]
    """Name of the organization."""
    environment: pulumi.Output[str]
    """Name of the environment, known once it runs in every region."""

    def __init__(
        self, name: str, args: ApigeeOrganizationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ApigeeOrganization), name, {}, opts)
        Problems.of(ApigeeOrganizationArgs, args).raise_if_any(name)
        child = pulumi.ResourceOptions(parent=self)
        protected = args.get("deletion_protection", True)
        organization = gcp.apigee.Organization(
            f"{name}-organization",
            project_id=args["project"],
            analytics_region=args.get("analytics_region", args["regions"][0]),
            runtime_type="CLOUD",
            billing_type="PAYG",
            disable_vpc_peering=True,
            # Else a deleted one keeps its name for a week, and none can be made in the project.
            retention=None if protected else "MINIMUM",
            opts=pulumi.ResourceOptions(parent=self, protect=protected or None),
        )
        environment = gcp.apigee.Environment(
            f"{name}-environment",
            name=args["environment"],
            org_id=organization.id,
            type="COMPREHENSIVE",
            deployment_type="PROXY",
            api_proxy_type="PROGRAMMABLE",
            # Each node is billed; without a limit Apigee adds them as it sees fit.
            node_config={"min_node_count": "2", "max_node_count": "4"},
            properties={"properties": [{"name": EXTENSION_PROCESSOR, "value": "true"}]},
            opts=child,
        )
        attachments: list[gcp.apigee.InstanceAttachment] = []
        # An organization takes one operation at a time, and refuses what comes meanwhile.
        last: pulumi.Resource = environment
        for region in args["regions"]:
            instance = gcp.apigee.Instance(
                f"{name}-{region}",
                name=region,
                org_id=organization.id,
                location=region,
                # A region has room for one.
                opts=pulumi.ResourceOptions(
                    parent=self, delete_before_replace=True, depends_on=[last]
                ),
            )
            last = gcp.apigee.InstanceAttachment(
                f"{name}-{region}-attachment",
                instance_id=instance.id,
                environment=environment.name,
                opts=child,
            )
            attachments.append(last)
        attached = [attachment.id for attachment in attachments]
        self.organization = after(organization.project_id, *attached)
        self.environment = after(environment.name, *attached)
        register(self)


__all__ = ["ApigeeOrganization", "ApigeeOrganizationArgs"]

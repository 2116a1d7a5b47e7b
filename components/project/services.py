"""ProjectServices: the APIs of a project, and the service agents that act for them.

Owns which APIs are on. Does not own the project, its billing or the grants of the agents: a grant
lives in the component that owns the resource it is on.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Choice, Entries
from catalog.limits.network import API
from catalog.problems import Problem, shown
from components.ready import after
from components.validation import Problems, component_type, register

_DOMAIN = ".googleapis.com"
_RESOURCE_MANAGER = "cloudresourcemanager.googleapis.com"


class ProjectServicesArgs(TypedDict):
    """Arguments of ProjectServices."""

    project: pulumi.Input[str]
    """Id of an existing project."""
    services: Annotated[Sequence[Annotated[str, API]], Entries("an API")]
    """APIs to enable, such as `container.googleapis.com`."""
    identities: NotRequired[Sequence[str]]
    """APIs, among `services`, whose service agent must exist before it is granted anything."""


def validate_project_services(args: ProjectServicesArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(ProjectServicesArgs, args)
    services = args["services"]
    for index, service in enumerate(services):
        if service in services[:index]:
            again = Problem((index,), f"{shown(service)} again", "each API once", "remove it")
            problems.extend([again], "services")
    for index, identity in enumerate(args.get("identities", ())):
        problems.check_limit(Choice(services), identity, "identities", index)
    return problems


class ProjectServices(pulumi.ComponentResource):
    """Enables APIs in parallel and creates the service agents asked for.

    APIs stay enabled when the stack is destroyed: others may use them by then. `project_id` and
    `project_number` can be used once every API, or Resource Manager's, answers.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/service-usage/docs/enable-disable
    https://cloud.google.com/iam/docs/service-agents
    """

    project_id: pulumi.Output[str]
    """The project's id; what takes it is created after all APIs are on."""
    project_number: pulumi.Output[str]
    service_agents: Mapping[str, pulumi.Output[str]]
    """Email of each service agent by API name."""

    def __init__(
        self, name: str, args: ProjectServicesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ProjectServices), name, {}, opts)
        validate_project_services(args).raise_if_any(f"ProjectServices {name}")

        services = {
            service: gcp.projects.Service(
                f"{name}-{service.removesuffix(_DOMAIN)}",
                project=args["project"],
                service=service,
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for service in args["services"]
        }
        identities = {
            identity: gcp.projects.ServiceIdentity(
                f"{name}-{identity.removesuffix(_DOMAIN)}-agent",
                project=args["project"],
                service=services[identity].service,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for identity in args.get("identities", ())
        }

        self._project = args["project"]
        self._services = services
        self.project_id = self.project_for(*services)
        self.project_number = gcp.organizations.get_project_output(
            project_id=args["project"],
            opts=pulumi.InvokeOutputOptions(
                parent=self,
                depends_on=[services[_RESOURCE_MANAGER]] if _RESOURCE_MANAGER in services else [],
            ),
        ).number
        self.service_agents = {name: identity.email for name, identity in identities.items()}
        register(self)

    def project_for(self, *apis: str) -> pulumi.Output[str]:
        """Return the project's id, for what needs these APIs on and no other.

        Raises KeyError for an API that is not among the component's `services`.
        """
        enabled = [self._services[f"{api.removesuffix(_DOMAIN)}{_DOMAIN}"].id for api in apis]
        return after(self._project, *enabled)

"""VpcPerimeter: a VPC Service Controls perimeter around the platform's project.

Owns the perimeter, its access levels, its bridges to other perimeters and, where none is given, the
access policy they live in. Does not own the network's path to Google APIs (Vpc does).
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_gcp as gcp

from catalog.limits.perimeter import levels_in_rules
from components.network.access_levels import identifier, make_access_levels
from components.network.perimeter_arguments import (
    DRY_RUN,
    VpcPerimeterArgs,
    validate_vpc_perimeter,
)
from components.network.perimeter_rules import egress_policy, ingress_policy
from components.validation import component_type, register


class VpcPerimeter(pulumi.ComponentResource):
    """Keeps the data of a project's services inside: calls across its border need a rule.

    In dry-run mode nothing is refused, and violations are logged; enforced refuses them. An access
    level that an ingress or egress rule names counts for that rule alone; the others open the whole
    perimeter to callers that meet them. Changes take up to half an hour to reach all services.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vpc-service-controls/docs/service-perimeters
    https://cloud.google.com/vpc-service-controls/docs/dry-run-mode
    """

    access_policy: pulumi.Output[str]
    """Number of the access policy."""
    perimeter_name: pulumi.Output[str]
    """`accessPolicies/<policy>/servicePerimeters/<name>`."""
    access_level_names: Mapping[str, pulumi.Output[str]]
    """`accessPolicies/<policy>/accessLevels/<name>` by the level's key."""

    def __init__(
        self, name: str, args: VpcPerimeterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(VpcPerimeter), name, {}, opts)
        validate_vpc_perimeter(args).raise_if_any(f"VpcPerimeter {name}")
        self._prefix = name
        self._args = args
        self._short_name = identifier(args["title"])
        self._protected = pulumi.ResourceOptions(
            parent=self, protect=args.get("deletion_protection") or None
        )

        self.access_policy = self._access_policy()
        self.access_level_names = make_access_levels(
            name,
            self._short_name,
            self.access_policy,
            args.get("access_levels", {}),
            pulumi.ResourceOptions(parent=self),
        )
        perimeter = self._perimeter()
        for bridge, projects in args.get("bridges", {}).items():
            self._bridge(bridge, projects, perimeter)
        self.perimeter_name = perimeter.name
        register(self)

    def _access_policy(self) -> pulumi.Output[str]:
        existing = self._args.get("access_policy")
        if existing is not None:
            return pulumi.Output.from_input(existing)
        return gcp.accesscontextmanager.AccessPolicy(
            f"{self._prefix}-access-policy",
            parent=pulumi.Output.concat("organizations/", self._args.get("organization", "")),
            title=self._args["title"],
            scopes=pulumi.Output.concat("projects/", self._args["project_number"]),
            opts=self._protected,
        ).name

    def _perimeter(self) -> gcp.accesscontextmanager.ServicePerimeter:
        dry_run = self._args["mode"] == DRY_RUN
        boundary = self._boundary()
        policy = pulumi.Output.concat("accessPolicies/", self.access_policy)
        return gcp.accesscontextmanager.ServicePerimeter(
            f"{self._prefix}-perimeter",
            parent=policy,
            name=pulumi.Output.concat(policy, "/servicePerimeters/", self._short_name),
            title=self._args["title"],
            perimeter_type="PERIMETER_TYPE_REGULAR",
            use_explicit_dry_run_spec=dry_run,
            spec=boundary if dry_run else None,
            status=None if dry_run else boundary,
            opts=self._protected,
        )

    def _boundary(self) -> gcp.accesscontextmanager.ServicePerimeterSpecArgsDict:
        args = self._args
        services = args["restricted_services"]
        names = self.access_level_names
        used = levels_in_rules(args)
        return {
            "resources": self._projects(args.get("projects", ())),
            "restricted_services": services,
            "vpc_accessible_services": {
                "enable_restriction": True,
                "allowed_services": args.get("vpc_accessible_services", services),
            },
            "access_levels": [level for key, level in names.items() if key not in used],
            "ingress_policies": [ingress_policy(rule, names) for rule in args.get("ingress", ())],
            "egress_policies": [egress_policy(rule, names) for rule in args.get("egress", ())],
        }

    def _projects(self, others: Sequence[str]) -> list[pulumi.Input[str]]:
        own = pulumi.Output.concat("projects/", self._args["project_number"])
        return [own, *(f"projects/{number}" for number in others)]

    def _bridge(
        self,
        key: str,
        projects: Sequence[str],
        perimeter: gcp.accesscontextmanager.ServicePerimeter,
    ) -> None:
        dry_run = self._args["mode"] == DRY_RUN
        policy = pulumi.Output.concat("accessPolicies/", self.access_policy)
        short_name = f"{self._short_name}_{identifier(key)}"
        joined: gcp.accesscontextmanager.ServicePerimeterSpecArgsDict = {
            "resources": self._projects(projects)
        }
        gcp.accesscontextmanager.ServicePerimeter(
            f"{self._prefix}-{key}-bridge",
            parent=policy,
            name=pulumi.Output.concat(policy, "/servicePerimeters/", short_name),
            title=short_name,
            perimeter_type="PERIMETER_TYPE_BRIDGE",
            use_explicit_dry_run_spec=dry_run,
            spec=joined if dry_run else None,
            status=None if dry_run else joined,
            # A project is bridged only once a perimeter holds it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[perimeter]),
        )

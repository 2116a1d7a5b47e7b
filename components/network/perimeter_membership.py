"""PerimeterMembership: a project in a VPC Service Controls perimeter that is there.

Owns the project's place in it, and rules and access levels of its own. Does not own the perimeter,
what it restricts, nor the access policy.
"""

import pulumi
from pulumi_gcp import accesscontextmanager as acm

from components.network.access_levels import identifier, make_access_levels
from components.network.perimeter_arguments import (
    DRY_RUN,
    PerimeterMembershipArgs,
    validate_perimeter_membership,
)
from components.network.perimeter_rules import egress_policy, ingress_policy
from components.ready import after
from components.validation import component_type, register


class PerimeterMembership(pulumi.ComponentResource):
    """Puts a project into a perimeter, with the ways in and out that it needs.

    In dry-run mode it joins what the perimeter tries, where violations are logged; enforced, what
    it refuses. Its rules come first, so that nothing is refused in between. The program that makes
    the perimeter must leave alone the resources and rules that it doesn't know, such as by
    `ignore_changes` on them.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vpc-service-controls/docs/manage-service-perimeters
    """

    perimeter_name: pulumi.Output[str]
    """Full name of the perimeter, known once the project is inside."""

    def __init__(
        self,
        name: str,
        args: PerimeterMembershipArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(PerimeterMembership), name, {}, opts)
        validate_perimeter_membership(args).raise_if_any(f"PerimeterMembership {name}")
        dry_run, perimeter = args["mode"] == DRY_RUN, args["perimeter"]
        child = pulumi.ResourceOptions(parent=self)
        levels = make_access_levels(
            name,
            identifier(args["title"]),
            perimeter.split("/")[1],
            args.get("access_levels", {}),
            child,
        )
        rules: list[pulumi.Resource] = []
        ingress = (
            acm.ServicePerimeterDryRunIngressPolicy
            if dry_run
            else acm.ServicePerimeterIngressPolicy
        )
        egress = (
            acm.ServicePerimeterDryRunEgressPolicy if dry_run else acm.ServicePerimeterEgressPolicy
        )
        for position, rule in enumerate(args.get("ingress", ()), 1):
            policy = ingress_policy(rule, levels)
            rules.append(
                ingress(
                    f"{name}-ingress-{position}",
                    perimeter=perimeter,
                    ingress_from=policy.get("ingress_from"),
                    ingress_to=policy.get("ingress_to"),
                    opts=child,
                )
            )
        for position, rule in enumerate(args.get("egress", ()), 1):
            policy = egress_policy(rule, levels)
            rules.append(
                egress(
                    f"{name}-egress-{position}",
                    perimeter=perimeter,
                    egress_from=policy.get("egress_from"),
                    egress_to=policy.get("egress_to"),
                    opts=child,
                )
            )
        joins = acm.ServicePerimeterDryRunResource if dry_run else acm.ServicePerimeterResource
        place = joins(
            f"{name}-project",
            perimeter_name=perimeter,
            resource=pulumi.Output.concat("projects/", args["project_number"]),
            opts=pulumi.ResourceOptions(parent=self, depends_on=rules),
        )
        self.perimeter_name = after(perimeter, place.id)
        register(self)


__all__ = ["PerimeterMembership", "PerimeterMembershipArgs", "validate_perimeter_membership"]

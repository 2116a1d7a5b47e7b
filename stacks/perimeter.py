"""The VPC Service Controls perimeter around the platform's project."""

import pulumi

from catalog.conventions import PLATFORM
from components.network.perimeter_arguments import PerimeterMembershipArgs, VpcPerimeterArgs
from components.network.perimeter_membership import PerimeterMembership
from components.network.vpc_perimeter import VpcPerimeter
from components.ready import after
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation


def build_perimeter(platform: Platform, foundation: Foundation) -> pulumi.Output[str] | None:
    """Make the perimeter, or join the one that is there; return its full name, known once the
    project is inside, and None where the config has none."""
    perimeter = platform.perimeter
    if perimeter is None:
        return None
    title = f"{PLATFORM}_{platform.environment.replace('-', '_')}"
    number = _number_once_enabled(foundation)
    if perimeter.existing is not None:
        joins = to_args(
            PerimeterMembershipArgs,
            perimeter,
            project_number=number,
            perimeter=perimeter.existing,
            title=title,
        )
        return PerimeterMembership(PLATFORM, joins, foundation.google).perimeter_name
    args = to_args(
        VpcPerimeterArgs,
        perimeter,
        project_number=number,
        title=title,
        deletion_protection=platform.deletion_protection,
    )
    if platform.project.organization is not None:
        args["organization"] = platform.project.organization
    return VpcPerimeter(PLATFORM, args, foundation.google).perimeter_name


def _number_once_enabled(foundation: Foundation) -> pulumi.Output[str]:
    """Return the project's number, once access policies can be made."""
    services = foundation.services
    return after(services.project_number, services.project_for("accesscontextmanager"))

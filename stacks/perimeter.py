"""The VPC Service Controls perimeter around the platform's project."""

import pulumi

from catalog.conventions import PLATFORM
from components.network.perimeter_arguments import VpcPerimeterArgs
from components.network.vpc_perimeter import VpcPerimeter
from components.ready import after
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation


def build_perimeter(platform: Platform, foundation: Foundation) -> VpcPerimeter | None:
    """Make the perimeter; None where the config has none."""
    perimeter = platform.perimeter
    if perimeter is None:
        return None
    args = to_args(
        VpcPerimeterArgs,
        perimeter,
        project_number=_number_once_enabled(foundation),
        title=f"{PLATFORM}_{platform.environment.replace('-', '_')}",
        deletion_protection=platform.deletion_protection,
    )
    if platform.project.organization is not None:
        args["organization"] = platform.project.organization
    return VpcPerimeter(PLATFORM, args, foundation.google)


def _number_once_enabled(foundation: Foundation) -> pulumi.Output[str]:
    """Return the project's number, once access policies can be made."""
    services = foundation.services
    return after(services.project_number, services.project_for("accesscontextmanager"))

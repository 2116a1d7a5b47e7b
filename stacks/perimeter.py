"""The VPC Service Controls perimeter around the platform's project."""

from typing import cast

import pulumi

from components.network.perimeter_arguments import VpcPerimeterArgs
from components.network.vpc_perimeter import VpcPerimeter
from components.ready import after
from config.platform import Platform
from stacks.foundation import PLATFORM, Foundation


def build_perimeter(platform: Platform, foundation: Foundation) -> VpcPerimeter | None:
    """Make the perimeter; None where the config has none."""
    perimeter = platform.perimeter
    if perimeter is None:
        return None
    rules = cast("VpcPerimeterArgs", perimeter.model_dump(by_alias=True))
    args: VpcPerimeterArgs = {
        **rules,
        "project_number": _number_once_enabled(foundation),
        "title": f"{PLATFORM}_{platform.environment.replace('-', '_')}",
        "deletion_protection": platform.deletion_protection,
    }
    if platform.project.organization is not None:
        args["organization"] = platform.project.organization
    return VpcPerimeter(PLATFORM, args, foundation.google)


def _number_once_enabled(foundation: Foundation) -> pulumi.Output[str]:
    """Return the project's number, once access policies can be made."""
    services = foundation.services
    return after(services.project_number, services.project_for("accesscontextmanager"))

"""The VPC Service Controls perimeter around the platform's project."""

import pulumi

from components.network.perimeter_arguments import AccessLevel as AccessLevelArgs
from components.network.perimeter_arguments import RuleFrom as RuleFromArgs
from components.network.perimeter_arguments import RuleTo as RuleToArgs
from components.network.perimeter_arguments import VpcPerimeterArgs
from components.network.vpc_perimeter import VpcPerimeter
from components.ready import after
from config.perimeter import AccessLevel, RuleFrom, RuleTo
from config.platform import Platform
from stacks.foundation import PLATFORM, Foundation


def build_perimeter(platform: Platform, foundation: Foundation) -> VpcPerimeter | None:
    """Make the perimeter; None where the config has none."""
    perimeter = platform.perimeter
    if perimeter is None:
        return None
    args: VpcPerimeterArgs = {
        "project_number": _number_once_enabled(foundation),
        "access_policy": perimeter.access_policy,
        "title": f"{PLATFORM}_{platform.environment.replace('-', '_')}",
        "mode": perimeter.mode,
        "restricted_services": perimeter.restricted_services,
        "vpc_accessible_services": perimeter.vpc_accessible_services,
        "access_levels": {
            name: _access_level(level) for name, level in perimeter.access_levels.items()
        },
        "ingress": [
            {"ingress_from": _from(rule.from_), "ingress_to": _to(rule.to)}
            for rule in perimeter.ingress
        ],
        "egress": [
            {"egress_from": _from(rule.from_), "egress_to": _to(rule.to)}
            for rule in perimeter.egress
        ],
        "deletion_protection": platform.deletion_protection,
    }
    if platform.project.organization is not None:
        args["organization"] = platform.project.organization
    return VpcPerimeter(PLATFORM, args, foundation.google)


def _number_once_enabled(foundation: Foundation) -> pulumi.Output[str]:
    """Return the project's number, once access policies can be made."""
    services = foundation.services
    return after(services.project_number, services.project_for("accesscontextmanager"))


def _access_level(level: AccessLevel) -> AccessLevelArgs:
    return {
        "ip_subnetworks": level.ip_subnetworks,
        "members": level.members,
        "regions": level.regions,
    }


def _from(source: RuleFrom) -> RuleFromArgs:
    args: RuleFromArgs = {
        "identities": source.identities,
        "access_levels": source.access_levels,
        "projects": source.projects,
    }
    if source.identity_type is not None:
        args["identity_type"] = source.identity_type
    return args


def _to(target: RuleTo) -> RuleToArgs:
    return {"services": target.services, "projects": target.projects}

"""What can be checked of a perimeter's arguments before anything is made."""

import ipaddress
from collections.abc import Collection

from components.network.perimeter_arguments import (
    ANY,
    DRY_RUN,
    ENFORCED,
    AccessLevel,
    RuleFrom,
    RuleTo,
    VpcPerimeterArgs,
    levels_in_rules,
)
from components.validation import Problems


def validate_vpc_perimeter(args: VpcPerimeterArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(VpcPerimeterArgs, args)
    if args.get("access_policy") is None and not args.get("organization"):
        problems.add(
            "organization",
            "found none, allowed: the organization's number; give it, or access_policy where the "
            "organization has a policy",
        )
    for key, level in args.get("access_levels", {}).items():
        _check_level(problems, f"access_levels.{key}", level)
    _check_ingress(problems, args)
    _check_egress(problems, args)
    _check_lock_out(problems, args)
    return problems


def _check_level(problems: Problems, path: str, level: AccessLevel) -> None:
    if not any(level.values()):
        problems.add(
            path,
            "found no condition, which anyone meets; give ip_subnetworks, members or regions",
        )
    for index, value in enumerate(level.get("ip_subnetworks", ())):
        _check_range(problems, f"{path}.ip_subnetworks[{index}]", value)


def _check_range(problems: Problems, path: str, value: str) -> None:
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        problems.add(path, f"found {value!r}, allowed: an address range; {error}")
        return
    if network.prefixlen == 0:
        problems.add(path, f"found {value!r}, which anyone meets; give the ranges callers use")


def _check_ingress(problems: Problems, args: VpcPerimeterArgs) -> None:
    levels = (*args.get("access_levels", {}), ANY)
    for index, rule in enumerate(args.get("ingress", ())):
        path = f"ingress[{index}].ingress_from"
        source = rule["ingress_from"]
        _check_from(problems, path, source, levels)
        if not source.get("access_levels") and not source.get("projects"):
            problems.add(
                path,
                "found no place to call from, allowed: access_levels, projects or both; give one "
                f"('{ANY}' among access_levels for any place)",
            )
        _check_to(problems, f"ingress[{index}].ingress_to", rule["ingress_to"])


def _check_egress(problems: Problems, args: VpcPerimeterArgs) -> None:
    for index, rule in enumerate(args.get("egress", ())):
        path = f"egress[{index}].egress_to"
        _check_from(
            problems,
            f"egress[{index}].egress_from",
            rule["egress_from"],
            args.get("access_levels", {}),
        )
        _check_to(problems, path, rule["egress_to"])
        if not rule["egress_to"].get("projects"):
            problems.add(
                f"{path}.projects",
                f"found none, allowed: project numbers, or '{ANY}' for everyone's projects; "
                "give those called",
            )


def _check_from(problems: Problems, path: str, source: RuleFrom, levels: Collection[str]) -> None:
    identities = source.get("identities", ())
    identity_type = source.get("identity_type")
    if bool(identities) == (identity_type is not None):
        problems.add(
            path,
            f"found {len(identities)} identities and identity_type {identity_type}, allowed: one "
            "of the two; say who calls",
        )
    for index, level in enumerate(source.get("access_levels", ())):
        problems.check_one_of(f"{path}.access_levels[{index}]", level, levels)


def _check_to(problems: Problems, path: str, target: RuleTo) -> None:
    for service, methods in target["services"].items():
        if service != ANY:
            problems.check_not_empty(
                f"{path}.services.{service}", methods, f"methods, or '{ANY}' for all"
            )


def _check_lock_out(problems: Problems, args: VpcPerimeterArgs) -> None:
    """Refuse to enforce a perimeter its own deployer may not be able to manage any more."""
    if args["mode"] != ENFORCED or set(args.get("access_levels", {})) - levels_in_rules(args):
        return
    let_in = {
        service for rule in args.get("ingress", ()) for service in rule["ingress_to"]["services"]
    }
    shut = [] if ANY in let_in else sorted(set(args["restricted_services"]) - let_in)
    if shut:
        problems.add(
            "mode",
            f"found '{ENFORCED}' with no way into {', '.join(shut)}, which locks out whoever "
            "deploys from outside; add an access level or an ingress rule for the deployer, or "
            f"stay with '{DRY_RUN}'",
        )

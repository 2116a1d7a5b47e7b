"""The perimeter: no lock-out, no open door, and only access levels that exist."""

from collections.abc import Iterator, Set

from config.errors import KeyPath, Problem, did_you_mean, listed, shown
from config.known import Known
from config.perimeter import Perimeter, Rule


def check_perimeter(known: Known) -> Iterator[Problem]:
    """Yield the perimeter and each of its rules."""
    perimeter = known.perimeter
    if perimeter is None:
        return
    path = ("perimeter",)
    if perimeter.access_policy is None and known.project and known.project.organization is None:
        yield Problem(
            ("project", "organization"),
            "nothing",
            "the organization's number when perimeter.access_policy is not given",
            "add it (`gcloud organizations list`), give an access policy, or remove perimeter",
        )
    if perimeter.mode == "enforced" and (shut := _shut(perimeter)):
        yield Problem(
            (*path, "mode"),
            f"'enforced' with no way from outside into {len(shut)} of its APIs",
            "dry-run, or a way in for who deploys",
            "add an access level that no rule names, or an ingress rule: else nobody outside gets"
            " in any more, this program included",
        )
    for name, level in perimeter.access_levels.items():
        if not (level.ip_subnetworks or level.members or level.regions):
            yield Problem(
                (*path, "access_levels", name),
                "no condition",
                "at least one of ip_subnetworks, members, regions",
                "add one or remove the access level",
            )
    for direction, rules in (("ingress", perimeter.ingress), ("egress", perimeter.egress)):
        for position, rule in enumerate(rules):
            yield from _check_rule((*path, direction, position), direction, perimeter, rule)


def _shut(perimeter: Perimeter) -> Set[str]:
    """Return the APIs that nobody outside may call; a level that no rule names opens all."""
    rules = (*perimeter.ingress, *perimeter.egress)
    named = {name for rule in rules for name in rule.from_.access_levels}
    opened = {service for rule in perimeter.ingress for service in rule.to.services}
    if perimeter.access_levels.keys() - named or "*" in opened:
        return set()
    return {*perimeter.restricted_services} - opened


def _check_rule(
    path: KeyPath, direction: str, perimeter: Perimeter, rule: Rule
) -> Iterator[Problem]:
    who, to = rule.from_, rule.to
    if bool(who.identities) == (who.identity_type is not None):
        yield Problem(
            (*path, "from"),
            "both identities and identity_type" if who.identities else "neither of them",
            "exactly one of identities, identity_type",
            "keep one" if who.identities else "say who may pass",
        )
    if direction == "ingress" and not who.access_levels and not who.projects:
        yield Problem(
            (*path, "from"),
            "no source",
            "at least one of access_levels, projects",
            "say where the requests come from",
        )
    for position, name in enumerate(who.access_levels):
        if name not in perimeter.access_levels and name != "*":
            yield Problem(
                (*path, "from", "access_levels", position),
                shown(name),
                listed(perimeter.access_levels),
                did_you_mean(name, perimeter.access_levels, "add it to perimeter.access_levels"),
            )
    if who.identity_type == "ANY_IDENTITY" and "*" in to.services:
        yield Problem(
            (*path, "to", "services"),
            "all services for ANY_IDENTITY",
            "named services, or named identities",
            "name the services: such a rule opens the perimeter for everyone",
        )
    if direction == "egress" and who.identity_type == "ANY_IDENTITY" and "*" in to.projects:
        yield Problem(
            (*path, "to", "projects"),
            "all projects for ANY_IDENTITY",
            "numbers of projects, or named identities",
            "name the projects: such a rule lets anyone carry data out",
        )
    for service, methods in to.services.items():
        if not methods:
            yield Problem(
                (*path, "to", "services", service), "no method", "methods, or ['*']", "add one"
            )
        elif service == "*" and methods != ("*",):
            yield Problem(
                (*path, "to", "services", service),
                "some methods of all services",
                "['*'] for the service '*'",
                "name the service the methods belong to",
            )
    for kind, projects in (("from", who.projects), ("to", to.projects)):
        if "*" in projects and len(projects) > 1:
            yield Problem(
                (*path, kind, "projects"),
                "'*' beside project numbers",
                "'*' alone, or numbers",
                "keep one",
            )

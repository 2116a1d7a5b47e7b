"""What does not fit together in a VPC Service Controls perimeter."""

from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

from catalog.problems import KeyPath, Problem, below, did_you_mean, joined, shown
from catalog.services import SUPPORTED_SERVICES

ANY: Final = "*"
CONDITIONS: Final = ("ip_subnetworks", "members", "regions", "networks")
_DIRECTIONS: Final = ("ingress", "egress")


def levels_in_rules(perimeter: Mapping[str, Any]) -> Set[str]:
    """Return the names of the access levels that a rule names: they count for that rule alone."""
    rules = (rule for direction in _DIRECTIONS for rule in perimeter.get(direction) or ())
    return {name for rule in rules for name in rule["from"].get("access_levels") or ()} - {ANY}


def perimeter(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield lock-outs, open doors and unknown access levels."""
    shut = _shut(given)
    yield from _joined(given)
    if given["mode"] == "enforced" and shut:
        yield Problem(
            ("mode",),
            f"'enforced' with no way from outside into {len(shut)} of its APIs",
            "dry-run, or a way in for who deploys",
            "add an ingress rule that names it: else nobody outside gets in any more, this program"
            " included",
        )
    for key in ("restricted_services", "vpc_accessible_services"):
        for position, service in enumerate(given.get(key) or ()):
            yield from _supported((key, position), service)
    levels: Mapping[str, Any] = given.get("access_levels") or {}
    for name, level in levels.items():
        yield from below(("access_levels", name), _level(level))
    for direction in _DIRECTIONS:
        for position, rule in enumerate(given.get(direction) or ()):
            path = (direction, position)
            yield from below((*path, "from"), _source(direction, levels, rule["from"]))
            yield from below((*path, "to"), _target(direction, rule["from"], rule["to"]))
            for service in rule["to"]["services"]:
                yield from _supported((*path, "to", "services", service), service)


def _supported(path: KeyPath, service: str) -> Iterator[Problem]:
    # What is no name of an API at all is told as such.
    if service.endswith(".googleapis.com") and service not in SUPPORTED_SERVICES:
        yield Problem(
            path,
            shown(service),
            "an API that VPC Service Controls supports",
            "remove it (`gcloud access-context-manager supported-services list`)",
        )


def _joined(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield levels of a project that joins a perimeter which no rule names: they would be its
    owner's to let in."""
    if not given.get("existing"):
        return
    for name in sorted((given.get("access_levels") or {}).keys() - levels_in_rules(given)):
        yield Problem(
            ("access_levels", name),
            "an access level that no rule names",
            "levels that ingress or egress names, in a perimeter that is there",
            "name it in a rule, or have the perimeter's owner let it in",
        )


def _level(level: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what no caller could be, and what stands beside a list of conditions."""
    listed = level.get("any_of") or ()
    alone = {key: value for key, value in level.items() if key != "any_of" and value}
    if listed and alone:
        yield Problem(
            ("any_of",),
            f"conditions beside {joined(alone)}",
            "any_of alone, or conditions that must all be met",
            "move them into each entry of any_of",
        )
    for path, each in (
        [((), alone)]
        if not listed
        else [(("any_of", position), each) for position, each in enumerate(listed)]
    ):
        if not any(each.values()):
            yield Problem(
                path,
                "no condition",
                f"at least one of {', '.join(CONDITIONS)}",
                "add one or remove the access level" if not path else "add one or remove the entry",
            )
        elif each.get("ip_subnetworks") and each.get("networks"):
            yield Problem(
                (*path, "networks"),
                "networks beside ip_subnetworks",
                "one of them: a call has a public address or comes from a VPC network",
                "give both as two entries of any_of",
            )


def _shut(given: Mapping[str, Any]) -> Set[str]:
    """Return the APIs that no rule lets anybody outside call.

    A level that no rule names lets in whoever meets it, which need not be who deploys.
    """
    if given.get("existing"):
        return set()
    opened = {api for rule in given.get("ingress") or () for api in rule["to"]["services"]}
    if ANY in opened:
        return set()
    return {*given["restricted_services"]} - opened


def _source(direction: str, levels: Mapping[str, Any], who: Mapping[str, Any]) -> Iterator[Problem]:
    named = who.get("access_levels") or ()
    if bool(who.get("identities")) == (who.get("identity_type") is not None):
        yield Problem(
            (),
            "both identities and identity_type" if who.get("identities") else "neither of them",
            "exactly one of identities, identity_type",
            "keep one" if who.get("identities") else "say who may pass",
        )
    if direction == "ingress" and not any(
        who.get(key) for key in ("access_levels", "projects", "networks")
    ):
        yield Problem(
            (),
            "no source",
            "at least one of access_levels, projects, networks",
            "say where the requests come from",
        )
    for position, name in enumerate(named):
        if name not in levels and (name != ANY or direction == "egress"):
            yield Problem(
                ("access_levels", position),
                shown(name),
                joined(levels),
                did_you_mean(name, levels, "add it to the perimeter's access_levels"),
            )
    yield from _projects(who)


def _target(direction: str, who: Mapping[str, Any], to: Mapping[str, Any]) -> Iterator[Problem]:
    anyone = who.get("identity_type") == "ANY_IDENTITY"
    projects = to.get("projects") or ()
    if anyone and ANY in to["services"]:
        yield Problem(
            ("services",),
            "all services for ANY_IDENTITY",
            "named services, or named identities",
            "name the services: such a rule opens the perimeter for everyone",
        )
    if direction == "egress" and not projects:
        yield Problem(
            ("projects",), "nothing", "project numbers, or '*' for everyone's", "give those called"
        )
    if direction == "egress" and anyone and ANY in projects:
        yield Problem(
            ("projects",),
            "all projects for ANY_IDENTITY",
            "numbers of projects, or named identities",
            "name the projects: such a rule lets anyone carry data out",
        )
    for service, methods in to["services"].items():
        if not methods:
            yield Problem(("services", service), "no method", "methods, or ['*']", "add one")
        elif service == ANY and tuple(methods) != (ANY,):
            yield Problem(
                ("services", service),
                "some methods of all services",
                "['*'] for the service '*'",
                "name the service the methods belong to",
            )
    yield from _projects(to)


def _projects(side: Mapping[str, Any]) -> Iterator[Problem]:
    projects = side.get("projects") or ()
    path: KeyPath = ("projects",)
    if ANY in projects and len(projects) > 1:
        yield Problem(path, "'*' beside project numbers", "'*' alone, or numbers", "keep one")

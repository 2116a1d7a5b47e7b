"""Service perimeters: the projects they hold and the ways in and out of them.

https://cloud.google.com/vpc-service-controls/docs/ingress-egress-rules
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from catalog.conventions import PUBLIC
from policies.shared.mail import PUBLIC_MAIL
from policies.shared.projects import project_of
from resources.properties import MISSING, UNKNOWN, elements, entries, get, text
from resources.resource import Resource

_ACM: Final = "gcp:accesscontextmanager/"
PERIMETER: Final = f"{_ACM}servicePerimeter:ServicePerimeter"
PERIMETERS: Final = f"{_ACM}servicePerimeters:ServicePerimeters"
# Rules that stand outside the perimeter's own resource, and their direction.
RULES: Final[Mapping[str, str]] = {
    f"{_ACM}servicePerimeterDryRunEgressPolicy:ServicePerimeterDryRunEgressPolicy": "egress",
    f"{_ACM}servicePerimeterDryRunIngressPolicy:ServicePerimeterDryRunIngressPolicy": "ingress",
    f"{_ACM}servicePerimeterEgressPolicy:ServicePerimeterEgressPolicy": "egress",
    f"{_ACM}servicePerimeterIngressPolicy:ServicePerimeterIngressPolicy": "ingress",
}
# What puts one project into a perimeter, or lets a perimeter reach it.
SINGLE: Final = (
    f"{_ACM}egressPolicy:EgressPolicy",
    f"{_ACM}ingressPolicy:IngressPolicy",
    f"{_ACM}servicePerimeterDryRunResource:ServicePerimeterDryRunResource",
    f"{_ACM}servicePerimeterResource:ServicePerimeterResource",
)
_ANY: Final = ("ANY_IDENTITY", "ANY_SERVICE_ACCOUNT", "ANY_USER_ACCOUNT", UNKNOWN)
_ACCOUNT: Final = re.compile(r"([a-z0-9-]+)\.iam\.gserviceaccount\.com")
# Google's own agents act inside the perimeter of whoever they serve.
_OF_GOOGLE: Final = re.compile(
    r"(gcp-sa-[a-z0-9-]+|service-[a-z0-9-]+|[a-z0-9-]+-(robot|system|service-agent))"
    r"\.iam\.gserviceaccount\.com|cloudservices\.gserviceaccount\.com|system\.gserviceaccount\.com"
)
_FEDERATED: Final = re.compile(r"principal(?:Set)?://iam\.googleapis\.com/projects/([^/]+)/")
# Roles of every service at once.
_MUCH: Final = {"roles/owner", "roles/editor"}
_EVERYBODY: Final = ("*", *PUBLIC)


@dataclass(frozen=True)
class Bounds:
    """What the environment says: the stack's own projects, those that data may go to, and the
    domains of people and accounts."""

    own: frozenset[str]
    egress: frozenset[str]
    domains: frozenset[str] = frozenset()


def too_wide(rule: object, direction: str, bounds: Bounds) -> Iterator[str]:
    """Yield what is too wide in an ingress or egress rule."""
    if direction == "ingress":
        yield from _ingress(rule, bounds)
    else:
        yield from _egress(rule, bounds)


def has_outside_project(resources: tuple[object, ...], allowed: frozenset[str]) -> bool:
    """Return whether one of the projects or networks is of none of the projects."""
    return any(
        isinstance(each, str) and each != "*" and project_of(each) not in allowed
        for each in resources
    )


def has_outside_identity(identities: Iterable[object], bounds: Bounds) -> bool:
    """Return whether one of the identities is of no domain and no project that the environment
    names; where it names none, whether one has an address that anybody gets."""
    return any(isinstance(each, str) and _is_stranger(each, bounds) for each in identities)


def _is_stranger(identity: str, bounds: Bounds) -> bool:
    federated = _FEDERATED.match(identity)
    if federated:
        return bool(bounds.own) and federated[1] not in bounds.own | bounds.egress
    domain = identity.rpartition("@")[2].lower()
    if "@" not in identity or _OF_GOOGLE.fullmatch(domain):
        return False
    account = _ACCOUNT.fullmatch(domain)
    if account and account[1] in bounds.own:
        return False
    return domain not in bounds.domains if bounds.domains else domain in PUBLIC_MAIL


def _anyone(origin: object) -> bool:
    identities = entries(origin, "identities")
    named = identities if isinstance(identities, tuple) else ()
    return text(origin, "identityType") in _ANY or any(
        each in _EVERYBODY or (isinstance(each, str) and each.endswith("/*")) for each in named
    )


def _operations(target: object) -> tuple[object, ...]:
    found = entries(target, "operations")
    return found if isinstance(found, tuple) else ()


def _ingress(rule: object, bounds: Bounds) -> Iterator[str]:
    origin = get(rule, "ingressFrom")
    sources = entries(origin, "sources")
    known = sources if isinstance(sources, tuple) else ()
    nowhere = sources in (MISSING, ())
    if _anyone(origin):
        anywhere = not known or any(text(each, "accessLevel") == "*" for each in known)
        operations = _operations(get(rule, "ingressTo"))
        anything = any(text(each, "serviceName") == "*" for each in operations)
        if anywhere or anything or nowhere:
            yield "an ingress rule for any identity that is not narrow"
    if _MUCH & {*elements(rule, "ingressTo", "roles")}:
        yield "an ingress rule for a basic role"
    if has_outside_identity(elements(origin, "identities"), bounds):
        yield "an ingress rule for somebody whom the environment does not name"
    projects = tuple(text(each, "resource") for each in known)
    if "*" in projects or (
        bounds.own and has_outside_project(projects, bounds.own | bounds.egress)
    ):
        yield "an ingress rule from a project that the environment does not name"


def _egress(rule: object, bounds: Bounds) -> Iterator[str]:
    origin, target = get(rule, "egressFrom"), get(rule, "egressTo")
    resources = entries(target, "resources")
    known = resources if isinstance(resources, tuple) else ()
    everything = "*" in known and "*" not in bounds.egress
    services = [text(each, "serviceName") for each in _operations(target)]
    if _anyone(origin) and (everything or "*" in services or resources is MISSING):
        yield "an egress rule for any identity that is not narrow"
    elif everything:
        yield "an egress rule to any project"
    if _MUCH & {*elements(target, "roles")}:
        yield "an egress rule for a basic role"
    if has_outside_identity(elements(origin, "identities"), bounds):
        yield "an egress rule for somebody whom the environment does not name"
    if entries(target, "externalResources") not in (MISSING, ()):
        yield "an egress rule to storage outside Google Cloud"
    if (
        bounds.own
        and "*" not in bounds.egress
        and has_outside_project(known, bounds.own | bounds.egress)
    ):
        yield "an egress rule to a project that the environment does not name"


def regular(resource: Resource) -> Iterator[object]:
    """Yield the perimeters of a resource that are no bridges, which restrict nothing themselves."""
    yield from (each for each in _all(resource) if not _is_bridge(each))


def bridges(resource: Resource) -> Iterator[object]:
    """Yield the bridges of a resource."""
    yield from (each for each in _all(resource) if _is_bridge(each))


def _all(resource: Resource) -> tuple[object, ...]:
    found = (
        (resource.props,)
        if resource.type == PERIMETER
        else entries(resource.props, "servicePerimeters")
    )
    return found if isinstance(found, tuple) else ()


def _is_bridge(perimeter: object) -> bool:
    return text(perimeter, "perimeterType") == "PERIMETER_TYPE_BRIDGE"

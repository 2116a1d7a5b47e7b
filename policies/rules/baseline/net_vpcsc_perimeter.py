"""The service perimeter restricts every service the stack uses, and is not open."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from catalog.services import SERVICES, SUPPORTED_SERVICES
from policies.shared.access_levels import CONDITION, LEVELS, named, open_levels
from policies.shared.limits import Limits, NamesLimit
from policies.shared.perimeters import (
    PERIMETER,
    PERIMETERS,
    RULES,
    SINGLE,
    Bounds,
    bridges,
    has_outside_identity,
    has_outside_project,
    regular,
    too_wide,
)
from policies.shared.projects import own_projects, project_of
from policies.shared.rule import StackFinding, StackRule
from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    elements,
    entries,
    flag,
    get,
    is_mapping,
    text,
)
from resources.resource import Resource, stack_of

_POLICY: Final = "gcp:accesscontextmanager/accessPolicy:AccessPolicy"
_BINDING: Final = "gcp:accesscontextmanager/gcpUserAccessBinding:GcpUserAccessBinding"
_ORGANIZATIONS: Final = "gcp:accesscontextmanager/authorizedOrgsDesc:AuthorizedOrgsDesc"

# The platform's own table says of some that no perimeter needs them.
_RESTRICTABLE: Final = SUPPORTED_SERVICES - {
    name for name, service in SERVICES.items() if not service.perimeter
}
_WHOLE_PROJECT: Final = re.compile(r"projects/[^/]+")
# Module of a type token: the service that must be restricted when the stack uses it.
_SERVICES: Final[Mapping[str, str]] = {
    "alloydb": "alloydb.googleapis.com",
    "apigee": "apigee.googleapis.com",
    "artifactregistry": "artifactregistry.googleapis.com",
    "bigquery": "bigquery.googleapis.com",
    "bigtable": "bigtable.googleapis.com",
    "binaryauthorization": "binaryauthorization.googleapis.com",
    "certificateauthority": "privateca.googleapis.com",
    "certificatemanager": "certificatemanager.googleapis.com",
    "cloudbuild": "cloudbuild.googleapis.com",
    "cloudfunctions": "cloudfunctions.googleapis.com",
    "cloudfunctionsv2": "cloudfunctions.googleapis.com",
    "cloudrun": "run.googleapis.com",
    "cloudrunv2": "run.googleapis.com",
    "composer": "composer.googleapis.com",
    "compute": "compute.googleapis.com",
    "container": "container.googleapis.com",
    "datacatalog": "datacatalog.googleapis.com",
    "dataflow": "dataflow.googleapis.com",
    "dataloss": "dlp.googleapis.com",
    "dataproc": "dataproc.googleapis.com",
    "dataplex": "dataplex.googleapis.com",
    "diagflow": "dialogflow.googleapis.com",
    "discoveryengine": "discoveryengine.googleapis.com",
    "dns": "dns.googleapis.com",
    "eventarc": "eventarc.googleapis.com",
    "filestore": "file.googleapis.com",
    "firestore": "firestore.googleapis.com",
    "healthcare": "healthcare.googleapis.com",
    "kms": "cloudkms.googleapis.com",
    "logging": "logging.googleapis.com",
    "memcache": "memcache.googleapis.com",
    "modelarmor": "modelarmor.googleapis.com",
    "monitoring": "monitoring.googleapis.com",
    "networkconnectivity": "networkconnectivity.googleapis.com",
    "networkservices": "networkservices.googleapis.com",
    "pubsub": "pubsub.googleapis.com",
    "redis": "redis.googleapis.com",
    "secretmanager": "secretmanager.googleapis.com",
    "spanner": "spanner.googleapis.com",
    "sql": "sqladmin.googleapis.com",
    "storage": "storage.googleapis.com",
    "vertex": "aiplatform.googleapis.com",
    "workbench": "notebooks.googleapis.com",
    "workflows": "workflows.googleapis.com",
}


def _used(resources: Sequence[Resource]) -> frozenset[str]:
    """Return the services that resources are of or that the stack enables, if one can restrict
    them."""
    modules = (each.type.removeprefix("gcp:").partition("/")[0] for each in resources)
    enabled = (
        text(each.props, "service")
        for each in stack_of(resources).by_type.get("gcp:projects/service:Service", ())
    )
    return frozenset(
        {_SERVICES[module] for module in modules if module in _SERVICES}
        | {each for each in enabled if isinstance(each, str) and each in _RESTRICTABLE}
    )


def _perimeter(
    props: object, used: frozenset[str], modes: tuple[str, ...], bounds: Bounds
) -> Iterator[str]:
    enforced = is_mapping(get(props, "status"))
    mode = "enforced" if enforced else "dry-run"
    if mode not in modes:
        yield f"is in the mode {mode}, allowed: {', '.join(modes) or 'none'}"
    config = get(props, "status" if enforced else "spec")
    restricted = entries(config, "restrictedServices")
    if isinstance(restricted, tuple) and UNKNOWN not in restricted:
        for service in sorted(used - {each for each in restricted if isinstance(each, str)}):
            yield f"does not restrict {service}, which the stack uses"
    elif restricted is MISSING:
        yield "restricts no service"
    yield from _accessible(config, restricted, known=any(each.isdigit() for each in bounds.own))
    projects = entries(config, "resources")
    if bounds.own and isinstance(projects, tuple) and has_outside_project(projects, bounds.own):
        yield "holds a project that the environment does not name"
    levels = entries(config, "accessLevels")
    if isinstance(levels, tuple) and "*" in levels:
        yield "lets in every access level"
    elif isinstance(levels, tuple) and _of_another(levels, text(props, "parent")):
        yield "lets in an access level of another policy"
    # What is tried today is enforced tomorrow.
    for direction in ("ingress", "egress"):
        for part in ("status", "spec"):
            for rule in elements(props, part, f"{direction}Policies"):
                yield from (f"has {finding}" for finding in too_wide(rule, direction, bounds))


def _of_another(levels: tuple[object, ...], parent: object) -> bool:
    """Return whether a level is of another access policy than the perimeter's."""
    return isinstance(parent, str) and any(
        isinstance(each, str) and not each.startswith(f"{parent}/") for each in levels
    )


def _accessible(
    config: object, restricted: tuple[object, ...] | Absence, *, known: bool
) -> Iterator[str]:
    """Yield what machines inside may call beside the restricted services."""
    services = get(config, "vpcAccessibleServices")
    if services is UNKNOWN or restricted is MISSING:
        return
    # Without networks of its own a perimeter needs none; with a project of the stack it has some.
    restriction = flag(services, "enableRestriction")
    if restriction is False or (restriction is MISSING and known):
        yield "does not limit the services that its networks may call"
        return
    allowed = entries(services, "allowedServices")
    if not isinstance(allowed, tuple) or not isinstance(restricted, tuple):
        return
    if any(each not in (*restricted, UNKNOWN, "RESTRICTED-SERVICES") for each in allowed):
        yield "lets its networks call services that it does not restrict"


def _held(resources: Sequence[Resource]) -> frozenset[str] | None:
    """Return the projects that perimeters of the stack hold; None when they are not known."""
    held: set[str] = set()
    # A list of perimeters replaces all others of its policy.
    lists = [each for each in resources if each.type == PERIMETERS]
    for each in lists or resources:
        if each.type in (PERIMETER, PERIMETERS):
            for perimeter in regular(each):
                found = entries(
                    perimeter,
                    *("status" if is_mapping(get(perimeter, "status")) else "spec", "resources"),
                )
                if found is UNKNOWN or (isinstance(found, tuple) and UNKNOWN in found):
                    return None
                held |= {str(name) for name in (found if isinstance(found, tuple) else ())}
        elif each.type in SINGLE:
            name = text(each.props, "resource")
            if name is UNKNOWN:
                return None
            held.add(str(name))
    # A network alone puts its machines inside, and nothing of the project's data.
    return frozenset(filter(None, (project_of(e) for e in held if _WHOLE_PROJECT.fullmatch(e))))


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    projects = limits.names("projects")
    bounds = Bounds(
        own_projects(resources, projects),
        *(frozenset(limits.names(each)) for each in ("egressProjects", "domains")),
    )
    used = _used(resources)
    modes = limits.names("modes")
    for each in resources:
        if each.type in (PERIMETER, PERIMETERS):
            found = (_perimeter(one, used, modes, bounds) for one in regular(each))
            yield from (StackFinding(finding, each) for finding in chain.from_iterable(found))
        elif each.type in RULES:
            for finding in too_wide(each.props, RULES[each.type], bounds):
                yield StackFinding(f"is {finding}", each)
        elif each.type in LEVELS or each.type == CONDITION:
            yield from (StackFinding(finding, each) for finding in _level(each, bounds))
        elif each.type == _BINDING and _is_hollow(each):
            yield StackFinding("holds a group to no access level", each)
        elif each.type == _ORGANIZATIONS:
            yield StackFinding("lets another organization's devices or identities in", each)
        if bounds.own:
            yield from _joined(each, bounds)
    held = _held(resources)
    numbers = {each for each in bounds.own if each.isdigit()}
    if projects and held is not None and numbers and not held & bounds.own:
        yield StackFinding("has no perimeter around its project")


def _level(resource: Resource, bounds: Bounds) -> Iterator[str]:
    yield from open_levels(resource)
    members, networks = named(resource)
    if has_outside_identity(members, bounds):
        yield "lets in somebody whom the environment does not name"
    if bounds.own and has_outside_project(networks, bounds.own | bounds.egress):
        yield "lets in a network of another project"


def _is_hollow(binding: Resource) -> bool:
    levels = entries(binding.props, "accessLevels")
    return levels in (MISSING, ()) and not elements(binding.props, "scopedAccessSettings")


def _joined(resource: Resource, bounds: Bounds) -> Iterator[StackFinding]:
    """Yield a foreign project that a bridge or a resource of its own joins to the perimeter, or
    that the policy of it is made for."""
    if resource.type in SINGLE:
        if has_outside_project((text(resource.props, "resource"),), bounds.own):
            yield StackFinding("joins a project that the environment does not name", resource)
    elif resource.type == _POLICY:
        # The SDK takes the list for one text, as it has one entry at most.
        if has_outside_project((text(resource.props, "scopes"),), bounds.own):
            yield StackFinding("is of a project that the environment does not name", resource)
    elif resource.type in (PERIMETER, PERIMETERS):
        for bridge in bridges(resource):
            found = entries(bridge, "status", "resources")
            if isinstance(found, tuple) and has_outside_project(found, bounds.own):
                yield StackFinding(
                    "bridges to a project that the environment does not name", resource
                )


RULE: Final = StackRule(
    id="net-vpcsc-perimeter",
    display_name="The perimeter covers what is used",
    description=(
        "The stack's project is in a perimeter in an allowed mode, which restricts the services "
        "used and enabled and what its networks call; its levels let not everyone in, and its "
        "rules, bridges and members reach only projects that the environment names."
    ),
    why="A service left out of the perimeter is the way data leaves it.",
    remediation=(
        "add the services to status.restrictedServices, set vpcAccessibleServices, and name "
        "identities, sources, services and projects in levels, ingress and egress."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc-service-controls/docs/service-perimeters",
    limits=(
        NamesLimit(
            "modes", "Modes a perimeter may be in", ("dry-run", "enforced"), default=("enforced",)
        ),
        NamesLimit(
            "projects", "IDs of the projects inside; where none is named, the stack's", default=()
        ),
        NamesLimit("egressProjects", "Projects outside that rules may name, * for any", default=()),
        NamesLimit(
            "domains",
            "Domains of the people and accounts that rules and levels may name; where none is, "
            "all but those where anybody gets an address",
            default=(),
        ),
    ),
    check=_check,
)

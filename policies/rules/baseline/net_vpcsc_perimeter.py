"""The service perimeter restricts every service the stack uses, and is not open."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import StackFinding, StackRule
from resources.properties import MISSING, UNKNOWN, Props, entries, get, is_mapping, text
from resources.resource import Resource

_ACM: Final = "gcp:accesscontextmanager/"
_PERIMETER: Final = f"{_ACM}servicePerimeter:ServicePerimeter"
_PERIMETERS: Final = f"{_ACM}servicePerimeters:ServicePerimeters"
# Rules that stand outside the perimeter's own resource, and their direction.
_RULES: Final[Mapping[str, str]] = {
    f"{_ACM}servicePerimeterEgressPolicy:ServicePerimeterEgressPolicy": "egress",
    f"{_ACM}servicePerimeterIngressPolicy:ServicePerimeterIngressPolicy": "ingress",
}
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
    "dataflow": "dataflow.googleapis.com",
    "dataloss": "dlp.googleapis.com",
    "dataproc": "dataproc.googleapis.com",
    "dns": "dns.googleapis.com",
    "filestore": "file.googleapis.com",
    "firestore": "firestore.googleapis.com",
    "kms": "cloudkms.googleapis.com",
    "modelarmor": "modelarmor.googleapis.com",
    "networkservices": "networkservices.googleapis.com",
    "pubsub": "pubsub.googleapis.com",
    "redis": "redis.googleapis.com",
    "secretmanager": "secretmanager.googleapis.com",
    "spanner": "spanner.googleapis.com",
    "sql": "sqladmin.googleapis.com",
    "storage": "storage.googleapis.com",
    "vertex": "aiplatform.googleapis.com",
    "workbench": "notebooks.googleapis.com",
}


def _is_open(rule: object, direction: str) -> bool:
    """Return whether anyone may pass, from anywhere or to anything."""
    origin, target = get(rule, f"{direction}From"), get(rule, f"{direction}To")
    if text(origin, "identityType") not in ("ANY_IDENTITY", UNKNOWN):
        return False
    sources = entries(origin, "sources")
    anywhere = not isinstance(sources, tuple) or any(
        text(source, "accessLevel") == "*" for source in sources
    )
    operations = entries(target, "operations")
    anything = isinstance(operations, tuple) and any(
        text(operation, "serviceName") == "*" for operation in operations
    )
    if direction == "ingress":
        return anything or anywhere
    # Out to every project: a bucket of anybody's is one of them.
    named = (entries(target, name) for name in ("resources", "externalResources"))
    everything = any(isinstance(each, tuple) and "*" in each for each in named)
    return anything or everything


def _perimeter(props: object, used: frozenset[str], modes: tuple[str, ...]) -> Iterator[str]:
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
    for direction in ("ingress", "egress"):
        rules = entries(config, f"{direction}Policies")
        for rule in rules if isinstance(rules, tuple) else ():
            if _is_open(rule, direction):
                yield f"has an {direction} rule for any identity that is not narrow"


def _perimeters(token: str, props: Props) -> Iterator[object]:
    """Yield the perimeters of a resource that are no bridges, which restrict nothing by
    themselves."""
    found = (props,) if token == _PERIMETER else entries(props, "servicePerimeters")
    for each in found if isinstance(found, tuple) else ():
        if text(each, "perimeterType") != "PERIMETER_TYPE_BRIDGE":
            yield each


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    used = frozenset(
        _SERVICES[module]
        for module in (each.type.removeprefix("gcp:").partition("/")[0] for each in resources)
        if module in _SERVICES
    )
    for each in resources:
        if each.type in (_PERIMETER, _PERIMETERS):
            for perimeter in _perimeters(each.type, each.props):
                for finding in _perimeter(perimeter, used, limits.names("modes")):
                    yield StackFinding(finding, each)
        elif each.type in _RULES and _is_open(each.props, _RULES[each.type]):
            yield StackFinding(
                f"is an {_RULES[each.type]} rule for any identity that is not narrow", each
            )


RULE: Final = StackRule(
    id="net-vpcsc-perimeter",
    display_name="The perimeter covers what is used",
    description=(
        "A service perimeter of the stack is in an allowed mode, restricts the services used, "
        "and lets no identity in or out from anywhere to anything."
    ),
    why="A service left out of the perimeter is the way data leaves it.",
    remediation=(
        "add the services to status.restrictedServices, and name identities, sources or "
        "services in ingress and egress."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/vpc-service-controls/docs/service-perimeters",
    limits=(
        NamesLimit(
            "modes", "Modes a perimeter may be in", ("dry-run", "enforced"), default=("enforced",)
        ),
    ),
    check=_check,
)

"""Refuses inputs that refer to something that does not exist."""

import re
from typing import Final

from sandbox.errors import google, missing
from sandbox.gcp.naming import last_segment, project_number, project_of, relative_name
from sandbox.gcp.request import Request
from sandbox.gcp.rows import row
from sandbox.gcp.services import api_behind
from sandbox.values import texts_in, values_at

_PRINCIPAL: Final = re.compile(
    r"^(?:deleted:)?(serviceAccount|user|group|domain|principal|principalSet):(.+)$"
)
_EMAIL: Final = re.compile(r"^[\w.+-]+@[\w.-]*gserviceaccount\.com$")
_WORKLOAD_POOL: Final = re.compile(
    r"(?:^|workloadIdentityPools/)([a-z][a-z0-9-]+)\.svc\.id\.goog(?:\[|/|$)"
)
_NAME: Final = re.compile(r"^(projects|accessPolicies|folders|organizations)/[^/]+/[^/]+/.+")
_VERSION: Final = re.compile(r"/(?:versions/latest|(?:cryptoKeyV|v)ersions/\d+)$")
_METHOD: Final = re.compile(r"^(https://\S+/[^/:]+):[a-z][A-Za-z]*$")
"""An address of an API that does something with a resource: `.../jobs/nightly:run`."""
_PLACES: Final = frozenset({"regions", "zones", "locations", "services"})
# Collections Google fills by itself: a name in them is no reference to something a stack makes.
_CATALOGUES: Final = frozenset(
    (
        *("acceleratorTypes", "buckets", "diskTypes", "foundationModels", "images"),
        *("interconnectLocations", "licenses", "locations", "machineTypes", "metricDescriptors"),
        *("models", "networkProfiles", "publishers", "regions", "reservations"),
        *("workloadIdentityPools", "zones"),
    )
)
# Names and texts of the resource itself, not references.
_NETWORKS: Final = ("authorizedNetwork", "network")
_TABLE: Final = "bq://"
"""What Vertex AI writes before the name of a table."""
_OWN: Final = frozenset({"name", "project", "description", "title", "expression", "filter"})


def check_references(request: Request) -> None:
    """Raise the cloud's 404 or 400 for the first reference to nothing; note foreign ones."""
    for name, value in request.inputs.items():
        if name not in _OWN:
            for text in texts_in(value, _OWN):
                _check_text(request, text)
    _check_short_names(request)


def _check_text(request: Request, text: str) -> None:
    principal = _PRINCIPAL.match(text)
    if principal or _EMAIL.match(text):
        kind, subject = principal.groups() if principal else ("serviceAccount", text)
        _check_principal(request, kind, subject, text)
    elif " " not in text and _NAME.match(relative_name(text)):
        _check_name(request, request.own_name(_METHOD.sub(r"\1", text)), text)


def _check_principal(request: Request, kind: str, subject: str, text: str) -> None:
    pool = _WORKLOAD_POOL.search(subject)
    if pool:
        _check_workload_pool(request, pool.group(1))
    elif kind == "serviceAccount" or _EMAIL.match(subject):
        if not _account_exists(request, subject):
            raise google(400, f"Service account {subject} does not exist.", "badRequest")
    else:
        request.world.assume(text, request.urn)


def _check_workload_pool(request: Request, project: str) -> None:
    if project not in request.world.projects():
        request.world.assume(f"{project}.svc.id.goog", request.urn)
    elif not request.world.by_type("gcp:container/cluster:Cluster", project):
        raise google(
            400,
            f"Identity Pool does not exist ({project}.svc.id.goog). Please check that you "
            "specified a valid resource name as returned in the `name` attribute in the "
            "configuration API.",
            "badRequest",
        )


def _account_exists(request: Request, email: str) -> bool:
    world, (user, _, domain) = request.world, email.partition("@")
    project = domain.removesuffix(".iam.gserviceaccount.com")
    if project in world.projects():
        return world.exists(f"projects/{project}/serviceAccounts/{email}")
    for own in world.projects():
        number = project_number(own)
        if number not in user and user != own:
            continue
        if domain == "cloudservices.gserviceaccount.com":
            return True
        return api_behind(email, own) in world.enabled_apis(own)
    world.assume(f"serviceAccount:{email}", request.urn)
    return True


def _check_name(request: Request, name: str, text: str) -> None:
    name = _VERSION.sub("", name)
    parts = name.split("/")
    if name == request.id or _is_catalogue(parts) or request.world.exists(name):
        return
    if _is_ours(request, parts):
        # The pipelines' program makes attestors, with the key that builds sign with.
        if parts[2:3] == ["attestors"] and request.world.has_content(name):
            return
        raise missing(name)
    request.world.assume(text, request.urn)


def _is_ours(request: Request, parts: list[str]) -> bool:
    match parts[0]:
        case "projects":
            return parts[1] in request.world.projects()
        case "accessPolicies":
            return request.world.exists(parts[1])
        case _:
            return False


def _is_catalogue(parts: list[str]) -> bool:
    shallow = len(parts) == len(["projects", "p", "regions", "r"]) and parts[2] in _PLACES
    return shallow or parts[-2] in _CATALOGUES


def _check_short_names(request: Request) -> None:
    if request.project not in request.world.projects():
        return
    names = {key: last_segment(str(value)) for key, value in request.inputs.items()}
    names = {"region": request.region, "location": request.region, **names}
    for path, pattern in row(request.type.token).references.items():
        for value in values_at(request.inputs, path):
            if not isinstance(value, str):
                continue
            value = value.removeprefix(_TABLE)
            if not value or "/" in value:
                continue
            parts = re.split("[.:]", value)
            places = {"project": request.project, "network_project": _network_project(request)}
            try:
                target = pattern.format(*parts, **{**names, **places, "value": value})
            except IndexError:
                raise google(
                    400, f"Invalid value for field '{path}': '{value}'", "invalid"
                ) from None
            if not request.world.exists(target):
                raise missing(target)


def _network_project(request: Request) -> str:
    """Return the project of the network that is named, of a Shared VPC its host."""
    named = (request.inputs.get(key) for key in _NETWORKS)
    network = next((each for each in named if isinstance(each, str)), "")
    return project_of(network, request.project)

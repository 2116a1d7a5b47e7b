"""Cloud Run: every template that was deployed stays as a revision, until the service goes.

See https://cloud.google.com/run/docs/managing/revisions
"""

from typing import Any, Final

from sandbox.errors import google
from sandbox.gcp.contents import check_contents
from sandbox.gcp.naming import hex_digits
from sandbox.gcp.request import Request
from sandbox.values import Value, Values, as_list, is_map
from sandbox.world import CloudResource, World

SERVICE: Final = "gcp:cloudrunv2/service:Service"
REVISION: Final = "cloud:run/revision:Revision"
"""Cloud Run's own: no program asks for it."""

_OWNER: Final = "cloud run"


def revisions_of(world: World, service: str) -> list[CloudResource]:
    """Return the revisions of a service, oldest first. Their inputs are the templates."""
    return [each for each in world.by_type(REVISION) if each.id.startswith(f"{service}/revisions/")]


def check_service(request: Request) -> None:
    """Raise the cloud's 400 or 409 for traffic to nowhere, a name given twice, and containers
    that can't start."""
    check_contents(request)
    known = {_name(each): each for each in revisions_of(request.world, request.id)}
    template = _template(request)
    named = template.get("revision")
    if named in known and known[named].inputs != template:
        raise google(
            409,
            f"Revision named '{named}' with different configuration already exists.",
            "alreadyExists",
        )
    for at, share in enumerate(as_list(request.inputs.get("traffics", []))):
        wanted = share.get("revision") if is_map(share) else None
        if wanted and wanted != named and wanted not in known:
            raise google(
                400,
                f"traffic[{at}].revision: Revision named '{wanted}' not found.",
                "badRequest",
            )


def service_outputs(request: Request) -> Values:
    """Return the newest revision, and who is sent where."""
    latest, number = _latest(request)
    project = f"{request.inputs['name']}-{request.number}.{request.region}.run.app"
    statuses: list[Value] = []
    for share in as_list(request.inputs.get("traffics", [])):
        assert is_map(share)  # noqa: S101 -- the SDK's type of a list's entries
        tag = share.get("tag")
        address = {"uri": f"https://{tag}---{project}"} if tag else {}
        statuses.append({**share, **address})
    return {
        "latestCreatedRevision": f"{request.id}/revisions/{latest}",
        "latestReadyRevision": f"{request.id}/revisions/{latest}",
        "generation": str(number),
        "observedGeneration": str(number),
        **({"trafficStatuses": statuses} if statuses else {}),
    }


def after_service(request: Request) -> None:
    """Keep the template as a revision, unless it is there already."""
    latest, _ = _latest(request)
    id_ = f"{request.id}/revisions/{latest}"
    if request.world.get(REVISION, id_) is None:
        request.world.put(
            CloudResource(REVISION, id_, "", request.project, _OWNER, inputs=_template(request))
        )


def before_service_deletion(request: Request) -> None:
    """Let its revisions go."""
    for each in revisions_of(request.world, request.id):
        request.world.remove(*each.key)


def _latest(request: Request) -> tuple[str, int]:
    """Return the name of the revision the inputs describe, and how many there have been with it."""
    known = revisions_of(request.world, request.id)
    template = _template(request)
    for at, each in enumerate(known, start=1):
        # A template that is deployed once more makes no new one, unless another came between.
        if each.inputs == template and (at == len(known) or template.get("revision")):
            return _name(each), len(known)
    number = len(known) + 1
    made_up = f"{request.inputs['name']}-{number:05}-{hex_digits(f'{request.id}.{number}')[:3]}"
    return str(template.get("revision") or made_up), number


def _template(request: Request) -> dict[str, Any]:
    found = request.inputs["template"]
    return dict(found) if is_map(found) else {}


def _name(revision: CloudResource) -> str:
    return revision.id.rpartition("/")[2]

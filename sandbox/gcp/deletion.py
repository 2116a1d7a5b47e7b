"""Refuses to delete what is protected or in use."""

from collections.abc import Iterator

from sandbox.errors import CloudError, google
from sandbox.gcp.facts import default_of
from sandbox.gcp.naming import last_segment, relative_name
from sandbox.gcp.request import Request
from sandbox.gcp.rows import InUse, row
from sandbox.values import texts_in
from sandbox.world import EXISTING, LEFT, CloudResource


def check_protection(request: Request) -> None:
    """Raise as the provider does for deletionProtection and a deletionPolicy of PREVENT."""
    token, state = request.type.token, {**request.inputs, **request.old}
    kind = token.rsplit(":", 1)[-1]
    if state.get("deletionPolicy") == "PREVENT":
        raise CloudError(
            f"cannot destroy {kind} {request.id} without setting deletion_policy to DELETE or "
            "ABANDON: found 'PREVENT'; change it and run `pulumi up` before deleting"
        )
    default = default_of(request.type, "deletionProtection") is True
    if "deletionProtection" in request.type.inputs and state.get("deletionProtection", default):
        raise CloudError(
            f"cannot destroy {kind} {request.id} without setting deletion_protection=false and "
            "running `pulumi up`"
        )


def check_unused(request: Request) -> None:
    """Raise the cloud's 400 when another resource still refers to this one."""
    rule = row(request.type.token).used_by
    if rule is None or {**request.inputs, **request.old}.get(rule.unless):
        return
    user = next(_users(request, rule), None)
    if user is None:
        return
    if rule.message:
        raise google(400, f"{rule.message}: {request.id} (used by {user.id})", "failedPrecondition")
    collection = request.id.split("/")[-2].rstrip("s") if "/" in request.id else "resource"
    raise google(
        400,
        f"The {collection} resource '{request.id}' is already being used by '{user.id}'",
        "resourceInUseByAnotherResource",
    )


def _users(request: Request, rule: InUse) -> Iterator[CloudResource]:
    spellings = {request.id}
    short = last_segment(request.id)
    for other in request.world.all():
        if other.key == (request.type.token, request.id, "") or other.key in request.world.lost:
            continue
        module = other.type.split(":")[1].split("/")[0]
        if other.type not in rule.types and module not in rule.modules:
            continue
        # What has inputs refers by them: outputs also name those that refer to it.
        declared = other.owner in {"pulumi", EXISTING, LEFT}
        said = other.inputs if declared else {**other.outputs, **other.inputs}
        texts = list(texts_in(said))
        if any(relative_name(text) in spellings for text in texts) or (
            other.type in rule.types and short in texts
        ):
            yield other

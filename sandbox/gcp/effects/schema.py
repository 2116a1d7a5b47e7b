"""Schemas of Pub/Sub: a new definition is a revision, which must fit the one before."""

from typing import Final

from catalog.schema_revisions import incompatibilities
from sandbox.errors import google
from sandbox.gcp.request import Request

SCHEMA: Final = "gcp:pubsub/schema:Schema"


def check_revision(request: Request) -> None:
    """Raise the cloud's 400 for a revision that can't read what was published before."""
    old, new = request.old.get("definition"), request.inputs.get("definition")
    if not isinstance(old, str) or not isinstance(new, str) or old == new:
        return
    type_ = str(request.inputs.get("type"))
    if found := incompatibilities(type_, old, new):
        raise google(
            400, f"Incompatible schema revision of {request.id}: {'; '.join(found)}", "badRequest"
        )

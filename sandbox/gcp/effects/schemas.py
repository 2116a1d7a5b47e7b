"""Pub/Sub schemas: each definition is a revision, and stays one until somebody deletes it.

See https://cloud.google.com/pubsub/docs/schemas#quotas-limits
"""

from typing import Final

from sandbox.errors import google
from sandbox.gcp.request import Request
from sandbox.world import CloudResource

SCHEMA: Final = "gcp:pubsub/schema:Schema"
REVISION: Final = "cloud:pubsub/schemaRevision:SchemaRevision"
MOST_REVISIONS: Final = 20
_OWNER: Final = "pub/sub"


def check_schema(request: Request) -> None:
    """Raise the cloud's 400 for one revision too many."""
    definition = request.inputs.get("definition")
    known = _revisions(request)
    if len(known) >= MOST_REVISIONS and known[-1].inputs["definition"] != definition:
        name = request.inputs["name"]
        raise google(
            400,
            f"Schema {request.id} has {len(known)} revisions, allowed: {MOST_REVISIONS}. Delete "
            f"old ones: `gcloud pubsub schemas list-revisions {name}`, then `delete-revision`",
            "failedPrecondition",
        )


def after_schema(request: Request) -> None:
    """Keep a new definition as a revision."""
    known = _revisions(request)
    definition = request.inputs.get("definition")
    if not known or known[-1].inputs["definition"] != definition:
        id_ = f"{request.id}@{len(known) + 1:02}"
        inputs = {"definition": definition}
        request.world.put(CloudResource(REVISION, id_, "", request.project, _OWNER, inputs=inputs))


def before_schema_deletion(request: Request) -> None:
    """Let its revisions go."""
    for each in _revisions(request):
        request.world.remove(*each.key)


def _revisions(request: Request) -> list[CloudResource]:
    """Return the revisions of a schema, oldest first."""
    found = [
        each for each in request.world.by_type(REVISION) if each.id.startswith(f"{request.id}@")
    ]
    return sorted(found, key=lambda each: each.id)

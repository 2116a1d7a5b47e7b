"""What a killed run leaves: operations the state says were begun and nothing says were ended."""

from typing import Any

from pulumi import automation

from sandbox.launcher.places import StackPlaces
from sandbox.world import World


def settle_lost_operations(stack: automation.Stack, world: World, places: StackPlaces) -> list[str]:
    """Adopts what a killed run made after the state was last written; returns a line for each.

    A resource that the cloud made and the state doesn't hold would be made a second time by the
    next `up`, and refused as already existing.
    """
    if not places.checkpoint.exists() or '"pending_operations"' not in _text(places):
        return []
    exported = stack.export_stack()
    deployment: dict[str, Any] = {**(exported.deployment or {})}
    pending: list[dict[str, Any]] = deployment.pop("pending_operations", None) or []
    known = {resource["urn"] for resource in deployment.get("resources", [])}
    settled: list[str] = []
    for operation in pending:
        resource: dict[str, Any] = operation["resource"]
        made = world.find_urn(resource["urn"])
        if operation["type"] == "creating" and made is not None and resource["urn"] not in known:
            adopted = {**resource, "id": made.id, "outputs": dict(made.outputs)}
            deployment["resources"].append(adopted)
            settled.append(f"adopted {made.id}, which an interrupted run had made")
        else:
            settled.append(f"an interrupted {operation['type']} of {resource['urn']} is done again")
    stack.import_stack(automation.Deployment(version=exported.version or 3, deployment=deployment))
    return settled


def _text(places: StackPlaces) -> str:
    return places.checkpoint.read_text()

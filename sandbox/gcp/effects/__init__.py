"""What a type does beyond storing its inputs: one entry per type token."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.gcp import contents, services
from sandbox.gcp.effects import cloud_run, cluster, network, psc, schemas
from sandbox.gcp.naming import project_number
from sandbox.gcp.repositories import REPOSITORY
from sandbox.gcp.request import Request
from sandbox.values import Values


def _no_outputs(_: Request) -> Values:
    return {}


def _nothing(_: Request) -> None:
    return None


def _new_project(request: Request) -> None:
    project = str(request.inputs["projectId"])
    request.world.add_project(project, project_number(project))


@dataclass(frozen=True)
class Effect:
    """`check` refuses, `outputs` decides, the others change the rest of the world."""

    check: Callable[[Request], None] = _nothing
    outputs: Callable[[Request], Values] = _no_outputs
    after_write: Callable[[Request], None] = _nothing
    before_delete: Callable[[Request], None] = _nothing
    after_delete: Callable[[Request], None] = _nothing


EFFECTS: Mapping[str, Effect] = {
    network.SUBNETWORK: Effect(network.check_subnetwork, network.subnetwork_outputs),
    network.ADDRESS: Effect(network.check_address, network.address_outputs),
    network.FORWARDING_RULE: Effect(
        psc.check_forwarding_rule,
        psc.forwarding_rule_outputs,
        after_write=psc.after_endpoint,
        after_delete=psc.after_endpoint,
    ),
    network.GLOBAL_FORWARDING_RULE: Effect(network.check_proxies),
    "gcp:redis/instance:Instance": Effect(network.check_private_access),
    psc.ATTACHMENT: Effect(
        psc.check_attachment,
        after_write=psc.after_attachment,
        after_delete=psc.after_attachment_deletion,
    ),
    cluster.CLUSTER: Effect(
        cluster.check_cluster,
        cluster.cluster_outputs,
        before_delete=cluster.before_cluster_deletion,
    ),
    cluster.NODE_POOL: Effect(outputs=cluster.node_pool_outputs),
    cloud_run.SERVICE: Effect(
        cloud_run.check_service,
        cloud_run.service_outputs,
        after_write=cloud_run.after_service,
        before_delete=cloud_run.before_service_deletion,
    ),
    "gcp:cloudrunv2/job:Job": Effect(contents.check_job),
    schemas.SCHEMA: Effect(
        schemas.check_schema,
        after_write=schemas.after_schema,
        before_delete=schemas.before_schema_deletion,
    ),
    REPOSITORY: Effect(after_delete=contents.forget_contents),
    contents.SECRET: Effect(after_delete=contents.forget_contents),
    services.SERVICE: Effect(
        after_write=services.after_enabling, after_delete=services.after_disabling
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": Effect(outputs=services.identity_outputs),
    "gcp:organizations/project:Project": Effect(after_write=_new_project),
}


def effect_of(token: str) -> Effect:
    """Return the effects of a type; of most there are none."""
    return EFFECTS.get(token, Effect())

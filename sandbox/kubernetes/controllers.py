"""What controllers do when an object comes, changes or goes."""

from dataclasses import replace

from sandbox.errors import CloudError, kubernetes
from sandbox.gcp.naming import last_segment
from sandbox.kubernetes import gateways
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.objects import Kind, at, metadata_of, split_id
from sandbox.values import as_map
from sandbox.world import CloudResource, World

_SECURITY_POLICY = "gcp:compute/regionSecurityPolicy:RegionSecurityPolicy"
_ACCOUNT = "iam.gke.io/gcp-service-account"


def after_apply(
    world: World, cluster: Cluster, kind: Kind, applied: CloudResource, old: CloudResource | None
) -> CloudResource:
    """Let the controllers act; returns the object as the provider sees it when it stops waiting."""
    if gateways.is_gateway(kind):
        if gateways.waits(applied.inputs):
            return gateways.program(world, cluster, applied)
        return _not_waited_for(world, applied, old)
    if kind.name == "GCPGatewayPolicy":
        gateways.apply_policy(world, cluster, applied)
    if kind.name == "GCPBackendPolicy":
        _check_security_policy(world, cluster, applied)
    if kind.name == "ServiceAccount" and not kind.group:
        _check_account(world, applied)
    return applied


def _not_waited_for(
    world: World, applied: CloudResource, old: CloudResource | None
) -> CloudResource:
    """Without `pulumi.com/waitFor` the provider answers before the controller has acted.

    What the controller made earlier stays visible.
    """
    if old is None or "status" not in old.outputs:
        return applied
    before = as_map(metadata_of(old.outputs).get("annotations"))
    made = {gateways.RULES: before[gateways.RULES]} if gateways.RULES in before else {}
    metadata = metadata_of(applied.outputs)
    annotations = {**made, **as_map(metadata.get("annotations"))}
    outputs = {**applied.outputs, "metadata": {**metadata, "annotations": annotations}}
    live = replace(applied, outputs={**outputs, "status": old.outputs["status"]})
    world.put(live)
    return live


def _check_security_policy(world: World, cluster: Cluster, policy: CloudResource) -> None:
    for name in at(policy.inputs, "spec.default.securityPolicy"):
        place = f"projects/{cluster.project}/regions/{cluster.region}"
        full = f"{place}/securityPolicies/{last_segment(str(name))}"
        if world.get(_SECURITY_POLICY, full) is None:
            raise kubernetes(
                f'GCPBackendPolicy "{policy.id}" cannot be attached: googleapi: Error 404: The '
                f"resource '{full}' was not found, notFound"
            )


def _check_account(world: World, account: CloudResource) -> None:
    email = as_map(metadata_of(account.inputs).get("annotations")).get(_ACCOUNT)
    if not isinstance(email, str):
        return
    project = email.partition("@")[2].removesuffix(".iam.gserviceaccount.com")
    if project not in world.projects():
        world.assume(f"serviceAccount:{email}", account.urn)
    elif not world.exists(f"projects/{project}/serviceAccounts/{email}"):
        raise kubernetes(
            f'ServiceAccount "{account.id}": the annotation {_ACCOUNT} names the service account '
            f"'{email}', which does not exist"
        )


def before_delete(world: World, cluster: Cluster, kind: Kind, gone: CloudResource) -> None:
    """Take down what controllers made; a namespace takes its objects along."""
    if gateways.is_gateway(kind):
        gateways.tear_down(world, gone)
    if kind.name == "Namespace" and not kind.group:
        for inner in world.in_scope(cluster.id):
            if split_id(inner.id)[0] == gone.id:
                before_delete(world, cluster, Kind(inner.type), inner)
                world.remove(inner.type, inner.id, inner.scope)


def settle(world: World, cluster: Cluster) -> None:
    """Program the Gateways nobody waited for: since the last run the controller had its time."""
    for resource in world.in_scope(cluster.id):
        if gateways.is_gateway(Kind(resource.type)) and "status" not in resource.outputs:
            try:
                with world.transaction():
                    gateways.program(world, cluster, resource)
            except CloudError:
                continue

"""GKE clusters: endpoints, certificates, versions, and ranges taken from the subnetwork."""

import base64
from typing import Final

from sandbox.errors import google
from sandbox.gcp.effects.network import SUBNETWORK
from sandbox.gcp.naming import digits, hex_digits
from sandbox.gcp.request import Request
from sandbox.values import Values, as_list, as_map
from sandbox.world import CloudResource

CLUSTER: Final = "gcp:container/cluster:Cluster"
NODE_POOL: Final = "gcp:container/nodePool:NodePool"
DEFAULT_VERSION: Final = "1.34.1-gke.1829001"


def _ranges(request: Request) -> dict[str, str] | None:
    """Return secondary range name -> CIDR of the cluster's subnetwork, None when it is not ours."""
    given = request.inputs.get("subnetwork")
    if not isinstance(given, str):
        return None
    name = request.own_name(given)
    if "/" not in name:
        name = f"projects/{request.project}/regions/{request.region}/subnetworks/{name}"
    subnetwork = request.world.get(SUBNETWORK, name)
    if subnetwork is None:
        return None
    ranges = as_list(subnetwork.inputs.get("secondaryIpRanges"))
    return {item["rangeName"]: item.get("ipCidrRange", "") for item in ranges}


def check_cluster(request: Request) -> None:
    """Raise the cloud's 400 for a secondary range the subnetwork lacks."""
    ranges = _ranges(request)
    policy = as_map(request.inputs.get("ipAllocationPolicy"))
    for field in ("clusterSecondaryRangeName", "servicesSecondaryRangeName"):
        name = policy.get(field)
        if ranges is not None and name and name not in ranges:
            raise google(
                400,
                f"Pod secondary range '{name}' not found in subnetwork "
                f"'{request.inputs['subnetwork']}'; found: {', '.join(ranges) or 'none'}",
                "badRequest",
            )


def cluster_outputs(request: Request) -> Values:
    """Return everything GKE decides about a new cluster."""
    ranges, policy = _ranges(request) or {}, as_map(request.inputs.get("ipAllocationPolicy"))
    host = f"gke-{hex_digits(request.id, 28)}-{request.number}.{request.region}.gke.goog"
    version = _version(request)
    address = f"34.{int(digits(request.id, 3)) % 200 + 20}.{int(hex_digits(request.id, 2), 16)}.10"
    regional = request.region.count("-") == 1
    zones = [f"{request.region}-{zone}" for zone in "abc"] if regional else []
    pods = ranges.get(policy.get("clusterSecondaryRangeName", ""), "10.4.0.0/14")
    services = ranges.get(policy.get("servicesSecondaryRangeName", ""), "10.8.0.0/20")
    pem = f"-----BEGIN CERTIFICATE-----\n{hex_digits(request.id, 64)}\n-----END CERTIFICATE-----\n"
    return {
        "endpoint": address,
        "selfLink": f"https://container.googleapis.com/v1/{request.id}",
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"endpoint": host},
            "ipEndpointsConfig": {"publicEndpoint": address, "privateEndpoint": "172.16.0.2"},
        },
        "masterAuth": {
            "clusterCaCertificate": base64.b64encode(pem.encode()).decode(),
            "clientCertificate": "",
            "clientCertificateConfig": {"issueClientCertificate": False},
        },
        "masterVersion": version,
        "nodeVersion": request.inputs.get("nodeVersion", version),
        "clusterIpv4Cidr": request.inputs.get("clusterIpv4Cidr", pods),
        "servicesIpv4Cidr": services,
        "ipAllocationPolicy": {"clusterIpv4CidrBlock": pods, "servicesIpv4CidrBlock": services},
        "privateClusterConfig": {"publicEndpoint": address, "peeringName": ""},
        "nodeLocations": request.inputs.get("nodeLocations", zones),
        "tpuIpv4CidrBlock": "",
        "operation": "",
        "nodePools": request.inputs.get("nodePools", []),
        "defaultMaxPodsPerNode": request.inputs.get("defaultMaxPodsPerNode", 110),
    }


def _version(request: Request) -> str:
    wanted = request.inputs.get("minMasterVersion")
    if not isinstance(wanted, str) or wanted in {"latest", "-"}:
        return str(request.old.get("masterVersion") or DEFAULT_VERSION)
    if "-gke." in wanted:
        return wanted
    return DEFAULT_VERSION if DEFAULT_VERSION.startswith(wanted) else f"{wanted}.0-gke.1000000"


def node_pool_outputs(request: Request) -> Values:
    """Return the version of the cluster, and the zones."""
    cluster = _cluster(request)
    version = cluster.outputs.get("masterVersion") if cluster else DEFAULT_VERSION
    zones = as_list(cluster.outputs.get("nodeLocations")) if cluster else []
    return {
        "version": request.inputs.get("version") or version,
        "nodeLocations": request.inputs.get("nodeLocations") or zones,
        "nodeCount": request.inputs.get("nodeCount", request.inputs.get("initialNodeCount", 0)),
        "initialNodeCount": request.inputs.get("initialNodeCount", 0),
    }


def _cluster(request: Request) -> CloudResource | None:
    name = request.own_name(str(request.inputs["cluster"]))
    if "/" not in name:
        name = f"projects/{request.project}/locations/{request.region}/clusters/{name}"
    return request.world.get(CLUSTER, name)


def before_cluster_deletion(request: Request) -> None:
    """Delete everything inside the cluster with it; load balancers of its Gateways are orphaned."""
    for resource in request.world.in_scope(request.id):
        request.world.remove(resource.type, resource.id, resource.scope)
    for pool in request.world.by_type(NODE_POOL):
        if pool.id.startswith(f"{request.id}/"):
            request.world.remove(pool.type, pool.id)

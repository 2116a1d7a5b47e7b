"""GKE's Gateway controller: a Gateway gets a load balancer, whose forwarding rules it owns.

See https://cloud.google.com/kubernetes-engine/docs/concepts/gateway-api
"""

from dataclasses import replace
from typing import Final

from sandbox.errors import google
from sandbox.errors import kubernetes as refused
from sandbox.gcp.effects.network import ADDRESS, FORWARDING_RULE, SUBNETWORK, free_address
from sandbox.gcp.effects.psc import ATTACHMENT
from sandbox.gcp.naming import digits, hex_digits, last_segment, project_number, project_of
from sandbox.gcp.outputs import now
from sandbox.gcp.request import ProviderConfig, Request
from sandbox.kubernetes.cluster import Cluster
from sandbox.kubernetes.known import known
from sandbox.kubernetes.objects import Kind, metadata_of, split_id
from sandbox.sdk_types import resource_type
from sandbox.values import Values, as_list, as_map
from sandbox.world import CloudResource, World

RULES: Final = "networking.gke.io/forwarding-rules"
_CERTIFICATES: Final = "networking.gke.io/cert-manager-certs"
_CERTIFICATE: Final = "gcp:certificatemanager/certificate:Certificate"
_POLICY: Final = ":GCPGatewayPolicy"
_OWNER: Final = "gke-gateway-controller"
_WAIT: Final = "pulumi.com/waitFor"
_COMPUTE: Final = "https://www.googleapis.com/compute/v1"


def is_gateway(kind: Kind) -> bool:
    """Return whether the kind is the Gateway of the Gateway API."""
    return kind.name == "Gateway" and kind.group == "gateway.networking.k8s.io"


def waits(inputs: Values) -> bool:
    """Return whether the program waits for the controller (`pulumi.com/waitFor`)."""
    return _WAIT in as_map(metadata_of(inputs).get("annotations"))


def program(world: World, cluster: Cluster, gateway: CloudResource) -> CloudResource:
    """Make the load balancer; returns the Gateway as it is afterwards.

    Raises what keeps the Gateway from becoming Programmed: an unknown class, address or
    certificate, a missing proxy-only subnetwork, an address in use.
    """
    spec = as_map(gateway.inputs.get("spec"))
    scheme, listeners = _scheme(gateway, spec), as_list(spec.get("listeners"))
    _check_proxy_subnetwork(world, cluster, gateway, scheme)
    for listener in listeners:
        _check_certificates(world, cluster, gateway, listener)
    ports = sorted({int(listener["port"]) for listener in listeners})
    address = _address(world, cluster, gateway, spec, ports)
    _remove_rules(world, gateway, keep={_rule_id(cluster, gateway, port) for port in ports})
    ids = [_put_rule(world, cluster, gateway, port, address, scheme) for port in ports]
    for policy in world.in_scope(cluster.id):
        if policy.type.endswith(_POLICY):
            apply_policy(world, cluster, policy)
    return _programmed(world, cluster, gateway, ids, address)


def _scheme(gateway: CloudResource, spec: Values) -> str:
    classes = known()["gateway_classes"]
    wanted = spec.get("gatewayClassName")
    if wanted not in classes:
        raise _not_programmed(
            gateway, f"GatewayClass '{wanted}' not found; allowed: {', '.join(classes)}"
        )
    return classes[wanted]


def _not_programmed(gateway: CloudResource, why: str) -> Exception:
    return refused(
        f'the Kubernetes API server reported that "{gateway.id}" failed to fully initialize or '
        f"become live: timed out waiting for condition Programmed: {why}"
    )


def _check_proxy_subnetwork(
    world: World, cluster: Cluster, gateway: CloudResource, scheme: str
) -> None:
    if scheme not in {"INTERNAL_MANAGED", "EXTERNAL_MANAGED"}:
        return
    # Of a Shared VPC the subnets are the host project's.
    for subnetwork in world.by_type(SUBNETWORK, project_of(cluster.network, cluster.project)):
        inputs = subnetwork.inputs
        if (
            inputs.get("purpose") == "REGIONAL_MANAGED_PROXY"
            and subnetwork.outputs.get("region") == cluster.region
            and last_segment(str(inputs.get("network"))) == last_segment(cluster.network)
        ):
            return
    raise _not_programmed(
        gateway,
        "googleapi: Error 400: Invalid value for field 'resource.target': An active proxy-only "
        f"subnetwork (purpose REGIONAL_MANAGED_PROXY) is required in region {cluster.region} of "
        f"the network '{cluster.network}', invalid",
    )


def _check_certificates(
    world: World, cluster: Cluster, gateway: CloudResource, listener: Values
) -> None:
    options = as_map(as_map(listener.get("tls")).get("options"))
    for name in str(options.get(_CERTIFICATES, "")).split(","):
        full = f"projects/{cluster.project}/locations/{cluster.region}/certificates/{name.strip()}"
        if name.strip() and world.get(_CERTIFICATE, full) is None:
            raise _not_programmed(gateway, f"certificate '{full}' was not found")


def _address(
    world: World, cluster: Cluster, gateway: CloudResource, spec: Values, ports: list[int]
) -> str:
    wanted = as_list(spec.get("addresses"))
    if not wanted:
        return _kept_or_free(world, cluster, gateway)
    value = str(wanted[0].get("value", ""))
    if wanted[0].get("type", "IPAddress") != "NamedAddress":
        return value
    full = f"projects/{cluster.project}/regions/{cluster.region}/addresses/{value}"
    address = world.get(ADDRESS, full)
    if address is None:
        raise _not_programmed(
            gateway, f"googleapi: Error 404: The resource '{full}' was not found, notFound"
        )
    ip = str(address.outputs["address"])
    shared = address.outputs.get("purpose") == "SHARED_LOADBALANCER_VIP"
    own = {_rule_id(cluster, gateway, port) for port in ports}
    others = [
        rule
        for rule in world.by_type(FORWARDING_RULE, cluster.project)
        if rule.outputs.get("ipAddress") == ip
        and rule.id not in own
        and rule.owner != _owner(gateway)
    ]
    if not shared and (others or len(ports) > 1):
        raise _not_programmed(
            gateway,
            f"googleapi: Error 409: IP_IN_USE_BY_ANOTHER_RESOURCE - IP '{ip}' is already being "
            "used; several listener ports or load balancers need an address of purpose "
            "SHARED_LOADBALANCER_VIP, conflict",
        )
    return ip


def _kept_or_free(world: World, cluster: Cluster, gateway: CloudResource) -> str:
    for rule in _rules(world, gateway):
        return str(rule.outputs["ipAddress"])
    kind = resource_type(FORWARDING_RULE)
    assert kind is not None  # noqa: S101 -- the SDK is pinned
    config = ProviderConfig(cluster.project, cluster.region)
    request = Request(world, kind, config, gateway.urn, {}, _rule_id(cluster, gateway, 0))
    return free_address(request, cluster.feature("subnetwork"))


def _owner(gateway: CloudResource) -> str:
    return f"{_OWNER}:{gateway.scope}/{gateway.id}"


def _rule_id(cluster: Cluster, gateway: CloudResource, port: int) -> str:
    namespace, name = split_id(gateway.id)
    seed = hex_digits(f"{cluster.id}/{gateway.id}/{port}", 12)
    short = f"{namespace}-{name}"[:36].strip("-")
    rule = f"gkegw1-{hex_digits(cluster.id, 4)}-{short}-{seed}"
    return f"projects/{cluster.project}/regions/{cluster.region}/forwardingRules/{rule}"


def _rules(world: World, gateway: CloudResource) -> list[CloudResource]:
    rules = world.by_type(FORWARDING_RULE)
    return [rule for rule in rules if rule.owner == _owner(gateway)]


def _put_rule(
    world: World, cluster: Cluster, gateway: CloudResource, port: int, address: str, scheme: str
) -> str:
    id_ = _rule_id(cluster, gateway, port)
    before = world.get(FORWARDING_RULE, id_)
    network = last_segment(cluster.network)
    inputs: Values = {
        "name": last_segment(id_),
        "project": cluster.project,
        "region": cluster.region,
        "ipAddress": address,
        "ipProtocol": "TCP",
        "portRange": f"{port}-{port}",
        "loadBalancingScheme": scheme,
        "network": f"{_COMPUTE}/projects/{cluster.project}/global/networks/{network}",
        "target": f"{_COMPUTE}/{id_.replace('forwardingRules', 'targetHttpsProxies')}",
        "description": f'{{"k8sResource":"/namespaces/{"/gateways/".join(split_id(gateway.id))}"}}',
        "allowGlobalAccess": bool(before and before.inputs.get("allowGlobalAccess")),
    }
    if cluster.feature("subnetwork"):
        inputs["subnetwork"] = cluster.feature("subnetwork")
    outputs: Values = {
        **inputs,
        "selfLink": f"{_COMPUTE}/{id_}",
        "forwardingRuleId": int(digits(id_, 15)),
        "creationTimestamp": before.outputs["creationTimestamp"] if before else now(),
        "networkTier": "PREMIUM",
        "pscConnectionId": "",
        "pscConnectionStatus": "",
    }
    world.put(
        CloudResource(
            FORWARDING_RULE,
            id_,
            project=cluster.project,
            owner=_owner(gateway),
            inputs=inputs,
            outputs=outputs,
        )
    )
    return id_


def _programmed(
    world: World, cluster: Cluster, gateway: CloudResource, rules: list[str], address: str
) -> CloudResource:
    number = project_number(cluster.project)
    named = [f"/{rule.replace(cluster.project, number, 1)}" for rule in rules]
    metadata = metadata_of(gateway.outputs)
    annotations = {**as_map(metadata.get("annotations")), RULES: ",".join(named)}
    conditions = [
        {"type": kind, "status": "True", "reason": kind, "lastTransitionTime": now()}
        for kind in ("Accepted", "Programmed")
    ]
    outputs = {
        **gateway.outputs,
        "metadata": {**metadata, "annotations": annotations},
        "status": {
            "addresses": [{"type": "IPAddress", "value": address}],
            "conditions": conditions,
        },
    }
    live = replace(gateway, outputs=outputs)
    world.put(live)
    return live


def tear_down(world: World, gateway: CloudResource) -> None:
    """Remove the load balancer; refused while a service attachment publishes it."""
    for rule in _rules(world, gateway):
        for attachment in world.by_type(ATTACHMENT):
            if last_segment(str(attachment.inputs.get("targetService"))) == last_segment(rule.id):
                raise refused(
                    f'the Kubernetes API server reported that "{gateway.id}" failed to be '
                    "deleted: timed out waiting for finalizer gateway.networking.gke.io: "
                    + str(
                        google(
                            400,
                            f"The forwarding_rule resource '{rule.id}' is already being used by "
                            f"'{attachment.id}'",
                            "resourceInUseByAnotherResource",
                        )
                    )
                )
    _remove_rules(world, gateway, keep=set())


def _remove_rules(world: World, gateway: CloudResource, keep: set[str]) -> None:
    for rule in _rules(world, gateway):
        if rule.id not in keep:
            world.remove(FORWARDING_RULE, rule.id)


def apply_policy(world: World, cluster: Cluster, policy: CloudResource) -> None:
    """Let a GCPGatewayPolicy switch global access of its Gateway's rules."""
    spec = as_map(policy.inputs.get("spec"))
    target = f"{split_id(policy.id)[0]}/{as_map(spec.get('targetRef')).get('name')}"
    allowed = bool(as_map(spec.get("default")).get("allowGlobalAccess"))
    for rule in world.by_type(FORWARDING_RULE, cluster.project):
        if rule.owner == f"{_OWNER}:{cluster.id}/{target}":
            world.put(
                replace(
                    rule,
                    inputs={**rule.inputs, "allowGlobalAccess": allowed},
                    outputs={**rule.outputs, "allowGlobalAccess": allowed},
                )
            )

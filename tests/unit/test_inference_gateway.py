"""InferenceGateway: private, routed by model name, in the right order, with the least rights."""

import json
from copy import deepcopy
from typing import Any, cast

import pulumi_gcp as gcp
import pytest
import yaml

from components.inference.endpoint_picker import picker_config
from components.inference.inference_crds import InferenceCrds
from components.inference.inference_gateway import (
    InferenceGateway,
    InferenceGatewayArgs,
    find_forwarding_rule,
)
from components.names import dns_label
from tests.unit.cloud_answers import COMPUTE_API
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GATEWAY as ARGS

GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
POLICY = "kubernetes:networking.gke.io/v1:GCPGatewayPolicy"
BACKEND_POLICY = "kubernetes:networking.gke.io/v1:GCPBackendPolicy"
HEALTH_CHECK = "kubernetes:networking.gke.io/v1:HealthCheckPolicy"
EXTENSION = "kubernetes:networking.gke.io/v1:GCPRoutingExtension"
POOL = "kubernetes:inference.networking.k8s.io/v1:InferencePool"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "kubernetes:core/v1:Service"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:Role"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
DEFINITION = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"
ADDRESS = "gcp:compute/address:Address"
COMPONENT = "inference:index:InferenceGateway"
RULES_CALL = "gcp:compute/getForwardingRules:getForwardingRules"


def _with(**changes: Any) -> InferenceGatewayArgs:
    return cast("InferenceGatewayArgs", {**deepcopy(ARGS), **changes})


def _deploy(deploy: Deploy, args: InferenceGatewayArgs = ARGS, **options: Any) -> Cloud:
    return deploy(lambda: InferenceGateway("gateway", args), **options)


def _route(cloud: Cloud, name: str) -> dict[str, Any]:
    return cloud.one(ROUTE, f"gateway-{name}-route").inputs["spec"]


def _models(rule: dict[str, Any]) -> list[str]:
    return [match["headers"][0]["value"] for match in rule["matches"]]


class TestPrivacy:
    """The architecture's gateway is reachable from no public address."""

    def test_the_gateway_is_internal_with_one_https_listener(self, deploy: Deploy):
        cloud = _deploy(deploy)
        spec = cloud.one(GATEWAY).inputs["spec"]
        assert spec["gatewayClassName"] == "gke-l7-rilb"
        assert [(item["protocol"], item["port"]) for item in spec["listeners"]] == [("HTTPS", 443)]

    def test_its_address_is_internal_and_not_shared(self, deploy: Deploy):
        cloud = _deploy(deploy)
        address = cloud.one(ADDRESS)
        assert address.inputs["addressType"] == "INTERNAL"
        assert address.inputs["purpose"] == "GCE_ENDPOINT"
        assert cloud.one(GATEWAY).inputs["spec"]["addresses"] == [
            {"type": "NamedAddress", "value": address.inputs["name"]}
        ]

    def test_no_service_has_an_address_outside_the_cluster(self, deploy: Deploy):
        services = _deploy(deploy).all(SERVICE)
        assert len(services) == 4
        assert all(service.inputs["spec"].get("type") is None for service in services)

    def test_tls_is_the_named_certificate_of_version_1_2_or_later(self, deploy: Deploy):
        cloud = _deploy(deploy)
        (listener,) = cloud.one(GATEWAY).inputs["spec"]["listeners"]
        assert listener["tls"] == {
            "mode": "Terminate",
            "options": {"networking.gke.io/cert-manager-certs": "inference-us-central1"},
        }
        assert listener["hostname"] == "inference.dev.acme.internal"
        policy = cloud.one("gcp:compute/regionSslPolicy:RegionSslPolicy")
        assert policy.inputs["minTlsVersion"] == "TLS_1_2"
        default = cloud.one(POLICY).inputs["spec"]["default"]
        assert default == {"allowGlobalAccess": True, "sslPolicy": policy.inputs["name"]}

    def test_only_the_openai_api_is_routed(self, deploy: Deploy):
        for route in _deploy(deploy).all(ROUTE):
            for rule in route.inputs["spec"]["rules"]:
                paths = [match["path"] for match in rule["matches"]]
                assert paths == [{"type": "PathPrefix", "value": "/v1"}] * len(paths)


class TestRouting:
    """A model name selects its pools by exact match."""

    def test_two_replica_sets_share_a_model_by_weight(self, deploy: Deploy):
        (rule,) = _route(_deploy(deploy), "llama-3-3-70b")["rules"]
        assert _models(rule) == ["llama-3.3-70b"]
        backend = {"group": "inference.networking.k8s.io", "kind": "InferencePool"}
        assert rule["backendRefs"] == [
            {**backend, "name": "llama-70b-h100", "weight": 90},
            {**backend, "name": "llama-70b-flex", "weight": 10},
        ]

    def test_adapters_go_to_the_replica_set_of_their_base_model(self, deploy: Deploy):
        (rule,) = _route(_deploy(deploy), "llama-3-1-8b")["rules"]
        assert _models(rule) == ["llama-3.1-8b", "topic-control", "content-safety"]
        assert [backend["name"] for backend in rule["backendRefs"]] == ["llama-8b-l4"]

    def test_every_match_is_exact_on_the_header_the_router_sets(self, deploy: Deploy):
        cloud = _deploy(deploy)
        headers = [
            header
            for route in cloud.all(ROUTE)
            for rule in route.inputs["spec"]["rules"]
            for match in rule["matches"]
            for header in match["headers"]
        ]
        assert {(h["type"], h["name"]) for h in headers} == {("Exact", "X-Gateway-Model-Name")}
        router = cloud.one(DEPLOYMENT, "gateway-router-deployment").inputs["spec"]
        (container,) = router["template"]["spec"]["containers"]
        (plugin,) = [flag for flag in container["args"] if flag.startswith("--plugin=")]
        type_, _, config = plugin.removeprefix("--plugin=").split(":", 2)
        assert type_ == "body-field-to-header"
        assert json.loads(config) == {"fieldName": "model", "headerName": "X-Gateway-Model-Name"}

    def test_routes_hang_on_this_gateway_and_host(self, deploy: Deploy):
        for route in _deploy(deploy).all(ROUTE):
            assert route.inputs["spec"]["hostnames"] == ["inference.dev.acme.internal"]
            assert route.inputs["spec"]["parentRefs"] == [
                {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway"}
            ]

    def test_body_based_routing_comes_before_the_route_lookup(self, deploy: Deploy):
        spec = _deploy(deploy).one(EXTENSION).inputs["spec"]
        (chain,) = spec["extensionChains"]
        (extension,) = chain["extensions"]
        assert spec["targetRefs"][0]["name"] == "gateway"
        assert extension["requestBodySendMode"] == "FullDuplexStreamed"
        assert extension["backendRef"]["port"] == 9004
        assert extension["failOpen"] is False


class TestPools:
    """A pool selects its replicas, probes them as vLLM answers, and gives them time."""

    def _pool(self, cloud: Cloud, name: str) -> dict[str, Any]:
        return cloud.one(POOL, f"gateway-{name}-pool").inputs["spec"]

    def test_pool_selects_its_replicas_and_names_its_picker(self, deploy: Deploy):
        pool = self._pool(_deploy(deploy), "llama-8b-l4")
        assert pool["selector"] == {"matchLabels": {"app.kubernetes.io/instance": "llama-8b-l4"}}
        assert pool["targetPorts"] == [{"number": 8000}]
        assert pool["endpointPickerRef"] == {
            "group": "",
            "kind": "Service",
            "name": "llama-8b-l4-epp",
            "port": {"number": 9002},
            "failureMode": "FailOpen",
        }

    def test_every_pool_is_probed_where_vllm_answers(self, deploy: Deploy):
        cloud = _deploy(deploy)
        for pool in ARGS["pools"]:
            spec = cloud.one(HEALTH_CHECK, f"gateway-{pool['name']}-health-check").inputs["spec"]
            assert spec["targetRef"]["kind"] == "InferencePool"
            assert spec["targetRef"]["name"] == pool["name"]
            assert spec["default"]["config"] == {
                "type": "HTTP",
                "httpHealthCheck": {
                    "portSpecification": "USE_FIXED_PORT",
                    "port": 8000,
                    "requestPath": "/health",
                },
            }

    def test_the_router_is_probed_by_grpc(self, deploy: Deploy):
        spec = _deploy(deploy).one(HEALTH_CHECK, "gateway-router-health-check").inputs["spec"]
        assert spec["targetRef"] == {"group": "", "kind": "Service", "name": "gateway-bbr"}
        assert spec["default"]["config"]["grpcHealthCheck"]["port"] == 9005

    def test_answers_may_take_long_and_are_logged(self, deploy: Deploy):
        cloud = _deploy(deploy, _with(request_timeout_seconds=900))
        policies = cloud.all(BACKEND_POLICY)
        assert len(policies) == len(ARGS["pools"])
        for policy in policies:
            default = policy.inputs["spec"]["default"]
            assert default["timeoutSec"] == 900
            assert default["logging"] == {"enabled": True, "sampleRate": 1_000_000}

    def test_the_picker_weighs_queue_cache_and_prefix(self):
        config = yaml.safe_load(picker_config(lora=False))
        assert config["apiVersion"] == "inference.networking.x-k8s.io/v1alpha1"
        assert config["schedulingProfiles"][0]["plugins"] == [
            {"pluginRef": "queue-scorer", "weight": 2},
            {"pluginRef": "kv-cache-utilization-scorer", "weight": 2},
            {"pluginRef": "prefix-cache-scorer", "weight": 3},
        ]

    def test_the_picker_of_a_pool_with_adapters_weighs_adapters_too(self, deploy: Deploy):
        cloud = _deploy(deploy)
        configs = {
            r.inputs["metadata"]["name"]: r.inputs["data"]["config.yaml"]
            for r in cloud.all("kubernetes:core/v1:ConfigMap")
        }
        with_adapters = {name for name, text in configs.items() if "lora-affinity-scorer" in text}
        assert with_adapters == {"llama-8b-l4-epp"}

    def test_a_picker_restarts_when_its_configuration_changes(self, deploy: Deploy):
        cloud = _deploy(deploy)
        checksums = {
            name: cloud.one(DEPLOYMENT, f"gateway-{name}-picker-deployment").inputs["spec"][
                "template"
            ]["metadata"]["annotations"]["checksum/config"]
            for name in ("llama-70b-h100", "llama-70b-flex", "llama-8b-l4")
        }
        assert checksums["llama-70b-h100"] == checksums["llama-70b-flex"]
        assert checksums["llama-70b-h100"] != checksums["llama-8b-l4"]

    def test_a_picker_is_replaced_without_a_gap(self, deploy: Deploy):
        spec = (
            _deploy(deploy).one(DEPLOYMENT, "gateway-llama-8b-l4-picker-deployment").inputs["spec"]
        )
        assert spec["replicas"] == 1
        assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}

    def test_what_is_not_ready_is_not_restarted(self, deploy: Deploy):
        for each in _deploy(deploy).all(DEPLOYMENT):
            (container,) = each.inputs["spec"]["template"]["spec"]["containers"]
            assert "grpc" in container["readinessProbe"]
            assert set(container["livenessProbe"]) == {"tcpSocket", "periodSeconds"}

    def test_what_does_not_answer_envoy_yet_is_not_ready(self, deploy: Deploy):
        for each in _deploy(deploy).all(DEPLOYMENT):
            (container,) = each.inputs["spec"]["template"]["spec"]["containers"]
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            assert container["startupProbe"]["tcpSocket"] == {"port": ports["grpc"]}

    def test_the_picker_watches_its_pool(self, deploy: Deploy):
        cloud = _deploy(deploy)
        spec = cloud.one(DEPLOYMENT, "gateway-llama-8b-l4-picker-deployment").inputs["spec"]
        (container,) = spec["template"]["spec"]["containers"]
        assert "--pool-name=llama-8b-l4" in container["args"]
        assert "--pool-group=inference.networking.k8s.io" in container["args"]
        assert "--metrics-endpoint-auth=false" in container["args"]
        assert "--enable-pprof=false" in container["args"]
        service = cloud.one(SERVICE, "gateway-llama-8b-l4-picker-service").inputs["spec"]
        (port,) = service["ports"]
        assert (port["port"], port["appProtocol"]) == (9002, "http2")


class TestRights:
    """Nothing may more than it must."""

    def test_a_picker_reads_its_own_namespace_and_nothing_else(self, deploy: Deploy):
        cloud = _deploy(deploy)
        reads = ["get", "watch", "list"]
        roles = cloud.all(ROLE)
        assert len(roles) == len(ARGS["pools"])
        for role in roles:
            assert role.inputs["metadata"]["namespace"] == "inference"
            assert role.inputs["rules"] == [
                {"apiGroups": [""], "resources": ["pods"], "verbs": reads},
                {
                    "apiGroups": ["inference.networking.k8s.io"],
                    "resources": ["inferencepools"],
                    "verbs": reads,
                },
                {
                    "apiGroups": ["inference.networking.x-k8s.io"],
                    "resources": ["inferenceobjectives", "inferencemodelrewrites"],
                    "verbs": reads,
                },
            ]

    def test_each_binding_gives_one_role_to_one_account(self, deploy: Deploy):
        for binding in _deploy(deploy).all(BINDING):
            name = binding.inputs["metadata"]["name"]
            assert binding.inputs["roleRef"]["name"] == name
            assert binding.inputs["subjects"] == [
                {"kind": "ServiceAccount", "name": name, "namespace": "inference"}
            ]

    def test_nothing_is_granted_in_the_whole_cluster_or_project(self, deploy: Deploy):
        types = {r.type for r in _deploy(deploy).resources}
        assert not {t for t in types if "ClusterRole" in t or "IamMember" in t or "IAM" in t}

    def test_the_router_has_no_right(self, deploy: Deploy):
        subjects = [
            subject["name"]
            for binding in _deploy(deploy).all(BINDING)
            for subject in binding.inputs["subjects"]
        ]
        assert "gateway-bbr" not in subjects

    def test_every_pod_is_restricted_and_sized(self, deploy: Deploy):
        for deployment in _deploy(deploy).all(DEPLOYMENT):
            pod = deployment.inputs["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in pod["containers"]:
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                }
                assert {"cpu", "memory", "ephemeral-storage"} == {
                    *container["resources"]["requests"]
                }
                assert {"memory", "ephemeral-storage"} <= {*container["resources"]["limits"]}

    def test_the_router_survives_a_node(self, deploy: Deploy):
        cloud = _deploy(deploy)
        spec = cloud.one(DEPLOYMENT, "gateway-router-deployment").inputs["spec"]
        assert spec["replicas"] == 2
        (spread,) = spec["template"]["spec"]["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname"
        assert cloud.one(BUDGET).inputs["spec"]["maxUnavailable"] == 1


class TestOrder:
    """What must be there before."""

    def test_global_access_is_on_before_anything_can_be_published(self, deploy: Deploy):
        cloud = _deploy(deploy)
        assert cloud.requires(cloud.one(GATEWAY), cloud.one(POLICY))
        assert cloud.one(POLICY).inputs["spec"]["targetRef"]["name"] == "gateway"

    def test_the_gateway_comes_after_the_proxy_only_subnet(self, deploy: Deploy):
        def program() -> None:
            subnet = gcp.compute.Subnetwork("proxy-only", network="n", ip_cidr_range="10.1.0.0/23")
            InferenceGateway("gateway", _with(proxy_only_subnetwork=subnet.id))

        cloud = deploy(program)
        subnet = cloud.one("gcp:compute/subnetwork:Subnetwork")
        assert cloud.requires(cloud.one(GATEWAY), subnet)

    def test_a_service_attachment_goes_before_the_gateway_does(self, deploy: Deploy):
        def program() -> None:
            gateway = InferenceGateway("gateway", ARGS)
            gcp.compute.ServiceAttachment(
                "attachment",
                connection_preference="ACCEPT_MANUAL",
                enable_proxy_protocol=False,
                nat_subnets=["nat"],
                target_service=gateway.forwarding_rule,
            )

        cloud = deploy(program)
        attachment = cloud.one("gcp:compute/serviceAttachment:ServiceAttachment")
        assert cloud.requires(attachment, cloud.one(GATEWAY))

    def test_the_gateway_waits_until_it_is_programmed(self, deploy: Deploy):
        annotations = _deploy(deploy).one(GATEWAY).inputs["metadata"]["annotations"]
        assert annotations == {"pulumi.com/waitFor": "condition=Programmed"}

    def test_routes_wait_until_they_are_reconciled(self, deploy: Deploy):
        for route in _deploy(deploy).all(ROUTE):
            wait = route.inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
            assert wait.startswith("jsonpath={.status.parents[0].conditions")
            assert wait.endswith("=True")

    def test_routes_come_after_the_gateway_the_router_and_their_own_pools(self, deploy: Deploy):
        cloud = _deploy(deploy)
        everything = [
            *cloud.all(POOL),
            *cloud.all(DEPLOYMENT),
            *cloud.all(HEALTH_CHECK),
            *cloud.all(BACKEND_POLICY),
        ]
        for route in ARGS["routes"]:
            own = {backend["pool"] for backend in route["backends"]}
            others = {pool["name"] for pool in ARGS["pools"]} - own
            made = cloud.one(ROUTE, f"gateway-{dns_label(route['models'][0])}-route")
            assert cloud.requires(made, cloud.one(GATEWAY))
            assert cloud.requires(made, cloud.one(EXTENSION))
            for earlier in everything:
                foreign = any(f"-{name}-" in earlier.name for name in others)
                assert cloud.requires(made, earlier) is not foreign, (made.name, earlier.name)

    def test_the_extension_comes_after_a_healthy_router(self, deploy: Deploy):
        cloud = _deploy(deploy)
        extension = cloud.one(EXTENSION)
        assert cloud.requires(extension, cloud.one(DEPLOYMENT, "gateway-router-deployment"))
        assert cloud.requires(extension, cloud.one(HEALTH_CHECK, "gateway-router-health-check"))

    def test_a_pool_does_not_wait_for_its_picker_which_waits_for_it(self, deploy: Deploy):
        cloud = _deploy(deploy)
        for pool in cloud.all(POOL):
            assert not any(cloud.requires(pool, service) for service in cloud.all(SERVICE))

    def test_pools_do_not_wait_for_the_load_balancer(self, deploy: Deploy):
        cloud = _deploy(deploy)
        gateway = cloud.one(GATEWAY)
        assert not any(cloud.requires(pool, gateway) for pool in cloud.all(POOL))

    def test_pickers_start_after_the_definitions_they_watch(self, deploy: Deploy):
        def program() -> None:
            crds = InferenceCrds("crds", {})
            InferenceGateway("gateway", _with(extension_api_group=crds.api_group))

        cloud = deploy(program)
        definitions = cloud.all(DEFINITION)
        assert len(definitions) == 2
        for deployment in cloud.all(DEPLOYMENT, ".*-picker-deployment"):
            assert all(cloud.requires(deployment, definition) for definition in definitions)


class TestForwardingRule:
    """The rule GKE made is found by its address."""

    def test_outputs(self, deploy: Deploy):
        cloud = _deploy(deploy)
        outputs = cloud.outputs[cloud.one(COMPONENT).urn]
        assert outputs["address"] == "10.0.0.42"
        assert outputs["gateway_name"] == "gateway"
        assert outputs["forwarding_rule"].startswith(COMPUTE_API)
        assert [(c.token, c.args) for c in cloud.calls] == [
            (RULES_CALL, {"project": "acme", "region": "us-central1"})
        ]

    def test_other_addresses_and_ports_are_not_taken(self):
        rules = [
            {"ip_address": "10.0.0.1", "port_range": "443-443", "self_link": "other address"},
            {"ip_address": "10.0.0.2", "port_range": "80-80", "self_link": "other port"},
            {"ip_address": "10.0.0.2", "port_range": "443-443", "self_link": "ours"},
        ]
        assert find_forwarding_rule(rules, "10.0.0.2", "us-central1", "acme") == "ours"

    def test_no_rule_is_told_with_what_to_do(self):
        with pytest.raises(LookupError) as caught:
            find_forwarding_rule([], "10.0.0.2", "us-central1", "acme")
        assert str(caught.value) == (
            "forwarding_rule: found no rule of region us-central1 at 10.0.0.2:443, although the "
            "Gateway says it is programmed; see its events (kubectl describe gateway) and `gcloud "
            "compute forwarding-rules list --project acme --regions us-central1`, then repeat "
            "`pulumi up`"
        )

    def test_no_rule_fails_the_update(self, deploy: Deploy):
        with pytest.raises(LookupError, match="found no rule"):
            _deploy(deploy, answers={RULES_CALL: {"rules": []}})


def test_every_child_is_below_the_component(deploy: Deploy):
    cloud = _deploy(deploy)
    component = cloud.one(COMPONENT)
    known = {component.urn, *(r.urn for r in cloud.resources if not r.custom)}
    assert all(r.parent in known for r in cloud.resources if r.urn != component.urn)


def test_the_definitions_are_those_gke_lacks(deploy: Deploy):
    cloud = deploy(lambda: InferenceCrds("crds", {}))
    names = {d.inputs["metadata"]["name"] for d in cloud.all(DEFINITION)}
    assert names == {
        "inferenceobjectives.inference.networking.x-k8s.io",
        "inferencemodelrewrites.inference.networking.x-k8s.io",
    }
    for definition in cloud.all(DEFINITION):
        (version,) = definition.inputs["spec"]["versions"]
        assert version["name"] == "v1alpha2"
        properties = version["schema"]["openAPIV3Schema"]["properties"]
        assert "poolRef" in properties["spec"]["properties"]


def test_a_region_can_have_a_name_beside_the_shared_one(deploy: Deploy):
    """One listener takes every name, and the routes say which there are."""
    names = ["inference.dev.acme.internal", "us-central1.inference.dev.acme.internal"]
    cloud = _deploy(deploy, _with(additional_hostnames=names[1:]))
    (listener,) = cloud.one(GATEWAY).inputs["spec"]["listeners"]
    assert "hostname" not in listener
    routes = cloud.all(ROUTE)
    assert routes
    assert all(route.inputs["spec"]["hostnames"] == names for route in routes)

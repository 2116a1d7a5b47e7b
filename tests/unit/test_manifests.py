"""Every custom resource the components make fits the definition the cluster has."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest
import yaml

from components.api_management.apigee_backend import ApigeeBackend
from components.cluster.compute_class import ComputeClass
from components.inference.callout_service import CalloutService
from components.inference.external_backend import ExternalBackend
from components.inference.inference_gateway import InferenceGateway
from components.inference.model_armor_guardrail import ModelArmorGuardrail
from components.inference.model_server import ModelServer
from components.inference.traffic_extension import TrafficExtension
from tests.unit.harness import Cloud, Deploy, Recorded
from tests.unit.inference_arguments import GATED_SERVER, GATEWAY, GEMINI, GUARDRAIL
from tests.unit.request_chain_arguments import BACKEND, CALLOUT, CHAIN

DEFINITIONS = Path(__file__).parents[2] / "sandbox" / "crds"
BUILT_IN = {
    "apiextensions.k8s.io",
    "apps",
    "autoscaling",
    "core",
    "helm.sh",
    "policy",
    "rbac.authorization.k8s.io",
}


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema as strict field validation reads it: what is not described is an error."""
    closed: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            closed[key] = {name: _closed(item) for name, item in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            closed[key] = _closed(cast("dict[str, Any]", value))
        else:
            closed[key] = value
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed["additionalProperties"] = False
    return closed


@cache
def _schemas() -> dict[tuple[str, str], dict[str, Any]]:
    schemas: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(DEFINITIONS.glob("*.yaml")):
        spec = yaml.safe_load(path.read_text())["spec"]
        for version in spec["versions"]:
            schema = _closed(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            schemas[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return schemas


def _custom_resources(cloud: Cloud) -> list[Recorded]:
    kubernetes = [r for r in cloud.resources if r.type.startswith("kubernetes:")]
    return [r for r in kubernetes if r.type.split(":")[1].split("/")[0] not in BUILT_IN]


def check_fits(api_version: str, kind: str, spec: Mapping[str, Any]) -> None:
    """Raise jsonschema.ValidationError where a spec does not fit the definition of its kind."""
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    jsonschema.validate(manifest, _schemas()[api_version, kind])


def _everything() -> None:
    ComputeClass("class", {"node_pools": ["l4", "l4-spot"]})
    InferenceGateway("gateway", GATEWAY)
    ModelServer("server", GATED_SERVER)
    armor, callout = ModelArmorGuardrail("armor", GUARDRAIL), CalloutService("callout", CALLOUT)
    apigee = ApigeeBackend("apigee", BACKEND)
    extensions = [apigee.extension, callout.extension, armor.extension]
    TrafficExtension("chain", {**CHAIN, "extensions": extensions})
    ExternalBackend("gemini", {**GEMINI, "security_policy": "edge"})


def test_every_custom_resource_fits_its_definition(deploy: Deploy):
    resources = _custom_resources(deploy(_everything))
    kinds: set[str] = set()
    for resource in resources:
        manifest = dict(resource.inputs)
        schema = _schemas()[manifest["apiVersion"], manifest["kind"]]
        jsonschema.validate(manifest, schema)
        kinds.add(manifest["kind"])
    assert kinds == {
        "ApigeeBackendService",
        "ComputeClass",
        "GCPBackendPolicy",
        "GCPGatewayPolicy",
        "GCPRoutingExtension",
        "GCPTrafficExtension",
        "Gateway",
        "HTTPRoute",
        "HealthCheckPolicy",
        "InferencePool",
        "PodMonitoring",
        "SecretProviderClass",
    }


def test_every_definition_is_structural_and_named_by_its_file():
    for path in sorted(DEFINITIONS.glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        spec = document["spec"]
        assert document["metadata"]["name"] == f"{spec['names']['plural']}.{spec['group']}"
        assert path.stem == document["metadata"]["name"]
        assert path.read_text().startswith("# "), f"{path.name} names no source"
        for version in spec["versions"]:
            _assert_structural(version["schema"]["openAPIV3Schema"], path.name)


def _assert_structural(schema: Mapping[str, Any], where: str) -> None:
    assert "type" in schema or schema.get("x-kubernetes-int-or-string"), where
    for name, item in schema.get("properties", {}).items():
        _assert_structural(item, f"{where}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            _assert_structural(schema[key], f"{where}.{key}")


@pytest.mark.parametrize("kind", ["Gateway", "HTTPRoute", "InferencePool", "GCPBackendPolicy"])
def test_a_field_the_definition_does_not_have_is_refused(deploy: Deploy, kind: str):
    found = next(r for r in _custom_resources(deploy(_everything)) if r.inputs["kind"] == kind)
    manifest = dict(found.inputs)
    manifest["spec"] = {**manifest["spec"], "timeouts": {"request": "300s"}}
    schema = _schemas()[manifest["apiVersion"], kind]
    with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
        jsonschema.validate(manifest, schema)


def test_a_health_check_port_needs_its_specification():
    schema = _schemas()["networking.gke.io/v1", "HealthCheckPolicy"]
    check: dict[str, Any] = {"requestPath": "/health", "port": 8000}
    policy: dict[str, Any] = {
        "apiVersion": "networking.gke.io/v1",
        "kind": "HealthCheckPolicy",
        "metadata": {"name": "pool"},
        "spec": {
            "targetRef": {"group": "", "kind": "Service", "name": "pool"},
            "default": {"config": {"type": "HTTP", "httpHealthCheck": check}},
        },
    }
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(policy, schema)
    check["portSpecification"] = "USE_FIXED_PORT"
    jsonschema.validate(policy, schema)

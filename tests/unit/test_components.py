"""What holds for every component."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

import components
from components.inference.model_armor_access import ModelArmorAccess
from components.inference.model_armor_guardrail import ModelArmorGuardrail
from components.network.consumer_vpc import ConsumerVpc
from components.network.psc_endpoint import PscEndpoint
from components.network.restricted_google_apis import RestrictedGoogleApis
from components.network.vpc import Vpc
from components.network.vpc_perimeter import VpcPerimeter
from components.project.services import ProjectServices
from tests.unit import (
    test_consumer_vpc,
    test_project_services,
    test_psc_endpoint,
    test_vpc,
    test_vpc_perimeter,
)
from tests.unit.harness import Cloud, Deploy, Recorded
from tests.unit.inference_arguments import GUARDRAIL

every_component = pytest.mark.parametrize("name", components.COMPONENTS)

PROGRAMS: dict[str, Callable[[pulumi.ResourceOptions | None], Any]] = {
    "ConsumerVpc": lambda opts: ConsumerVpc("it", test_consumer_vpc.ARGS, opts),
    "ModelArmorAccess": lambda opts: ModelArmorAccess(
        "it", {"project": "p", "project_number": "1", "grant_container_admin": True}, opts
    ),
    "ModelArmorGuardrail": lambda opts: ModelArmorGuardrail("it", GUARDRAIL, opts),
    "ProjectServices": lambda opts: ProjectServices("it", test_project_services.ARGS, opts),
    "PscEndpoint": lambda opts: PscEndpoint("it", test_psc_endpoint.ARGS, opts),
    "RestrictedGoogleApis": lambda opts: RestrictedGoogleApis(
        "it", {"project": "p", "network": "n"}, opts
    ),
    "Vpc": lambda opts: Vpc("it", {**test_vpc.TWO_REGIONS, "restricted_google_apis": True}, opts),
    "VpcPerimeter": lambda opts: VpcPerimeter("it", test_vpc_perimeter.ARGS, opts),
}
every_program = pytest.mark.parametrize("name", PROGRAMS)


def _deploy(deploy: Deploy, name: str, opts: pulumi.ResourceOptions | None = None) -> Cloud:
    return deploy(lambda: PROGRAMS[name](opts))


def test_every_component_is_listed():
    folder = Path(components.__file__).parent
    found = {
        name
        for path in folder.rglob("*.py")
        for name in re.findall(r"^class (\w+)\(pulumi\.ComponentResource\)", path.read_text(), re.M)
    }
    assert found == set(components.COMPONENTS)


class _Registered(Exception):  # noqa: N818 - a signal, not an error
    pass


@every_component
def test_type_token_is_the_class(name: str, monkeypatch: pytest.MonkeyPatch):
    def register(_: pulumi.ComponentResource, token: str, *rest: Any) -> None:
        raise _Registered(token)

    monkeypatch.setattr(pulumi.ComponentResource, "__init__", register)
    with pytest.raises(_Registered, match=f"^inference:index:{name}$"):
        components.load(name)("it", {})  # pyright: ignore[reportCallIssue, reportArgumentType] - a component's own signature


@every_component
def test_other_languages_can_use_it(name: str):
    found = Analyzer("inference").analyze([components.load(name)])
    definition = found["component_definitions"][name]
    assert definition.description
    assert definition.inputs
    assert definition.outputs
    undocumented = [key for key, value in definition.inputs.items() if not value.description]
    assert not undocumented


@every_component
def test_children_get_plain_options(name: str):
    module = inspect.getmodule(components.load(name))
    assert module
    assert ".merge(" not in inspect.getsource(module)


@every_program
def test_children_have_the_component_as_parent_and_in_their_names(deploy: Deploy, name: str):
    cloud = _deploy(deploy, name)
    top = cloud.one(f"inference:index:{name}")
    assert len(cloud.resources) > 1
    for resource in cloud.resources:
        if resource is top:
            continue
        above = cloud.by_urn(resource.parent)
        assert above.type.startswith("inference:index:")
        assert resource.name.startswith(f"{above.name}-")


@every_program
def test_nothing_is_aliased_and_nothing_named_by_chance(deploy: Deploy, name: str):
    for resource in _deploy(deploy, name).resources:
        assert resource.aliases == ()
        if resource.type.startswith("gcp:compute/"):
            assert resource.inputs["name"]


@every_program
def test_outputs_are_registered_once_and_complete(deploy: Deploy, name: str):
    cloud = _deploy(deploy, name)
    definition = Analyzer("inference").analyze([components.load(name)])
    expected = definition["component_definitions"][name].outputs_mapping.values()
    top = cloud.one(f"inference:index:{name}")
    assert set(cloud.outputs[top.urn]) == set(expected)


@every_program
def test_children_inherit_protection_and_provider(deploy: Deploy, name: str):
    def program() -> None:
        provider = gcp.Provider("chosen")
        PROGRAMS[name](pulumi.ResourceOptions(protect=True, provider=provider))

    cloud = deploy(program)
    chosen = cloud.one("pulumi:providers:gcp")
    for resource in cloud.resources:
        if resource.type.startswith("gcp:"):
            assert resource.protect
            assert resource.provider.startswith(chosen.urn)


def _is_public(resource: Recorded) -> bool:
    if resource.type in {"gcp:compute/globalAddress:GlobalAddress"}:
        return True
    if resource.type == "gcp:compute/address:Address":
        return resource.inputs.get("addressType") != "INTERNAL"
    if resource.type == "gcp:compute/forwardingRule:ForwardingRule":
        return resource.inputs.get("loadBalancingScheme") not in {"", "INTERNAL_MANAGED"}
    if resource.type == "gcp:dns/managedZone:ManagedZone":
        return resource.inputs.get("visibility") != "private"
    return False


@every_program
def test_nothing_is_public(deploy: Deploy, name: str):
    assert not [r.name for r in _deploy(deploy, name).resources if _is_public(r)]

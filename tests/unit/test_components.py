"""What holds for every component."""

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pytest

import components
from components.pages import package
from tests.unit import examples, test_managed_certificate
from tests.unit.harness import Cloud, Deploy, Recorded, run
from tests.unit.reached import arguments_of

every_component = pytest.mark.parametrize("name", components.COMPONENTS)

ARGUMENTS: Mapping[str, Any] = {name: examples.arguments(name) for name in components.COMPONENTS}

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "gcp:bigquery/getDefaultServiceAccount:getDefaultServiceAccount": {"email": "bq@acme.com"},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": "gs@acme.com"
    },
    "gcp:apigateway/api:Api": {"managedService": "api-1.apigateway.acme.cloud.goog"},
    "gcp:apigateway/gateway:Gateway": {"defaultHostname": "api-1.uc.gateway.dev"},
    "gcp:dataflow/flexTemplateJob:FlexTemplateJob": {"jobId": "job-1"},
    "gcp:certificateauthority/authority:Authority": {"pemCaCertificates": ["certificate"]},
    "gcp:secretmanager/getSecretVersionAccess:getSecretVersionAccess": {"secretData": "key"},
    **test_managed_certificate.ANSWERS,
}
# The SDKs alias a kind's own older API versions; an alias of ours would give a name or parent.
OWN_ALIAS = re.compile(r"name:|urn:|parentUrn: \"[^\"]")


def _program(name: str) -> Callable[[pulumi.ResourceOptions | None], Any]:
    component: Any = components.load(name)
    return lambda opts: component("sample", ARGUMENTS[name], opts)


PROGRAMS = {name: _program(name) for name in components.COMPONENTS}
every_program = pytest.mark.parametrize("name", PROGRAMS)


@cache
def _made(name: str) -> Cloud:
    """Return what a component makes, for all tests that only look at it."""
    return run(lambda: PROGRAMS[name](None), answers=ANSWERS)


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
        make: Any = components.load(name)
        make("it", {})


@every_component
def test_other_languages_can_use_it(name: str):
    definition = package()["component_definitions"][name]
    assert definition.description
    assert len(definition.inputs) == len(arguments_of(name).__annotations__)
    assert definition.outputs
    undocumented = [key for key, value in definition.inputs.items() if not value.description]
    assert not undocumented


@every_component
def test_children_get_plain_options(name: str):
    module = inspect.getmodule(components.load(name))
    assert module
    assert ".merge(" not in inspect.getsource(module)


@every_program
def test_children_have_the_component_as_parent_and_in_their_names(name: str):
    cloud = _made(name)
    top = cloud.one(f"inference:index:{name}")
    assert len(cloud.resources) > 1
    for resource in cloud.resources:
        if resource is top:
            continue
        above = cloud.by_urn(resource.parent)
        assert above.type.startswith("inference:index:")
        assert resource.name.startswith(f"{above.name}-")


@every_program
def test_nothing_is_aliased_and_nothing_named_by_chance(name: str):
    for resource in _made(name).resources:
        assert not [alias for alias in resource.aliases if OWN_ALIAS.search(str(alias))]
        if resource.type.startswith("gcp:compute/") and "IAM" not in resource.type:
            assert resource.inputs["name"]


@every_program
def test_outputs_are_registered_once_and_complete(name: str):
    cloud = _made(name)
    expected = package()["component_definitions"][name].outputs_mapping.values()
    top = cloud.one(f"inference:index:{name}")
    assert set(cloud.outputs[top.urn]) == set(expected)


@every_program
def test_children_inherit_protection_and_provider(deploy: Deploy, name: str):
    def program() -> None:
        provider = gcp.Provider("chosen")
        PROGRAMS[name](pulumi.ResourceOptions(protect=True, provider=provider))

    cloud = deploy(program, answers=ANSWERS)
    chosen = cloud.one("pulumi:providers:gcp")
    for resource in cloud.resources:
        if resource.type.startswith("gcp:"):
            assert resource.protect
            assert resource.provider.startswith(chosen.urn)


def _is_public(resource: Recorded) -> bool:
    if resource.type in {
        "gcp:compute/address:Address",
        "gcp:compute/globalAddress:GlobalAddress",
    }:
        return resource.inputs.get("addressType") != "INTERNAL"
    if resource.type == "gcp:compute/forwardingRule:ForwardingRule":
        return resource.inputs.get("loadBalancingScheme") not in {"", "INTERNAL_MANAGED"}
    if resource.type == "gcp:dns/managedZone:ManagedZone":
        return resource.inputs.get("visibility") != "private"
    return False


@every_program
def test_nothing_is_public(name: str):
    assert not [r.name for r in _made(name).resources if _is_public(r)]

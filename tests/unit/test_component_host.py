"""Programs in any language get the components from their host, started as the engine starts it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from components import COMPONENTS
from tests.unit.reached import arguments_of

FOLDER = Path(__file__).parents[2] / "components"
PLUGIN: Mapping[str, Any] = yaml.safe_load((FOLDER / "PulumiPlugin.yaml").read_text())


@pytest.fixture(scope="module")
def schema() -> Iterator[Mapping[str, Any]]:
    """Yield the schema of the package, as the host answers it."""
    command = [sys.executable, str(FOLDER), "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True) as host:
        try:
            assert host.stdout is not None
            port = host.stdout.readline().strip()
            assert port.isdecimal(), "the host of the components does not start"
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
                answer = stub.GetSchema(provider_pb2.GetSchemaRequest(version=0))
                yield json.loads(answer.schema)
        finally:
            host.terminate()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():  # JSON
            if key == "$ref":
                yield str(item)  # JSON
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:  # JSON
            yield from _references(item)


def test_every_component_is_offered_with_its_arguments_and_outputs(schema: Mapping[str, Any]):
    resources = schema["resources"]
    assert set(resources) == {f"inference:index:{name}" for name in COMPONENTS}
    for kind, resource in resources.items():
        assert resource["isComponent"]
        assert resource["description"]
        given = arguments_of(kind.rpartition(":")[2]).__annotations__
        assert len(resource["inputProperties"]) == len(given)
        assert resource["properties"]
        assert set(resource.get("requiredInputs", [])) <= set(resource["inputProperties"])


def test_every_type_that_is_referred_to_is_there(schema: Mapping[str, Any]):
    own = {each for each in _references(schema) if each.startswith("#/types/")}
    assert own == {f"#/types/{token}" for token in schema["types"]}


def test_the_package_has_the_name_and_version_of_the_plugin(schema: Mapping[str, Any]):
    assert (schema["name"], schema["version"]) == (PLUGIN["name"], PLUGIN["version"])


def test_the_plugin_uses_the_projects_own_virtual_environment():
    """Otherwise the CLI makes one inside the folder of the components."""
    virtualenv = PLUGIN["runtime"]["options"]["virtualenv"]
    assert (FOLDER / virtualenv).resolve() == FOLDER.parent / ".venv"

"""ProjectServices turns APIs on in parallel, and what uses the project waits for all of them."""

from typing import Any, cast

import pulumi
import pulumi_gcp as gcp
import pytest

from components.project.services import (
    ProjectServices,
    ProjectServicesArgs,
    validate_project_services,
)
from tests.unit import examples
from tests.unit.harness import Deploy

SERVICE = "gcp:projects/service:Service"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
ARGS: ProjectServicesArgs = examples.arguments("ProjectServices")


def test_apis_do_not_wait_for_each_other_and_outlive_the_stack(deploy: Deploy):
    cloud = deploy(lambda: ProjectServices("api", ARGS))
    services = cloud.all(SERVICE)
    assert [service.name for service in services] == [
        "api-cloudresourcemanager",
        "api-container",
        "api-pubsub",
    ]
    for service in services:
        assert service.dependencies == frozenset()
        assert service.inputs["disableOnDestroy"] is False
        assert service.inputs["project"] == "acme"


def test_agents_are_made_after_their_api_only(deploy: Deploy):
    cloud = deploy(lambda: ProjectServices("api", ARGS))
    agent = cloud.one(IDENTITY, "api-pubsub-agent")
    assert agent.dependencies == {cloud.one(SERVICE, "api-pubsub").urn}


def test_users_of_the_project_id_wait_for_every_api(deploy: Deploy):
    def program() -> None:
        api = ProjectServices("api", ARGS)
        gcp.compute.Network("net", project=api.project_id)

    cloud = deploy(program)
    net = cloud.one("gcp:compute/network:Network")
    assert net.inputs["project"] == "acme"
    assert net.dependencies == {service.urn for service in cloud.all(SERVICE)}


def test_outputs_are_the_projects(deploy: Deploy):
    def program() -> dict[str, Any]:
        api = ProjectServices("api", ARGS)
        return {"number": api.project_number, "agents": api.service_agents}

    cloud = deploy(program)
    assert cloud.value == {
        "number": "415104041262",
        "agents": {
            "pubsub.googleapis.com": "service-415104041262@gcp-sa-pubsub.iam.gserviceaccount.com"
        },
    }
    assert [call.args for call in cloud.calls] == [{"projectId": "acme"}]
    assert set(next(iter(cloud.outputs.values()))) == {
        "project_id",
        "project_number",
        "service_agents",
    }


def test_the_number_is_read_with_the_components_provider(deploy: Deploy):
    def program() -> None:
        provider = gcp.Provider("gcp-test", project="acme")
        ProjectServices("api", ARGS, pulumi.ResourceOptions(provider=provider))

    cloud = deploy(program)
    provider = cloud.one("pulumi:providers:gcp")
    assert all(call.provider.startswith(provider.urn) for call in cloud.calls)
    assert all(r.provider.startswith(provider.urn) for r in cloud.all(SERVICE))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"services": [], "identities": []},
            {"services": "found an empty list; allowed: one entry or more; give an API"},
        ),
        (
            {"services": ["container"], "identities": []},
            {
                "services[0]": "found 'container'; allowed: the host name of a Google API; write "
                "it like storage.googleapis.com"
            },
        ),
        (
            {"services": ["a.googleapis.com"] * 2, "identities": []},
            {"services[1]": "found 'a.googleapis.com' again; allowed: each API once; remove it"},
        ),
        (
            {"services": ["a.googleapis.com"]},
            {
                "identities[0]": "found 'pubsub.googleapis.com'; allowed: a.googleapis.com; did "
                "you mean 'a.googleapis.com'?"
            },
        ),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], expected: dict[str, str]):
    problems = validate_project_services(cast("ProjectServicesArgs", {**ARGS, **change}))
    assert {p["property_path"]: p["reason"] for p in problems.found} == expected

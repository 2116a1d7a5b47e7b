"""A program that has none of our code takes a component from the host, on the sandbox cloud."""

import sys
from pathlib import Path

import pulumi
import pulumi_gcp as gcp
from pulumi import automation

from sandbox.world import World
from tests.sandbox.test_engine import stack_of

FOLDER = Path(__file__).parents[2] / "components"


class PrivateName(pulumi.ComponentResource):
    """What `pulumi package add` makes for a program: names, no code."""

    hostname: pulumi.Output[str]

    def __init__(self, name: str, properties: pulumi.Inputs) -> None:
        super().__init__(
            "inference:index:PrivateName", name, {"hostname": None, **properties}, remote=True
        )


def program() -> None:
    enabled = [
        gcp.projects.Service(service, service=f"{service}.googleapis.com")
        for service in ("compute", "dns")
    ]
    waits = pulumi.ResourceOptions(depends_on=enabled)
    network = gcp.compute.Network("net", auto_create_subnetworks=False, opts=waits)
    name = PrivateName(
        "chat",
        {
            "project": "acme",
            "hostname": "chat.acme.internal",
            "addresses": {"us-central1": "10.0.0.2"},
            "networks": [network.id],
        },
    )
    pulumi.export("hostname", name.hostname)


def test_a_component_of_the_host_is_made_and_goes_again(
    tmp_path: Path, pulumi_command: automation.PulumiCommand
) -> None:
    plugin = tmp_path / "plugins" / "pulumi-resource-inference"
    plugin.parent.mkdir()
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FOLDER}" "$@"\n')
    plugin.chmod(0o755)
    with (
        World(tmp_path / "world.db") as world,
        stack_of(program, tmp_path, pulumi_command, world, plugin.parent) as stack,
    ):
        assert stack.up().outputs["hostname"].value == "chat.acme.internal"
        (zone,) = world.by_type("gcp:dns/managedZone:ManagedZone")
        (network,) = world.by_type("gcp:compute/network:Network")
        networks = zone.inputs["privateVisibilityConfig"]["networks"]
        assert networks == [{"networkUrl": network.id}]
        (record,) = world.by_type("gcp:dns/recordSet:RecordSet")
        assert record.inputs["rrdatas"] == ["10.0.0.2"]
        stack.destroy()
        assert [resource.id for resource in world.all()] == []

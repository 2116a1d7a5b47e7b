"""The real Pulumi engine on the sandbox cloud, from nothing to nothing."""

import json
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
from pulumi import automation

from sandbox.providers import serve
from sandbox.world import CloudResource, World

SERVICES = ("compute", "container", "pubsub", "iam")


def kubeconfig(endpoint: str) -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": f"https://{endpoint}"}}],
            "users": [{"name": "it", "user": {}}],
        }
    )


def platform(
    *,
    description: str = "first",
    data: str = "one",
    cidr: str = "10.0.0.0/20",
    adopted: str = "",
) -> None:
    """Both providers, autonames, secrets, a default provider and an explicit one per cluster."""
    enabled = [
        gcp.projects.Service(service, service=f"{service}.googleapis.com") for service in SERVICES
    ]
    waits = pulumi.ResourceOptions(depends_on=enabled)
    if adopted:
        options = pulumi.ResourceOptions(import_=adopted, protect=False)
        gcp.pubsub.Topic("orders", name="orders", labels={"team": "ml"}, opts=options)
    network = gcp.compute.Network("net", auto_create_subnetworks=False, opts=waits)
    gcp.compute.Address("address", description=description, opts=waits)
    for region, nodes in (("us-central1", cidr), ("us-east4", "10.1.0.0/20")):
        subnetwork = gcp.compute.Subnetwork(
            f"nodes-{region}",
            name="nodes",
            network=network.id,
            region=region,
            ip_cidr_range=nodes,
            private_ip_google_access=description != "first",
        )
        cluster = gcp.container.Cluster(
            f"cluster-{region}",
            name="cluster",
            location=region,
            network=network.id,
            subnetwork=subnetwork.id,
            deletion_protection=False,
            gateway_api_config={"channel": "CHANNEL_STANDARD"},
            control_plane_endpoints_config={
                "dns_endpoint_config": {"allow_external_traffic": True}
            },
        )
        pulumi.export(f"gateway-{region}", subnetwork.gateway_address)
        endpoint = cluster.control_plane_endpoints_config.dns_endpoint_config.endpoint
        inside = pulumi.ResourceOptions(
            provider=kubernetes.Provider(region, kubeconfig=endpoint.apply(kubeconfig))
        )
        namespace = kubernetes.core.v1.Namespace(
            f"space-{region}", metadata={"name": "space"}, opts=inside
        )
        kubernetes.core.v1.ConfigMap(
            f"settings-{region}",
            metadata={"namespace": namespace.metadata.name, "name": "settings"},
            data={"key": data, "region": region},
            opts=inside,
        )
        kubernetes.core.v1.Secret(
            f"password-{region}",
            metadata={"namespace": namespace.metadata.name},
            string_data={"password": pulumi.Output.secret("hush")},
            opts=inside,
        )
    pulumi.export("project_number", gcp.organizations.get_project_output().number)


@contextmanager
def stack_of(
    program: Callable[[], None],
    folder: Path,
    engine: automation.PulumiCommand,
    world: World,
    plugins: Path | None = None,
) -> Generator[automation.Stack]:
    """Yield a stack on the sandbox's providers; a folder may hold plugins of further ones."""
    for name in ("state", "home", "work"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "home" / "logs").touch()  # so the engine writes none
    with serve(world) as servers:
        settings = automation.ProjectSettings(
            name="test",
            runtime="python",
            backend=automation.ProjectBackend((folder / "state").as_uri()),
        )
        environment = {
            "PULUMI_CONFIG_PASSPHRASE": "correct horse",
            "PATH": f"{plugins}{os.pathsep}{os.environ['PATH']}" if plugins else os.environ["PATH"],
            "PULUMI_DEBUG_PROVIDERS": servers.debug_providers,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_HOME": str(folder / "home"),
        }
        options = automation.LocalWorkspaceOptions(
            work_dir=str(folder / "work"),
            project_settings=settings,
            env_vars=environment,
            pulumi_command=engine,
        )
        stack = automation.create_or_select_stack("dev", "test", program=program, opts=options)
        values = {"gcp:project": "acme", "gcp:region": "us-central1"}
        stack.set_all_config({key: automation.ConfigValue(each) for key, each in values.items()})
        yield stack


def changes(summary: Any) -> dict[str, int]:
    return {getattr(kind, "value", kind): count for kind, count in summary.items()}


def test_a_stack_lives_its_whole_life(
    tmp_path: Path, pulumi_command: automation.PulumiCommand
) -> None:
    settings: dict[str, str] = {}

    def program() -> None:
        platform(**settings)

    with (
        World(tmp_path / "world.db") as world,
        stack_of(program, tmp_path, pulumi_command, world) as stack,
    ):
        stack.preview()
        assert world.count() == 0
        first = stack.up()
        assert first.outputs["gateway-us-east4"].value == "10.1.0.1"
        assert len(first.outputs["project_number"].value) == len("123456789012")
        assert set(changes(stack.preview().change_summary)) == {"same"}, (
            "a second preview has no changes"
        )

        clusters = {r.scope for r in world.by_type("kubernetes:core/v1:ConfigMap")}
        assert clusters == {
            f"projects/acme/locations/{region}/clusters/cluster"
            for region in ("us-central1", "us-east4")
        }
        assert "hush" not in (next((tmp_path / "state").rglob("dev.json"))).read_text()

        settings["data"] = "two"
        assert changes(stack.up().summary.resource_changes)["update"] == len(clusters)

        settings["description"] = "second"
        replaced = changes(stack.preview().change_summary)
        assert replaced["replace"] == 1, "an address cannot change"
        assert replaced["update"] == len(clusters), "a subnetwork can"
        stack.up()

        settings["cidr"] = "10.0.0.0/19"
        assert set(changes(stack.preview().change_summary)) == {"same", "update"}, (
            "a range may grow"
        )

        topic = "gcp:pubsub/topic:Topic"
        by_hand = {"name": "orders", "labels": {"team": "ml"}}
        world.put(
            CloudResource(topic, "projects/acme/topics/orders", inputs=by_hand, outputs=by_hand)
        )
        del settings["cidr"]
        settings["adopted"] = "acme/orders"
        assert changes(stack.up().summary.resource_changes)["import"] == 1
        (network,) = world.by_type("gcp:compute/network:Network")
        (settings_map, *_) = world.by_type("kubernetes:core/v1:ConfigMap")
        world.remove(settings_map.type, settings_map.id, settings_map.scope)
        assert changes(stack.refresh().summary.resource_changes)["delete"] == 1
        stack.up()
        assert set(changes(stack.preview().change_summary)) == {"same"}

        assert network.id == "projects/acme/global/networks/" + network.inputs["name"]
        stack.destroy()
        assert [resource.id for resource in world.all()] == []

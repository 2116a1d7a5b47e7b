"""The real endpoint picker and router take what each of their Deployments gives them."""

import copy
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.inference.endpoint_picker import CONFIG_FILE, Scheduling, picker_config
from emulator.gateway.client import Client, Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.programs import ProgramError
from emulator.gateway.workloads import PROGRAMS, Workload, program_of, start
from tests.kubernetes.held import held

OWN = [PROGRAMS[name] for name in ("epp", "bbr")]

pytestmark = pytest.mark.skipif(
    not all(program.exists() for program in OWN),
    reason="NO ENDPOINT PICKER NOR ROUTER WAS RUN: `make test-kubernetes` builds them, once",
)


def programs_of(cluster: Cluster) -> list[Manifest]:
    return [each for each in cluster.of("Deployment") if program_of(each) in OWN]


def changed(cluster: Cluster, pool: str, config: str) -> Cluster:
    """Return the cluster with another configuration of a pool's picker."""
    manifests = copy.deepcopy(cluster.manifests)
    other = Cluster(cluster.name, manifests)
    other.one("ConfigMap", f"{pool}-epp")["data"][CONFIG_FILE] = config
    return other


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_picker_and_router_is_ready_as_its_deployment_says(
    cluster: Client, stacks: dict[str, list[Cluster]], stack: str, tmp_path: Path
) -> None:
    for each in stacks[stack]:
        deployments = programs_of(each)
        assert len(deployments) == len(list(each.of("InferencePool"))) + 1
        folder = tmp_path / each.name
        folder.mkdir()
        with held(cluster, each), ExitStack() as running:
            started: list[Workload] = [
                start(running, cluster, each, deployment, folder / deployment["metadata"]["name"])
                for deployment in deployments
            ]
            for workload in started:
                workload.wait()
                log = workload.program.log.read_text()
                assert "forbidden" not in log
                assert '"level":"error"' not in log


def _without_a_plugin(config: dict[str, Any]) -> None:
    config["plugins"][0]["type"] = "queue-score"


def _with_an_unknown_field(config: dict[str, Any]) -> None:
    config["schedulingProfile"] = config.pop("schedulingProfiles")


def _with_an_unknown_gate(config: dict[str, Any]) -> None:
    config["featureGates"] = ["flowcontrol"]


def _with_a_profile_of_what_is_not_there(config: dict[str, Any]) -> None:
    config["schedulingProfiles"][0]["plugins"].append({"pluginRef": "lora-affinity"})


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("flow_control", [False, True])
def test_every_configuration_that_a_pool_can_have_is_taken(
    cluster: Client,
    stacks: dict[str, list[Cluster]],
    tmp_path: Path,
    *,
    lora: bool,
    flow_control: bool,
) -> None:
    dev = stacks["dev"][0]
    (pool,) = (each["metadata"]["name"] for each in dev.of("InferencePool"))
    other = changed(dev, pool, picker_config(lora=lora, flow_control=flow_control))
    with held(cluster, other), ExitStack() as running:
        start(
            running, cluster, other, other.one("Deployment", f"{pool}-epp"), tmp_path / pool
        ).wait()


def test_a_configuration_with_every_setting_is_taken(
    cluster: Client, stacks: dict[str, list[Cluster]], tmp_path: Path
) -> None:
    dev = stacks["dev"][0]
    (pool,) = (each["metadata"]["name"] for each in dev.of("InferencePool"))
    scheduling: Scheduling = {
        "scorers": {"running-requests-size-scorer": 2, "queue-scorer": 0},
        "prefix_tokens": 16384,
        "prefix_blocks_per_replica": 40000,
        "saturated_queue": 8,
        "saturated_kv_cache_percent": 90,
    }
    other = changed(dev, pool, picker_config(lora=True, scheduling=scheduling))
    with held(cluster, other), ExitStack() as running:
        start(
            running, cluster, other, other.one("Deployment", f"{pool}-epp"), tmp_path / pool
        ).wait()


def _saturated_by_nothing(config: dict[str, Any]) -> None:
    config["plugins"].append(
        {"type": "utilization-detector", "parameters": {"queueDepthThreshold": 0}}
    )
    config["saturationDetector"] = {"pluginRef": "utilization-detector"}


@pytest.mark.parametrize(
    "mistake",
    [
        _without_a_plugin,
        _with_an_unknown_field,
        _with_an_unknown_gate,
        _with_a_profile_of_what_is_not_there,
        _saturated_by_nothing,
    ],
)
def test_a_picker_with_a_wrong_configuration_ends(
    cluster: Client,
    stacks: dict[str, list[Cluster]],
    tmp_path: Path,
    mistake: Callable[[dict[str, Any]], None],
) -> None:
    dev = stacks["dev"][0]
    (pool,) = (each["metadata"]["name"] for each in dev.of("InferencePool"))
    config = yaml.safe_load(picker_config(lora=False))
    mistake(config)
    other = changed(dev, pool, yaml.safe_dump(config))
    with held(cluster, other), ExitStack() as running:
        picker = start(
            running, cluster, other, other.one("Deployment", f"{pool}-epp"), tmp_path / pool
        )
        with pytest.raises(ProgramError, match="ended with exit code 1"):
            picker.wait()


@pytest.mark.parametrize("flag", ["--stream=true", "--plugin=body-to-header:model:{}"])
def test_a_router_with_a_wrong_argument_ends(
    cluster: Client, stacks: dict[str, list[Cluster]], tmp_path: Path, flag: str
) -> None:
    dev = stacks["dev"][0]
    router = copy.deepcopy(next(each for each in programs_of(dev) if "bbr" in str(each["spec"])))
    router["spec"]["template"]["spec"]["containers"][0]["args"].append(flag)
    with held(cluster, dev), ExitStack() as running:
        started = start(running, cluster, dev, router, tmp_path / "router")
        with pytest.raises(ProgramError, match="ended with exit code"):
            started.wait()

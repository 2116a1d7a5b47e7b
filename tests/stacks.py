"""Stacks that the real engine brings up once for a whole run of the tests, and copies of them."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launcher import operations
from tests.engine.conftest import Rehearsal

Change = Callable[[dict[str, Any]], None]
IMAGES = "us-central1-docker.pkg.dev/acme-inference-dev/services"


def _as_it_is(_: dict[str, Any]) -> None:
    """Change nothing."""


def _with_services(config: dict[str, Any]) -> None:
    """Add API management and a guardrail of the Gateway, another guardrail at a replica."""
    config["edge_protection"] = {"deny": ["10.200.0.128/25"], "with_guardrails": True}
    config["api_management"] = {"extension": {"image": f"{IMAGES}/apim:1.0", "port": 50051}}
    config["guardrails"] = {
        "default": {"service": {"image": f"{IMAGES}/nemo:1.0", "port": 50051}},
        "own": {"at": "replica", "service": {"image": f"{IMAGES}/nemo-proxy:1.0", "port": 8080}},
    }
    config["models"]["llama-3.2-1b"] = {
        "source": "RedHatAI/Llama-3.2-1B-Instruct-FP8",
        "max_context": 8192,
        "guardrail": "own",
        "replica_sets": [{"node_pool": "l4-spot", "replicas": 1}],
    }


def models_alone(config: dict[str, Any]) -> None:
    """Take out all that is not of the way to models."""
    asking = {*config["services"], *config["pipelines"]}
    config.update(pipelines={}, services={}, data={})
    for kind in config.get("api_management", {}).values():
        known = kind.get("consumers", {})
        kind["consumers"] = {name: each for name, each in known.items() if name not in asking}


def _large(config: dict[str, Any]) -> None:
    """Add a model of two nodes, and the pool it runs on, to the models alone."""
    models_alone(config)
    config["gpu_pools"]["h200"] = {
        "machine_type": "a3-ultragpu-8g",
        "capacity": "spot",
        "min_nodes": 0,
        "max_nodes": 2,
        "rdma": True,
    }
    config["models"]["deepseek-v3"] = {
        "source": "deepseek-ai/DeepSeek-V3-0324",
        "replica_sets": [{"node_pool": "h200", "replicas": 1, "gpus": 8, "nodes": 2}],
    }


def _idle(config: dict[str, Any]) -> None:
    """Leave models that have no replica while nobody asks: one holds its first requests."""
    models_alone(config)
    config["cluster"] = {"minimum_version": "1.37"}
    held = config["models"]["qwen3-4b"]
    held["flow_control"] = True
    held["replica_sets"] = [{"node_pool": "l4-spot", "replicas": 0, "max_replicas": 1}]
    config["models"]["llama-3.2-1b"] = {
        "source": "RedHatAI/Llama-3.2-1B-Instruct-FP8",
        "max_context": 8192,
        "replica_sets": held["replica_sets"],
    }


def _pipeline_alone(config: dict[str, Any]) -> None:
    """Leave the pipeline, with what trains its model and looks at its rows."""
    config.update(services={}, data={})
    rules = {
        "message_id": {"unique": True},
        "model": {"required": True, "pattern": "^(vader|learned)-"},
        "latency_ms": {"minimum": 0},
    }
    results = config["pipelines"]["sentiment"]["results"]
    config["pipelines"]["sentiment"]["results"] = {
        **results,
        "quality": {"rules": rules, "fewest_rows": 1},
    }
    image = f"{IMAGES}/sentiment-trainer:1.0"
    config["training"] = {"sentiment": {"image": image, "canary_percent": 30}}


VARIANTS: dict[str, tuple[str, Change]] = {
    "dev": ("dev", _as_it_is),
    "prod": ("prod", _as_it_is),
    "dev with services": ("dev", _with_services),
    "dev with its pipeline alone": ("dev", _pipeline_alone),
    "dev with its models alone": ("dev", models_alone),
    "dev with idle models": ("dev", _idle),
    "prod with its models alone": ("prod", models_alone),
    "dev with a model across nodes": ("dev", _large),
}
"""The stack that each is made of, and what is changed of its config."""
LIMITS: dict[str, dict[str, dict[str, Any]]] = {
    "dev with a model across nodes": {
        "cost-monthly-ceiling": {"level": "disabled"},
        "scale-gke-gpu-per-pool": {"maxGpus": 16},
        "scale-gpu-total": {"maxGpus": 18, "maxGpusPerRegion": 18, "maxGpusPerType": 16},
        "scale-gpu-types-allowed": {"gpuTypes": ["nvidia-l4", "nvidia-h200-141gb"]},
    }
}
"""What the policies of a variant allow beyond those of its stack, by rule."""


def copy_of(variant: str, shared: Path, folder: Path) -> Rehearsal:
    """Return a copy in `folder` of what `up` made in `shared`, which all processes of a run use.

    The first that wants a variant makes it; the others wait for that.
    """
    stack, change = VARIANTS[variant]
    original = shared / variant
    with (shared / f"{variant}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not original.exists():
            # Under its name only when it is whole: one that fails fails for each that wants it.
            beginning = shared / f"{variant}.new"
            shutil.rmtree(beginning, ignore_errors=True)
            beginning.mkdir()
            made = Rehearsal(stack, beginning)
            made.edit(change)
            for rule, limits in LIMITS.get(variant, {}).items():
                made.limit(rule, **limits)
            operations.up(made.places, skip_preview=True)
            beginning.rename(original)
    shutil.copytree(original, folder, dirs_exist_ok=True)
    return Rehearsal(stack, folder)

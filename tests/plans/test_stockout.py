"""What a stockout does to the models of prod, and what quotas that are too small do."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from config.load import from_file
from config.platform import Platform
from launcher import capacity
from launcher.problem import LaunchError
from launcher.stockout import consequences, stockout
from plans.capacity import Need

ROOT = Path(__file__).parents[2]


@cache
def _prod() -> Platform:
    return from_file(ROOT / "Pulumi.prod.yaml")


def _lines(out: str, platform: Platform | None = None) -> list[str]:
    platform = platform or _prod()
    return list(consequences(stockout(out, platform), platform))


def test_nodes_come_in_the_zones_that_are_left():
    assert _lines("us-central1-a/h100")[0] == (
        "llama-3.3-70b on h100 in us-central1: moves to us-central1-b, us-central1-c as nodes come"
        " there; same cost"
    )


def test_a_region_without_a_type_is_served_by_the_other():
    lines = _lines("us-central1/h100")
    assert lines[0] == (
        "llama-3.3-70b on h100 in us-central1: down there, served by us-east4, where the failover"
        " of apps sends clients"
    )
    assert lines[1].startswith("  instead: 4 replicas on l4 with gpus: 2, nodes: 4, which take 16")


def test_a_set_beside_others_fails_by_its_weight():
    lines = _lines("us-central1/h100-flex")
    assert lines[0] == (
        "llama-3.3-70b on h100-flex in us-central1: 10 % of its requests fail there until its"
        " weight moves to h100"
    )


def _estate(replicas: int = 1) -> Platform:
    platform = from_file(ROOT / "Pulumi.estate.yaml")
    model = platform.models["qwen3-4b"]
    sets = tuple(each.model_copy(update={"replicas": replicas}) for each in model.replica_sets)
    models = {"qwen3-4b": model.model_copy(update={"replica_sets": sets})}
    return platform.model_copy(update={"models": models})


def test_replicas_move_along_their_list_and_back():
    (line,) = _lines("us-central1/l4-reserved", _estate())
    assert line == (
        "qwen3-4b on l4-reserved in us-central1: moves by itself, 1 replica to l4-on-demand"
        " (on-demand); and back once the first has nodes again"
    )
    (line,) = _lines("us-central1/g2-standard-8", _estate())
    assert "1 replica to l4-flex (flex-start)" in line


def test_replicas_for_which_a_list_has_no_room_are_down():
    (line,) = _lines("us-central1/l4-reserved", _estate(replicas=4))
    assert "to l4-spot (spot), 1 replica to l4-flex (flex-start); 1 replica down; and back" in line


def test_with_all_of_a_list_out_a_model_is_down():
    assert "down there, and nothing else serves it" in _lines("us-central1/all", _estate())[0]


def test_a_fallback_that_is_out_changes_nothing():
    assert _lines("us-central1/l4-spot", _estate()) == []


def test_what_nothing_else_serves_is_down():
    one = _prod().model_copy(update={"regions": {"us-central1": _prod().regions["us-central1"]}})
    lines = _lines("us-central1/all", one)
    assert "down there, and nothing else serves it" in lines[0]
    assert lines[1].startswith("  instead: no other pool of us-central1 holds it")


@pytest.mark.parametrize(
    "out", ["us-central1-a", "us-east4-b/l4", "mars/h100", "us-central1-a/tpu"]
)
def test_a_place_or_type_without_nodes_is_refused(out: str):
    with pytest.raises(
        LaunchError, match="where no pool has nodes; allowed: <zone or region>/<pool"
    ):
        stockout(out, _prod())


def _need(least: float, most: float | None) -> Need:
    return Need("us-central1", "", "nvidia-l4", "NVIDIA_L4_GPUS", least, most)


def _file(folder: Path, content: Any) -> Path:
    file = folder / "quotas.json"
    file.write_text(json.dumps(content))
    return file


def test_a_quota_below_the_minimum_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    quotas = [{"name": "us-central1", "quotas": [{"metric": "NVIDIA_L4_GPUS", "limit": 8.0}]}]
    held = capacity.limits_of(_file(tmp_path, quotas))
    capacity.compare([_need(4, 8), Need("us-east4", "", "x", "CPUS", 9, 9)], held)
    assert capsys.readouterr().out == ""
    capacity.compare([_need(4, 12)], held)
    assert (
        "below the worst case: us-central1 NVIDIA_L4_GPUS: 8 of 4 to 12" in capsys.readouterr().out
    )
    with pytest.raises(LaunchError, match="quota below the minimum: us-central1 NVIDIA_L4_GPUS: 8"):
        capacity.compare([_need(12, None)], held)


@pytest.mark.parametrize("content", [{}, [1], [{"name": "x"}]])
def test_a_file_without_quotas_is_refused(tmp_path: Path, content: Any):
    with pytest.raises(LaunchError, match="gcloud compute regions list"):
        capacity.limits_of(_file(tmp_path, content))

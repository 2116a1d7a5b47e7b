"""`make fit`: a table, the arithmetic of one machine type, and what is wrong with the question."""

import json
from pathlib import Path

import pytest

from catalog.models import MODELS
from launcher.fit import main


def test_every_machine_type_is_told_of(capsys: pytest.CaptureFixture[str]):
    assert main(["--model", "Qwen/Qwen3-32B", "--context", "16384"]) == 0
    said = capsys.readouterr().out
    assert "32.8 billion parameters" in said
    assert "a2-ultragpu-1g      1    61.0" in said
    assert "held by none of: g2-standard-4," in said
    assert "an estimate from above" in said
    table = said.partition("\n\n")[2].partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= 80
    assert len(set(map(len, table))) == 1


def test_one_machine_type_shows_the_arithmetic(capsys: pytest.CaptureFixture[str]):
    question = ["--model", "openai/gpt-oss-120b", "--machine", "a3-highgpu-2g", "--adapters", "2"]
    assert main(question) == 0
    said = capsys.readouterr().out
    assert "  1     of each GPU's 79.1 GiB vLLM takes 92%, 72.8: weights 64.5, adapters" in said
    assert "  2x8   of each GPU" in said


def test_quantised_weights_need_less(capsys: pytest.CaptureFixture[str]):
    assert main(["--model", "Qwen/Qwen3-32B", "--quantization", "int4"]) == 0
    assert "weights 18." in capsys.readouterr().out


def test_experts_may_be_kept_whole(capsys: pytest.CaptureFixture[str]):
    assert main(["--model", "Qwen/Qwen3-30B-A3B", "--expert-parallel"]) == 0
    assert "30.5 billion parameters, 3.0 of them" in capsys.readouterr().out


def test_a_file_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(MODELS["Qwen/Qwen3-8B"]))
    assert main(["--model", str(file)]) == 0
    assert "8.2 billion parameters" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (["--model", "Qwen/Qwen4-32B"], "allowed: Qwen/Qwen3-32B"),
        (["--model", "none.json"], "none.json: No such file"),
        (["--model", "Qwen/Qwen3-8B", "--context", "50000"], "at most 40960"),
        (["--model", "Qwen/Qwen3-8B", "--machine", "a3-high-8g"], "allowed: a3-highgpu-8g"),
    ],
)
def test_a_wrong_question_is_answered_by_what_is_allowed(
    question: list[str], says: str, capsys: pytest.CaptureFixture[str]
):
    assert main(question) == 1
    assert says in capsys.readouterr().err


def test_what_no_machine_holds_names_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**MODELS["moonshotai/Kimi-K2-Instruct"], "n_routed_experts": 9999}))
    assert main(["--model", str(file)]) == 1
    assert "the nearest, a4-highgpu-8g with gpus: 8, nodes: 8, lacks" in capsys.readouterr().out

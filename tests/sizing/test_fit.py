"""What fits into GPUs, and what is said where nothing does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.machines import GPU_MACHINE_TYPES, GPUS
from catalog.models import MODELS
from sizing.memory import Fit, Serving
from sizing.models import Published, published, shape_of_file
from sizing.placements import cheapest, ways
from sizing.shape import Shape, ShapeError
from sizing.speed import prompt_tokens_per_second, tokens_per_second

L4 = GPUS["nvidia-l4"]


def _shape(name: str) -> Shape:
    return _known(name).shape


def _known(name: str) -> Published:
    found = published(name)
    assert found is not None
    return found


_SERVING = st.builds(
    Serving,
    tensor=st.sampled_from((1, 2, 4, 8)),
    pipeline=st.sampled_from((1, 2, 4)),
    context=st.integers(256, 200_000),
    adapters=st.integers(0, 4),
    rank=st.sampled_from((8, 64)),
    expert_parallel=st.booleans(),
)


@settings(max_examples=200)
@given(st.sampled_from(sorted(MODELS)), st.sampled_from(sorted(GPUS)), _SERVING)
def test_what_holds_a_model_holds_it_with_less_asked_of_it(name: str, gpu: str, serving: Serving):
    fit = Fit(_shape(name), GPUS[gpu], serving)
    if fit.holds:
        assert fit.longest >= min(fit.context, fit.shape.context or fit.context)
        assert fit.at_once >= 1
        for less in (replace(serving, context=128), replace(serving, adapters=0, kv_width=1.0)):
            assert Fit(fit.shape, GPUS[gpu], less).holds


@settings(max_examples=100)
@given(st.sampled_from(sorted(MODELS)), _SERVING)
def test_more_gpus_leave_more_room_on_each(name: str, serving: Serving):
    one = Fit(_shape(name), L4, replace(serving, tensor=2))
    two = Fit(_shape(name), L4, replace(serving, tensor=4))
    assert two.weights < one.weights
    assert two.adapters <= one.adapters


def test_latent_attention_keeps_one_vector_whatever_the_tensor_parallelism():
    shape = _shape("deepseek-ai/DeepSeek-V3")
    one, eight = (Fit(shape, L4, Serving(tensor=n)) for n in (1, 8))
    assert one.token == eight.token == pytest.approx(61 * 576 * 2 / 1024)


def test_a_window_bounds_what_a_sequence_keeps():
    fit = Fit(_shape("openai/gpt-oss-120b"), L4, Serving())
    whole = _shape("openai/gpt-oss-120b").caches[0]
    assert whole.layers == 18
    assert fit.sequence(131_072) < fit.token * 131_072 / 2**20 * 0.55


def test_experts_are_split_whole_with_expert_parallelism():
    shape = _shape("Qwen/Qwen3-30B-A3B")
    split, whole = (Fit(shape, L4, Serving(tensor=8, expert_parallel=ep)) for ep in (False, True))
    assert whole.weights == pytest.approx(split.weights)
    odd = replace(shape, routed=9, experts=9 * 10**9)
    split, whole = (Fit(odd, L4, Serving(tensor=8, expert_parallel=ep)) for ep in (False, True))
    assert whole.weights > split.weights * 1.5


@pytest.mark.parametrize(
    ("repository", "model", "context"),
    [
        ("Qwen/Qwen3-4B", "Qwen/Qwen3-4B", 40_960),
        (
            "RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic",
            "meta-llama/Llama-3.3-70B-Instruct",
            131_072,
        ),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", "Qwen/Qwen2.5-72B-Instruct", 32_768),
        ("NousResearch/Hermes-3-Llama-3.1-8B", "meta-llama/Meta-Llama-3.1-8B", None),
        ("Qwen/Qwen3-4B-Instruct-2507", "Qwen/Qwen3-4B", None),
    ],
)
def test_a_model_is_known_under_other_names(repository: str, model: str, context: int | None):
    found = _known(repository)
    assert (found.name, found.context) == (model, context)


@pytest.mark.parametrize(
    "repository",
    ["acme/own", "gs://bucket/Qwen3-4B", "cerebras/GLM-4.5-Air-REAP-82B-A12B", "acme/qwen3-40b"],
)
def test_what_may_be_another_model_is_not_known(repository: str):
    assert published(repository) is None


def test_quantised_weights_take_less():
    plain, eight, four = (
        _shape(f"meta-llama/Llama-3.1-8B-Instruct{suffix}").bytes_of()
        for suffix in ("", "-FP8", "-AWQ")
    )
    assert four < eight < plain
    embeddings = 2 * 2 * 128_256 * 4096
    assert eight == pytest.approx((plain - embeddings) / 2 + embeddings)


def test_a_file_says_the_shape(tmp_path: Path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(MODELS["Qwen/Qwen3-8B"]))
    assert shape_of_file(file) == _shape("Qwen/Qwen3-8B")


@pytest.mark.parametrize(
    ("text", "says"), [("{", "no JSON"), ("[]", "no JSON object"), ("{}", "no num_hidden_layers")]
)
def test_a_file_that_says_no_shape_is_refused(tmp_path: Path, text: str, says: str):
    file = tmp_path / "config.json"
    file.write_text(text)
    with pytest.raises(ShapeError, match=says):
        shape_of_file(file)


def test_each_machine_type_holds_a_model_with_as_few_gpus_as_it_can():
    found = cheapest(_shape("meta-llama/Llama-3.1-8B-Instruct"), Serving(context=8192))
    assert {each.machine.name for each in found} == set(GPU_MACHINE_TYPES) - {"ct5lp-hightpu-1t"}
    tpus = {each.machine.name: each.gpus for each in found if each.machine.is_tpu}
    assert all(GPU_MACHINE_TYPES[name].gpu_count == chips for name, chips in tpus.items())
    assert {each.gpus for each in found if not each.machine.is_tpu} == {1}
    costs = [each.usd() for each in found]
    assert costs == sorted(costs, key=lambda usd: usd or 0)


def test_a_slice_of_tpus_holds_what_its_chips_hold_together():
    found = cheapest(_shape("meta-llama/Llama-3.3-70B-Instruct"), Serving(context=8192))
    nodes = {each.machine.name: (each.gpus, each.nodes) for each in found if each.machine.is_tpu}
    assert nodes["ct6e-standard-8t"] == (8, 1)
    assert nodes["ct6e-standard-4t"] == (4, 2)
    assert nodes["ct5lp-hightpu-4t"] == (4, 4)
    assert "ct6e-standard-1t" not in nodes


def test_tpus_have_no_latent_attention():
    found = cheapest(_shape("deepseek-ai/DeepSeek-V2-Lite"), Serving(context=8192))
    assert found
    assert not [each for each in found if each.machine.is_tpu]


def test_nothing_holds_a_model_that_is_too_large_and_the_nearest_is_said():
    large = replace(_shape("moonshotai/Kimi-K2-Instruct"), experts=10**14)
    assert cheapest(large, Serving()) == []
    assert ways(large, Serving()) == (
        "no machine type holds it; the nearest, a4-highgpu-8g with gpus: 8, nodes: 8, lacks"
        " 87730 GiB: quantise the model or lower max_context"
    )


@settings(max_examples=100)
@given(st.sampled_from(sorted(MODELS)), st.integers(1, 64))
def test_more_sequences_are_faster_together_and_slower_each(name: str, sequences: int):
    fit = Fit(_shape(name), GPUS["nvidia-h100-80gb"], Serving(tensor=8, context=4096))
    some, more = (tokens_per_second(fit, each) for each in (sequences, sequences + 1))
    assert some <= more * (1 + 1e-9)
    assert more / (sequences + 1) <= some / sequences * (1 + 1e-9)
    # Tokens of a prompt wait for no memory, and no tokens go through a GPU faster.
    assert more <= prompt_tokens_per_second(fit) * (1 + 1e-9)

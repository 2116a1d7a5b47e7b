"""What holds for any config: a clear refusal or a platform, never anything else."""

from __future__ import annotations

import ipaddress
import itertools
import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import strict_yaml
from catalog.conventions import dns_label
from catalog.limits.network import overlaps
from catalog.problems import KeyPath
from catalog.strict_yaml import YamlError
from config.errors import ConfigError
from config.load import from_mapping
from config.platform import Platform
from tests.config.samples import ROOT, SOURCE, at, changed, places, values

_STACK: Any = strict_yaml.load((ROOT / "Pulumi.prod.yaml").read_text())
PROD: dict[str, Any] = {key: each for key, each in _STACK["config"].items() if ":" not in key}
PATHS = [*places(values())]
PROD_PATHS = [*places(PROD)]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["", "l4", "us-central1", "us-east4", "10.0.0.0/8", "*", "spot", "0", "a" * 300]
    )
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=8) | st.integers(0, 9) | st.just("secure"), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def replaced(config: Any, path: KeyPath, value: object) -> None:
    at(config, path[:-1])[path[-1]] = value


def check_outcome(config: dict[str, Any]) -> None:
    try:
        platform = from_mapping(config, SOURCE)
    except ConfigError as error:
        check_text(error)
    else:
        assert isinstance(platform, Platform)


def check_text(error: ConfigError) -> None:
    assert error.problems
    assert str(error).count("\n") == len(error.problems) - 1
    for problem, line in zip(error.problems, str(error).split("\n"), strict=True):
        assert line.startswith(f"{SOURCE}: "), line
        assert "; allowed: " in line, line
        assert problem.path, line
        assert problem.remedy, line
        for internal in ("pydantic", "Traceback", "https://errors", "value_error", "ctx", "Input"):
            assert internal not in problem.allowed + problem.remedy, line


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(PATHS), anything), min_size=1, max_size=4))
def test_any_change_loads_or_is_refused_in_words(changes: list[tuple[KeyPath, object]]) -> None:
    config = values()
    for path, value in changes:
        try:
            replaced(config, path, value)
        except (KeyError, IndexError, TypeError):
            continue  # An earlier change took the place away.
    check_outcome(config)


@settings(max_examples=150)
@given(st.data())
def test_any_swap_inside_the_production_config_is_answered(data: st.DataObject) -> None:
    config = json.loads(json.dumps(PROD))
    first = data.draw(st.sampled_from(PROD_PATHS))
    second = data.draw(st.sampled_from(PROD_PATHS))
    replaced(config, first, at(PROD, second))
    check_outcome(config)


@settings(max_examples=150)
@given(st.sampled_from(PROD_PATHS))
def test_any_key_may_be_missing(path: KeyPath) -> None:
    config = json.loads(json.dumps(PROD))
    del at(config, path[:-1])[path[-1]]
    check_outcome(config)


@settings(max_examples=200)
@given(st.text(alphabet=st.characters() | st.sampled_from("{}[]:-,&*?|>'\"# \n\t"), max_size=60))
def test_any_text_is_yaml_or_refused_with_a_place(text: str) -> None:
    try:
        strict_yaml.load(text)
    except YamlError as error:
        assert error.line >= 1
        assert error.column >= 1


@pytest.mark.parametrize(
    "text", ["[" * 5000, "9" * 6000, "a: &a [*a]", "a: &a {b: *a}", "\x00", "? [a]\n: b"]
)
def test_hostile_yaml_is_refused(text: str) -> None:
    with pytest.raises(YamlError):
        strict_yaml.load(text)


@given(st.integers(2, 9), st.integers(4, 40), st.sampled_from(["[{}]", "{{{}}}", "{{<<: [{}]}}"]))
def test_aliases_may_not_multiply(width: int, height: int, form: str) -> None:
    lines = ["a0: &a0 {k: v}" if "<<" in form else "a0: &a0 [a, b, c, d]"]
    for level in range(1, height):
        keys = (f"k{each}: " if form.startswith("{{{}") else "" for each in range(width))
        again = ", ".join(f"{key}*a{level - 1}" for key in keys)
        lines.append(f"a{level}: &a{level} {form.format(again)}")
    if 20 * width ** (height - 1) < 1000:  # What each level repeats, at most.
        strict_yaml.load("\n".join(lines))
    elif width ** (height - 1) > 1000:
        with pytest.raises(YamlError, match=r"aliases that stand for more .* in a[0-9]+"):
            strict_yaml.load("\n".join(lines))


@given(st.integers(100, 300_000), st.sampled_from(["{}: b", "{}: a\n{}: b", "a: !{} b", "a: *{}"]))
def test_a_long_name_is_cut(length: int, form: str) -> None:
    config = values()
    try:
        config["models"]["qwen3-4b"]["server_args"] = strict_yaml.load(
            form.format(*["q" * length] * 2)
        )
    except YamlError as error:
        assert len(str(error)) < 300
    else:
        with pytest.raises(ConfigError) as refused:
            from_mapping(changed(("models|qwen3-4b|server_args", given)), SOURCE)
        assert len(str(refused.value)) < 1000


def test_many_problems_are_counted() -> None:
    config = changed(("models|qwen3-4b|adapters", [{"nane": "a"}] * 500))
    with pytest.raises(ConfigError) as error:
        from_mapping(config, SOURCE)
    assert len(error.value.problems) == 1500
    assert str(error.value).endswith(f"{SOURCE}: 1400 more problems")


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (
            "\ud800",
            "environment: found half a character (a lone surrogate); allowed: text; remove it",
        ),
        (float("nan"), "environment: found nan; allowed: a finite number; change it"),
        (
            b"dev",
            "environment: found a bytes; allowed: text, numbers, true, false, lists,",
        ),
        (
            "a\nb",
            "environment: found 'a b'; allowed: 1 to 16 lowercase letters, digits or hyphens,",
        ),
        (
            "a\x1b",
            "environment: found 'a ' with the control character U+001B; allowed: text without",
        ),
        (
            "a\u202e",
            "environment: found 'a ' with U+202E (right-to-left override) with the control",
        ),
        (2**60, "environment: found 1152921504606846976; allowed: a number up to 90071992"),
    ],
)
def test_values_no_file_should_hold(value: object, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        from_mapping(changed(("environment", value)), SOURCE)
    assert str(error.value).startswith(f"{SOURCE}: {line}")
    assert len(str(error.value).splitlines()) == 1


def cidr(address: int, prefix: int) -> str:
    return str(ipaddress.IPv4Network((address, prefix), strict=False))


networks = st.builds(cidr, st.integers(2**24 * 10, 2**24 * 10 + 2**13), st.integers(18, 32))


@given(st.lists(networks, max_size=12))
def test_overlaps_are_found_as_by_comparing_all_pairs(cidrs: list[str]) -> None:
    ranges: dict[KeyPath, ipaddress.IPv4Network] = {
        (index,): ipaddress.IPv4Network(cidr) for index, cidr in enumerate(cidrs)
    }
    found = {path for pair in overlaps(ranges) for path in pair}
    expected = {
        path
        for first, second in itertools.combinations(ranges, 2)
        if ranges[first].overlaps(ranges[second])
        for path in (first, second)
    }
    assert found == expected


@given(st.lists(st.integers(0, 100), min_size=1, max_size=4))
def test_weights_load_exactly_when_they_add_up_to_100(weights: list[int]) -> None:
    sets = [
        {"node_pool": "l4", "replicas": 1, "name": f"set-{index}", "weight": weight}
        for index, weight in enumerate(weights)
    ]
    config = changed(("models|qwen3-4b|replica_sets", sets))
    if sum(weights) == 100:
        assert [
            each.weight for each in from_mapping(config, SOURCE).models["qwen3-4b"].replica_sets
        ] == weights
    else:
        with pytest.raises(ConfigError, match="weights that add up to"):
            from_mapping(config, SOURCE)


@given(st.integers(1, 1000), st.sampled_from([1, 2]), st.integers(1, 1000))
def test_pools_hold_exactly_their_gpus(replicas: int, gpus: int, nodes: int) -> None:
    config = changed(
        ("models|qwen3-4b|replica_sets|0|replicas", replicas),
        ("models|qwen3-4b|replica_sets|0|gpus", gpus),
        ("gpu_pools|l4|max_nodes", nodes),
    )
    if replicas * gpus <= nodes * 2:
        assert from_mapping(config, SOURCE).gpu_pools["l4"].max_nodes == nodes
    else:
        with pytest.raises(ConfigError, match=r"gpu_pools\.l4\.max_nodes"):
            from_mapping(config, SOURCE)


@pytest.mark.parametrize("config", [values(), PROD], ids=["sample", "prod"])
def test_a_platform_written_out_reads_back_the_same(config: dict[str, Any]) -> None:
    source = f"Pulumi.{config['environment']}.yaml"
    platform = from_mapping(config, source)
    written = platform.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert from_mapping(written, source) == platform


@given(st.text(alphabet=string.printable, max_size=70))
def test_a_name_becomes_a_dns_label_that_stays_itself(name: str) -> None:
    label = dns_label(name)
    assert set(label) <= set(string.ascii_lowercase + string.digits + "-")
    assert not label.startswith("-")
    assert not label.endswith("-")
    assert dns_label(label) == label

"""Filters mean what Pub/Sub's language says."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.message_filter import FilterError, parse_filter

RED = {"color": "red", "iana.org/language_tag": "en", "a-b": ""}


@pytest.mark.parametrize(
    ("text", "lets_through"),
    [
        ("", True),
        ("attributes:color", True),
        ("attributes:shape", False),
        ('attributes:"iana.org/language_tag"', True),
        ("attributes:a-b", True),
        ('attributes.color = "red"', True),
        ('attributes.color="Red"', False),
        ('attributes.color != "blue"', True),
        ('attributes.shape != "round"', True),
        ('hasPrefix(attributes.color, "re")', True),
        ('hasPrefix(attributes.shape, "")', False),
        ("NOT attributes:shape", True),
        ("-attributes:color", False),
        ('attributes:color AND attributes.a-b = ""', True),
        ("attributes:color AND attributes:shape", False),
        ("attributes:shape OR attributes:color", True),
        ("NOT (attributes:shape OR attributes:color)", False),
        ("attributes:shape OR (attributes:color AND NOT attributes:shape)", True),
        ('attributes.color = "r\\u0065d"', True),
    ],
)
def test_a_filter_lets_through_what_it_names(text: str, lets_through: bool) -> None:
    assert parse_filter(text)(RED) is lets_through


@pytest.mark.parametrize(
    "text",
    [
        "color",
        "attributes",
        "attributes.color",
        "attributes.color = red",
        "attributes.color > 1",
        "(attributes:color",
        "attributes:color attributes:shape",
        "attributes:a AND attributes:b OR attributes:c",
        "hasPrefix(color, 'r')",
        "NOT",
        'attributes.color = "open',
        f'attributes.color = "{"x" * 256}"',
    ],
)
def test_a_filter_pubsub_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse_filter(text)


KEYS = st.sampled_from(["a", "b", "x-y", "with space"])
VALUES = st.sampled_from(["", "v", "va", 'q"uote', "back\\slash"])
Case = tuple[str, Mapping[frozenset[tuple[str, str]], bool]]
WORLDS: list[dict[str, str]] = [
    {},
    {"a": "v"},
    {"a": "va", "b": ""},
    {"b": 'q"uote', "x-y": "v"},
    {"with space": "back\\slash"},
]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@st.composite
def leaves(draw: st.DrawFn) -> tuple[str, list[bool]]:
    key, value = draw(KEYS), draw(VALUES)
    kind = draw(st.sampled_from(["has", "is", "differs", "prefix"]))
    name, quoted = _quoted(key), _quoted(value)
    if kind == "has":
        return f"attributes:{name}", [key in world for world in WORLDS]
    if kind == "is":
        return f"attributes.{name}={quoted}", [world.get(key) == value for world in WORLDS]
    if kind == "differs":
        return f"attributes.{name} != {quoted}", [world.get(key) != value for world in WORLDS]
    text = f"hasPrefix( attributes.{name} ,{quoted})"
    return text, [key in world and world[key].startswith(value) for world in WORLDS]


def _joined(parts: list[tuple[str, list[bool]]], word: str) -> tuple[str, list[bool]]:
    judge = all if word == "AND" else any
    truths = [judge(column) for column in zip(*(truth for _, truth in parts), strict=True)]
    return f" {word} ".join(f"({text})" for text, _ in parts), truths


def _negated(part: tuple[str, list[bool]]) -> tuple[str, list[bool]]:
    return f"NOT ({part[0]})", [not truth for truth in part[1]]


FILTERS = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.builds(_joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "OR"])),
        st.builds(_negated, inner),
    ),
    max_leaves=4,
)


@given(FILTERS)
def test_any_filter_is_judged_as_its_parts_are(case: tuple[str, list[bool]]) -> None:
    text, truths = case
    if len(text.encode()) > 256:
        return
    judged = parse_filter(text)
    assert [judged(world) for world in WORLDS] == truths


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_refused_as_one(text: str) -> None:
    try:
        parse_filter(text)({"a": "v"})
    except FilterError:
        return

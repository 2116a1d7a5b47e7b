"""Values on the wire."""

from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from sandbox.values import (
    UNKNOWN,
    Secret,
    from_struct,
    has_secret,
    has_unknown,
    marked,
    merged,
    plain,
    to_struct,
)

SCALARS = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=10))
VALUES: Any = st.recursive(
    st.one_of(SCALARS, st.just(UNKNOWN)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3),
        inner.filter(lambda value: not isinstance(value, Secret)).map(Secret),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=3), VALUES, max_size=4))
def test_the_wire_carries_every_value(values: dict[str, Any]) -> None:
    assert from_struct(to_struct(values)) == values


@given(VALUES)
def test_marking_a_plain_value_like_its_original_restores_it(value: Any) -> None:
    restored = marked(plain(value), value)
    assert plain(restored) == plain(value)
    assert has_secret(restored) == has_secret(value)


def test_unknowns_and_secrets_are_found_at_depth() -> None:
    value = {"a": [{"b": Secret({"c": UNKNOWN})}]}
    assert has_unknown(value)
    assert has_secret(value)
    assert plain(value) == {"a": [{"b": {"c": UNKNOWN}}]}


def test_a_list_of_another_length_becomes_secret_as_a_whole() -> None:
    assert marked([1, 2], [Secret(1)]) == Secret([1, 2])


def test_merging_adds_only_what_is_missing() -> None:
    assert merged({"a": 1, "b": {"c": 2}}, {"a": 9, "b": {"d": 3}, "e": 4}) == {
        "a": 1,
        "b": {"c": 2, "d": 3},
        "e": 4,
    }

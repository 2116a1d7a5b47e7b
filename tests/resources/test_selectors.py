"""Selectors take what Kubernetes takes, and what isn't known yet may be anything."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.properties import MISSING, UNKNOWN
from resources.selectors import Labels, may_match, may_select

KEYS, VALUES = st.sampled_from("abc"), st.sampled_from("xyz")
CARRIED = st.dictionaries(KEYS, VALUES)
EXPRESSIONS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "key": KEYS,
        "operator": st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")),
        "values": st.lists(VALUES, max_size=2),
    }
)
SELECTORS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"matchLabels": CARRIED, "matchExpressions": st.lists(EXPRESSIONS, max_size=2)}
)
HOLDS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
}


@given(SELECTORS, CARRIED)
def test_what_is_known_is_selected_as_kubernetes_documents_it(
    selector: dict[str, Any], carried: dict[str, str]
):
    expected = selector["matchLabels"].items() <= carried.items() and all(
        HOLDS[each["operator"]](carried.get(each["key"]), each["values"])
        for each in selector["matchExpressions"]
    )
    assert may_select(selector, carried) == expected


@given(SELECTORS, CARRIED, KEYS)
def test_a_value_that_is_not_known_excludes_nothing(
    selector: dict[str, Any], carried: dict[str, str], key: str
):
    unknown: Labels = {**carried, key: UNKNOWN}
    for value in "xyz":
        if may_select(selector, {**carried, key: value}):
            assert may_select(selector, unknown)
    assert may_select(UNKNOWN, carried)
    assert may_select(selector, UNKNOWN)


@given(CARRIED)
def test_a_selector_that_is_not_set_takes_none_and_an_empty_one_takes_all(carried: dict[str, str]):
    assert not may_select(MISSING, carried)
    assert may_select({}, carried)


@given(CARRIED, CARRIED)
def test_the_plain_labels_of_a_service_take_none_when_empty(
    selector: dict[str, str], carried: dict[str, str]
):
    assert may_match(selector, carried) == (bool(selector) and selector.items() <= carried.items())


@pytest.mark.parametrize("values", [UNKNOWN, (UNKNOWN,), ("x", UNKNOWN)])
def test_a_label_that_is_not_there_has_none_of_the_values_that_are_not_known(values: object):
    selector = {"matchExpressions": ({"key": "a", "operator": "In", "values": values},)}
    assert not may_select(selector, {})
    assert may_select(selector, {"a": "y"})

"""The grammars and tables behind the checks of pipelines and services."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import cloud_run
from catalog.avro import AvroError, columns_of
from catalog.cloud_run import CPUS, GPUS, cpus_for, sizes_for
from catalog.message_filter import FilterError, check_filter
from config.checks.service_output import SERVICES, output_of
from config.pipelines import Results

keys = st.text(string.ascii_lowercase + "_", min_size=1, max_size=6).filter(
    lambda key: key not in {"attributes"}
)
texts = st.text(string.ascii_letters + " .", max_size=6).map(lambda text: f'"{text}"')
comparisons = st.one_of(
    keys.map("attributes:{}".format),
    st.tuples(keys, st.sampled_from(["=", "!="]), texts).map(
        lambda found: f"attributes.{found[0]} {found[1]} {found[2]}"
    ),
    st.tuples(keys, texts).map(lambda found: f"hasPrefix(attributes.{found[0]}, {found[1]})"),
)
filters: st.SearchStrategy[str] = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map("NOT ({})".format),
        st.tuples(inner, inner).map(lambda found: f"({found[0]}) AND ({found[1]})"),
        st.tuples(inner, inner).map(lambda found: f"({found[0]}) OR ({found[1]})"),
    ),
    max_leaves=4,
)


@given(filters)
def test_filters_of_the_grammar_are_taken(text: str) -> None:
    if len(text.encode()) <= 256:
        check_filter(text)


@given(filters, st.data())
def test_a_filter_cut_short_is_refused(text: str, data: Any) -> None:
    cut = text[: text.rindex("attributes") + data.draw(st.integers(0, len("attributes") - 1))]
    with pytest.raises(FilterError):
        check_filter(cut)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "attributes",
        "attributes.",
        "attributes:",
        "attributes.a = b",
        'attributes.a < "b"',
        'data = "a"',
        'attributes.a = "b',
        "(attributes:a",
        "attributes:a)",
        "attributes:a attributes:b",
        "attributes:a AND attributes:b OR attributes:c",
        'hasPrefix(attributes:a, "b")',
        "NOT",
        'attributes.a = "' + "b" * 256 + '"',
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        check_filter(text)


@pytest.mark.parametrize(
    "text",
    [
        'attributes.lang = "en"',
        'attributes."my key" != "a \\" b"',
        "-attributes:internal",
        'attributes:a AND NOT hasPrefix(attributes.b-c, "d")',
    ],
)
def test_what_is_a_filter_is_taken(text: str) -> None:
    check_filter(text)


def test_fields_become_columns() -> None:
    definition = """{"type": "record", "name": "R", "fields": [
        {"name": "id", "type": "long"}, {"name": "text", "type": ["null", "string"]}]}"""
    assert columns_of(definition) == [
        ("id", "INTEGER", "REQUIRED"),
        ("text", "STRING", "NULLABLE"),
    ]


@pytest.mark.parametrize(
    "definition",
    [
        "{",
        "[]",
        '{"type": "record", "fields": []}',
        '{"type": "record", "fields": [{"type": "int"}]}',
        '{"type": "record", "fields": [{"name": "a", "type": ["int", "string"]}]}',
        '{"type": "record", "fields": [{"name": "a", "type": {"type": "array", "items": "int"}}]}',
    ],
)
def test_schemas_without_columns_are_refused(definition: str) -> None:
    with pytest.raises(AvroError):
        columns_of(definition)


def test_sizes_grow_with_the_cpu_and_gpus_fit_some() -> None:
    assert cloud_run.AS_OF
    most = [sizes_for(cpu)[1] for cpu in CPUS]
    assert most == sorted(most)
    for gpu in GPUS:
        for cpu in cpus_for(gpu):
            least, largest = sizes_for(cpu, gpu)
            assert least <= largest


def test_the_default_results_are_what_the_analyzer_writes() -> None:
    written = output_of("sentiment-analyzer")
    assert {column.name: column.type for column in Results().fields} == written
    assert (SERVICES / "sentiment_analyzer" / "output.yaml").is_file()
    assert output_of("somebody-elses") == {}

"""Which rules of a scan hold of rows, as Dataplex judges them."""

from typing import Any

import pytest

from emulator.warehouse.quality import scanned, spoilt

ROWS: list[dict[str, Any]] = [
    {"id": "a", "stars": 5, "label": "new"},
    {"id": "b", "stars": 0, "label": None},
    {"id": "b", "stars": 3, "label": "old"},
]


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"tableConditionExpectation": {"sqlExpression": "COUNT(*) >= 3"}}, True),
        ({"tableConditionExpectation": {"sqlExpression": "COUNT(*) >= 4"}}, False),
        ({"column": "id", "uniquenessExpectation": {}}, False),
        ({"column": "id", "uniquenessExpectation": {}, "threshold": 0.3}, True),
        ({"column": "label", "nonNullExpectation": {}}, False),
        ({"column": "stars", "rangeExpectation": {"minValue": "0", "maxValue": "5"}}, True),
        ({"column": "stars", "rangeExpectation": {"minValue": "1"}}, False),
        ({"column": "stars", "rangeExpectation": {"maxValue": "4"}, "threshold": 0.6}, True),
        ({"column": "label", "setExpectation": {"values": ["new", "old"]}}, False),
        (
            {"column": "label", "setExpectation": {"values": ["new", "old"]}, "ignoreNull": True},
            True,
        ),
        ({"column": "label", "regexExpectation": {"regex": "^n"}, "ignoreNull": True}, False),
    ],
)
def test_a_rule_holds_of_as_many_rows_as_it_says(rule: dict[str, Any], holds: bool) -> None:
    named = {"name": "it", **rule}
    assert scanned([named], ROWS) == {"it": holds}
    if holds and "column" in rule and rule.get("threshold") is None:
        assert scanned([named], [*ROWS, spoilt(named, ROWS[0])]) == {"it": False}


@pytest.mark.parametrize(
    "rule",
    [
        {"column": "id", "statisticRangeExpectation": {}},
        {"tableConditionExpectation": {"sqlExpression": "AVG(stars) > 2"}},
    ],
)
def test_a_rule_that_is_not_played_is_told(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="here"):
        scanned([{"name": "it", **rule}], ROWS)

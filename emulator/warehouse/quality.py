"""Scans of Dataplex: which rules of a scan hold of the rows of its table.

https://cloud.google.com/dataplex/docs/auto-data-quality-overview
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

Row = Mapping[str, Any]
Rule = Mapping[str, Any]

_FEWEST: Final = re.compile(r"COUNT\(\*\) >= (\d+)")


def scanned(rules: Sequence[Rule], rows: Sequence[Row]) -> Mapping[str, bool]:
    """Return whether each rule holds, by its name. Raises ValueError for a kind not known here."""
    return {str(rule["name"]): _holds(rule, rows) for rule in rules}


def _holds(rule: Rule, rows: Sequence[Row]) -> bool:
    if (table := rule.get("tableConditionExpectation")) is not None:
        fewest = _FEWEST.fullmatch(table["sqlExpression"])
        if fewest is None:
            raise ValueError(f"found {table['sqlExpression']!r}, allowed here: COUNT(*) >= number")
        return len(rows) >= int(fewest[1])
    values = [row.get(rule["column"]) for row in rows]
    counted = Counter(map(str, values))
    passing = sum(_passes(rule, value, counted) for value in values)
    return passing >= rule.get("threshold", 1.0) * len(values)


def _passes(rule: Rule, value: Any, counted: Mapping[str, int]) -> bool:
    if value is None:
        return bool(rule.get("ignoreNull"))
    if "nonNullExpectation" in rule:
        return True
    if "uniquenessExpectation" in rule:
        return counted[str(value)] == 1
    if (bounds := rule.get("rangeExpectation")) is not None:
        least, most = (float(bounds.get(key, value)) for key in ("minValue", "maxValue"))
        return least <= float(value) <= most
    if (allowed := rule.get("setExpectation")) is not None:
        return str(value) in allowed["values"]
    if (pattern := rule.get("regexExpectation")) is not None:
        return re.search(pattern["regex"], str(value)) is not None
    raise ValueError(f"found the rule {rule['name']}, whose kind is not known here")


def spoilt(rule: Rule, row: Row) -> Row:
    """Return a row that breaks a rule of a column, beside the row that it is made of."""
    column = rule["column"]
    if "nonNullExpectation" in rule:
        return {**row, column: None}
    if (bounds := rule.get("rangeExpectation")) is not None:
        low = bounds.get("minValue")
        end, further = (bounds["maxValue"], 1) if low is None else (low, -1)
        return {**row, column: int(float(end)) + further}
    if "setExpectation" in rule or "regexExpectation" in rule:
        return {**row, column: "\0"}
    return row

"""Whatever a property holds, reading it does not fail."""

import pytest

from request_path.fields import number, text


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), "9" * 5000])
def test_what_is_no_number_of_anything_reads_as_none(value: object):
    assert number({"port": value}, "port") is None


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), True])
def test_what_has_no_digits_reads_as_no_text(value: object):
    assert text({"weight": value}, "weight") is None


@pytest.mark.parametrize(
    ("value", "read"), [(8000, "8000"), (8000.0, "8000"), (12345678, "12345678")]
)
def test_a_number_reads_as_its_digits(value: object, read: str):
    assert text({"port": value}, "port") == read

"""The limits that annotate a type judge plain values wherever the type has them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NotRequired, TypedDict

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from catalog.limits import Choice, Cidr, Entries, Limit, Range, Text
from catalog.limits.arguments import problems_in
from catalog.limits.network import apart
from catalog.problems import KeyPath

SIZE = Range(1, 8, "GiB")
KEY = Text("[a-z]+", "lowercase letters", "write it small")


class Disk(TypedDict):
    gib: Annotated[int, SIZE]


class Machine(TypedDict):
    disk: Disk
    spare: NotRequired[Disk | None]
    zones: NotRequired[Annotated[Sequence[Annotated[str, KEY]], Entries("a zone", high=2)]]
    labels: NotRequired[Mapping[Annotated[str, KEY], Annotated[pulumi.Input[str], KEY]]]
    disks: NotRequired[Mapping[str, Sequence[Disk]]]
    maximum: NotRequired[Annotated[pulumi.Input[int | None], SIZE]]


def _found(values: Mapping[str, Any]) -> dict[KeyPath, str]:
    args = {"disk": {"gib": 1}, **values}
    return {problem.path: problem.reason for problem in problems_in(args, Machine)}


TOO_LARGE = "found 9; allowed: a whole number from 1 to 8 GiB; lower it to 8 or less"
NO_KEY = "found {}; allowed: lowercase letters; write it small"


@pytest.mark.parametrize(
    ("values", "path", "reason"),
    [
        ({"disk": {"gib": 9}}, ("disk", "gib"), TOO_LARGE),
        ({"spare": {"gib": 9}}, ("spare", "gib"), TOO_LARGE),
        ({"zones": ["a", "B"]}, ("zones", 1), NO_KEY.format("'B'")),
        (
            {"zones": []},
            ("zones",),
            "found an empty list; allowed: one to 2 entries; give a zone",
        ),
        (
            {"zones": ["a", "b", "c"]},
            ("zones",),
            "found 3 entries; allowed: one to 2 entries; remove some",
        ),
        ({"labels": {"A": "a"}}, ("labels", "A"), NO_KEY.format("the name 'A'")),
        ({"labels": {"a": "A"}}, ("labels", "a"), NO_KEY.format("'A'")),
        ({"disks": {"x": [{"gib": 1}, {"gib": 9}]}}, ("disks", "x", 1, "gib"), TOO_LARGE),
        ({"maximum": 9}, ("maximum",), TOO_LARGE),
    ],
)
def test_a_wrong_value_is_told_with_its_path(values: Any, path: KeyPath, reason: str):
    assert _found(values) == {path: reason}


@pytest.mark.parametrize("values", [{"spare": None}, {"maximum": None}, {"zones": None}, {}])
def test_nothing_given_passes(values: Any):
    assert _found(values) == {}


def test_what_is_not_known_yet_passes():
    unknown = pulumi.Output.from_input("B")
    later = {
        "disk": {"gib": unknown},
        "labels": {"a": unknown},
        "zones": unknown,
        "maximum": unknown,
    }
    assert _found(later) == {}


def test_all_problems_are_told():
    assert len(_found({"disk": {"gib": 0}, "zones": ["A", "B"], "labels": {"C": "D"}})) == 4


LIMITS: list[tuple[Limit, type, object, object]] = [
    (Range(1, 3), int, 3, 4),
    (Range(1, 3), int, 1, 0),
    (Range(0.5), float, 0.5, 0.4),
    (Choice(("a", "b")), str, "a", "c"),
    (Choice((1, 2)), int, 2, 3),
    (Text("a+", "letters a"), str, "aa", "aab"),
    (Entries(), list, [1], []),
    (Entries(low=0, high=1), dict, {}, {"a": 1, "b": 2}),
    (Cidr(24), str, "10.0.0.0/24", "10.0.0.0/25"),
    (Cidr(), str, "10.0.0.0/8", "10.0.0.1/8"),
    (Cidr(), str, "100.64.0.0/10", "8.8.8.0/24"),
    (Cidr(), str, "10.0.0.0/8", "10.0.0.0/33"),
    (Cidr(private=False), str, "8.8.8.0/24", "0.0.0.0/0"),
]


@pytest.mark.parametrize(("limit", "kind", "right", "wrong"), LIMITS)
def test_config_and_components_refuse_the_same(
    limit: Limit, kind: Any, right: object, wrong: object
):
    annotated: Any = Annotated[kind, limit]
    assert TypeAdapter[object](annotated).validate_python(right) == right
    assert not [*problems_in(right, annotated)]
    (problem,) = problems_in(wrong, annotated)
    with pytest.raises(ValidationError) as error:
        TypeAdapter[object](annotated).validate_python(wrong)
    assert f"allowed: {problem.allowed}; {problem.remedy}" in str(error.value)


@given(st.integers(), st.integers(0, 100), st.integers(0, 100))
def test_a_range_takes_what_lies_in_it(value: int, low: int, more: int):
    limit = Annotated[int, Range(low, low + more)]
    assert bool([*problems_in(value, limit)]) == (not low <= value <= low + more)


@pytest.mark.parametrize("other", [True, "9", pulumi.Output.from_input(9), None])
def test_another_kind_of_value_is_not_the_limits_to_judge(other: object):
    assert not [*problems_in(other, Annotated[Any, SIZE])]


def test_ranges_that_are_none_or_not_known_overlap_nothing():
    assert not [
        *apart(
            {
                ("a",): "10.0.0.0/8",
                ("b",): "10.0.0.1/8",
                ("c",): "here",
                ("d",): pulumi.Output.from_input("10.0.0.0/8"),
            }
        )
    ]


def test_the_later_range_of_two_is_told():
    (problem,) = apart({("a",): "10.0.1.0/24", ("b", "c"): "10.0.0.0/16"})
    assert str(problem) == (
        "b.c: found '10.0.0.0/16'; allowed: a range that does not overlap a (10.0.1.0/24); "
        "move one of them"
    )

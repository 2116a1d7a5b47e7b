"""Problems are collected and raised once, naming path, value and what is allowed."""

import pulumi
import pytest

from catalog.limits import Choice, Entries
from catalog.problems import shown
from components.validation import Problems, component_type


class Sample(pulumi.ComponentResource):
    pass


def test_type_token_is_the_package_and_the_class():
    assert component_type(Sample) == "inference:index:Sample"


def test_all_problems_are_raised_at_once():
    problems = Problems()
    problems.add("a.b", "found 1")
    problems.add("c", "found 2")
    with pytest.raises(pulumi.InputPropertiesError) as raised:
        problems.raise_if_any("Vpc net")
    assert raised.value.message == "Vpc net:\n  a.b: found 1\n  c: found 2"
    assert raised.value.errors == [
        {"property_path": "a.b", "reason": "found 1"},
        {"property_path": "c", "reason": "found 2"},
    ]


def test_nothing_is_raised_without_problems():
    Problems().raise_if_any("Vpc net")


@pytest.mark.parametrize("name", ["a", "a-b", "a1", "a" * 63])
def test_resource_names_that_are_allowed(name: str):
    problems = Problems()
    problems.check_name(name, "name")
    assert problems.found == []


@pytest.mark.parametrize("name", ["", "A", "1a", "a-", "a_b", "a.b", "a" * 64])
def test_resource_names_that_are_not(name: str):
    problems = Problems()
    problems.check_name(name, "name")
    assert problems.found[0]["reason"] == (
        f"found {shown(name)}; allowed: 1 to 63 lowercase letters, digits or hyphens, a letter "
        "first, no hyphen last; shorten or change it (Compute Engine and Kubernetes allow "
        "no longer name)"
    )


def test_values_not_yet_known_pass():
    problems = Problems()
    unknown = pulumi.Output.from_input("?")
    problems.check_name(unknown, "name")
    problems.check_limit(Choice(["a"]), unknown, "mode")
    assert problems.found == []


def test_choices_are_listed():
    problems = Problems()
    problems.check_limit(Choice(("dry-run", "enforced")), "on", "mode")
    problems.check_limit(Entries("an API name"), [], "services")
    assert [problem["reason"] for problem in problems.found] == [
        "found 'on'; allowed: dry-run, enforced; choose one of them",
        "found an empty list; allowed: one entry or more; give an API name",
    ]

"""An exemption covers one finding for a while, and nothing else."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from policies.engine.config import EXEMPTIONS, LEVEL, PolicyConfigError, read_settings
from policies.engine.judge import Judge, Outcome
from tests.policies.harness import RULES, TODAY, resource, urn

RULE = "scale-hpa-max"
HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
EXEMPTION: dict[str, Any] = {
    "resource": f"{HPA}::big-*",
    "finding": "scales to 50 replicas",
    "reason": "The launch of the new model needs room for a month.",
    "owner": "platform@acme.example",
    "expires": "2026-12-24",
}


def judge_of(today: dt.date = TODAY, changes: Mapping[str, object] | None = None) -> Judge:
    entry = {
        key: each for key, each in {**EXEMPTION, **(changes or {})}.items() if each is not None
    }
    values = {RULE: {LEVEL: "mandatory", "maxReplicas": 10.0, EXEMPTIONS: [entry]}}
    settings = read_settings([RULES[RULE]], values, TODAY)
    return Judge([RULES[RULE]], settings, today)


def outcome(judged: Judge, name: str = "big-one", replicas: int = 50) -> Outcome:
    (result,) = judged.resource(resource(HPA, {"spec": {"maxReplicas": replicas}}, name))
    return result.outcome


def note(judged: Judge) -> str:
    (only,) = judged.notes()
    return only.text


def test_it_covers_its_finding_and_says_so() -> None:
    judge = judge_of()
    assert outcome(judge) is Outcome.EXEMPTED
    assert "covers 1 until 2026-12-24: The launch of the new model" in note(judge)
    assert "platform@acme.example" in note(judge)


def test_it_covers_neither_another_resource_nor_another_finding() -> None:
    judge = judge_of()
    assert outcome(judge, name="other") is Outcome.FAILED
    assert outcome(judge, replicas=60) is Outcome.FAILED
    assert "covers nothing: remove the entry" in note(judge)


@pytest.mark.parametrize(
    "where", [urn(HPA, "big-one"), f"{HPA}::*", "kubernetes:*:HorizontalPodAutoscaler::big-one"]
)
def test_resources_are_named_by_urn_or_pattern(where: str) -> None:
    assert outcome(judge_of(changes={"resource": where})) is Outcome.EXEMPTED


def test_a_fingerprint_names_one_finding() -> None:
    big = resource(HPA, {"spec": {"maxReplicas": 50}}, "big-one")
    (result,) = judge_of(changes={"finding": "some other text"}).resource(big)
    (finding,) = result.findings
    assert outcome(judge_of(changes={"finding": finding.fingerprint})) is Outcome.EXEMPTED
    known = judge_of(changes={"finding": finding.fingerprint})
    assert outcome(known, replicas=51) is Outcome.FAILED


def test_it_holds_on_its_last_day_and_not_after() -> None:
    assert outcome(judge_of(dt.date(2026, 12, 24))) is Outcome.EXEMPTED
    late = judge_of(dt.date(2026, 12, 25))
    (result,) = late.resource(resource(HPA, {"spec": {"maxReplicas": 50}}, "big-one"))
    assert result.outcome is Outcome.FAILED
    (finding,) = result.findings
    assert "exempted by platform@acme.example until 2026-12-24, which is past" in finding.message
    assert "expired on 2026-12-24: change the resource, or remove the entry" in note(late)


def test_a_finding_about_the_stack_is_named_so() -> None:
    rule = "scale-gpu-total"
    entry = {**EXEMPTION, "resource": "stack", "finding": "may take 8 GPUs"}
    caps = {"maxGpus": 4.0, "maxGpusPerRegion": 99.0, "maxGpusPerType": 99.0}
    values = {rule: {LEVEL: "mandatory", **caps, EXEMPTIONS: [entry]}}
    settings = read_settings([RULES[rule]], values, TODAY)
    machine = resource("gcp:compute/instance:Instance", {"machineType": "a3-highgpu-8g"})
    (result,) = Judge([RULES[rule]], settings, TODAY).stack([machine])
    assert result.outcome is Outcome.EXEMPTED


@pytest.mark.parametrize("key", sorted(EXEMPTION))
def test_an_incomplete_one_is_an_error(key: str) -> None:
    with pytest.raises(PolicyConfigError, match=rf"exemptions\[0\]\.{key}: not set"):
        judge_of(changes={key: None})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("reason", "because"),
        ("owner", "the platform team"),
        ("expires", "soon"),
        ("expires", "2027-11-21"),
        ("finding", "50"),
        ("resource", "big-one"),
        ("resource", "*"),
        ("resource", 3),
        ("ticket", "T-1"),
    ],
)
def test_a_careless_one_is_an_error(key: str, value: object) -> None:
    with pytest.raises(PolicyConfigError, match=rf"exemptions\[0\]\.{key}: "):
        judge_of(changes={key: value})


def test_the_core_has_no_exemptions() -> None:
    core = [rule for rule in RULES.values() if rule.never_exempt]
    assert len(core) >= 7
    for rule in core:
        with pytest.raises(PolicyConfigError, match=f"{rule.id} has no exemptions"):
            read_settings([rule], {rule.id: {EXEMPTIONS: [EXEMPTION]}}, TODAY)


@pytest.mark.parametrize("value", [3, "all", [3], {"rule": "x"}])
def test_what_is_no_exemption_is_an_error(value: object) -> None:
    with pytest.raises(PolicyConfigError, match="exemptions"):
        read_settings([RULES[RULE]], {RULE: {"maxReplicas": 1, EXEMPTIONS: value}}, TODAY)

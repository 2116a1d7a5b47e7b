"""What is asked before a difference is put back: what was done on purpose, or can't be undone."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from plans.drift import drifts
from tests.plans.documents import GRANT, POOL, Document

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
SERVICE = "gcp:cloudrunv2/service:Service"
TOPIC = "gcp:pubsub/topic:Topic"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
MORE = "somebody gave it more: putting it back takes that away, while it may be needed"
ELSEWHERE = (
    "somebody sends requests elsewhere: putting it back sends them to where they went before"
)
OLDER = "somebody runs another version: putting it back brings the one that was taken away"
LONGER = "somebody has it kept for longer: putting it back deletes what is older"
OFF = "somebody turned it off: is it to be on again?"
ON = "somebody turned this on: is it to be off again?"
GONE = "what it held is gone, and it is made again without: restore it first"
TAKEN = "somebody took this access away: is it to be given again?"
CLOSED = "somebody closed this: is it to be open again?"


def asked(
    token: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any] | None,
    path: str,
    *,
    replaced: bool = False,
) -> str:
    document = Document()
    operation = "delete" if new is None else "update"
    urn = document.step(operation, token, "it", old, new, changed=[path] if path else [])
    going = frozenset([urn] if replaced else [])
    (found,) = drifts(document.plan(), {}, going, date(2026, 11, 30))
    return found.ask


@pytest.mark.parametrize(
    ("token", "path", "old", "new", "question"),
    [
        (DEPLOYMENT, "spec.replicas", 2, 6, MORE),
        (DEPLOYMENT, "spec.replicas", 2, 0, ""),
        (POOL, "autoscaling.totalMaxNodeCount", 2, 40, MORE),
        (SERVICE, "template.scaling.minInstanceCount", 0, 5, MORE),
        ("gcp:redis/instance:Instance", "memorySizeGb", 1, 4, MORE),
        ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", "spec.weight", 90, 0, ELSEWHERE),
        (SERVICE, "traffics.percent", 100, 50, ELSEWHERE),
        (DEPLOYMENT, "spec.image", "v2", "v1", OLDER),
        (TOPIC, "messageRetentionDuration", "86400s", "604800s", LONGER),
        (TOPIC, "messageRetentionDuration", "604800s", "86400s", ""),
        (VERSION, "enabled", True, False, OFF),
        (VERSION, "enabled", False, True, ""),
        ("gcp:serviceaccount/account:Account", "disabled", False, True, ON),
        ("gcp:cloudscheduler/job:Job", "paused", False, True, ON),
        (SERVICE, "deletionProtection", False, True, ON),
        (SERVICE, "deletionProtection", True, False, ""),
        (SERVICE, "description", "one", "another", ""),
    ],
)
def test_what_was_done_on_purpose_is_asked_and_a_hole_is_not(
    token: str, path: str, old: object, new: object, question: str
) -> None:
    outer, _, inner = path.partition(".")
    before, after = ({outer: _at(inner, each)} for each in (old, new))
    assert asked(token, before, after, path) == question


def _at(path: str, value: object) -> object:
    first, _, rest = path.partition(".")
    return {first: _at(rest, value)} if path else value


def test_what_can_not_be_undone_is_asked() -> None:
    assert asked(TOPIC, {"name": "events"}, None, "") == GONE
    grant = {"project": "a", "role": "roles/viewer", "member": "user:a@b.c"}
    assert asked(GRANT, grant, None, "") == TAKEN
    machine = {"name": "l4"}
    assert "it is replaced" in asked(POOL, machine, {"name": "l5"}, "name", replaced=True)
    assert asked(POOL, machine, None, "") == ""


def test_what_was_closed_is_asked_and_what_was_opened_is_not() -> None:
    rule = "gcp:compute/firewall:Firewall"
    opened = {"sourceRanges": ["0.0.0.0/0"], "allows": [{"protocol": "tcp", "ports": ["22"]}]}
    closed = {**opened, "sourceRanges": ["10.0.0.0/8"]}
    assert asked(rule, opened, closed, "sourceRanges") == CLOSED
    assert asked(rule, closed, opened, "sourceRanges") == ""
    assert asked(rule, opened, None, "") == CLOSED

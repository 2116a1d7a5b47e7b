"""What was changed or deleted by hand is told by class, with who did it, and put back."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from launcher import asking, operations
from launcher.audit_log import Entry, last_changes
from launcher.drift import drift
from launcher.problem import LaunchError
from plans.plan import Plan
from sandbox.world import CloudResource, World
from tests.engine.conftest import Rehearsal
from tests.plans.documents import GRANT, POOL, Document

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
DATASET = "gcp:bigquery/dataset:Dataset"


@pytest.fixture(scope="module")
def stack(brought_up: Callable[[str], Rehearsal]) -> Rehearsal:
    return brought_up("dev with its models alone")


def named(world: World, token: str, part: str) -> CloudResource:
    return next(each for each in world.by_type(token) if part in each.urn)


def put(world: World, each: CloudResource, **changed: Any) -> None:
    """Change a resource as somebody at a console does."""
    sides = ({**side, **changed} for side in (each.inputs, each.outputs))
    inputs, outputs = sides
    world.put(replace(each, inputs=inputs, outputs=outputs))


def told(stack: Rehearsal, capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    """Yield the lines about what differs, and last what is to be done."""
    capsys.readouterr()
    with pytest.raises(LaunchError) as caught:
        drift(stack.places, "sandbox")
    yield from filter(None, capsys.readouterr().out.splitlines())
    yield str(caught.value)


def test_it_is_told_by_class_and_put_back(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    drift(stack.places, "sandbox")
    assert capsys.readouterr().out == "Nothing of dev differs from the state.\n"
    before = stack.places.checkpoint.read_text()
    with World(stack.places.world) as world:
        pool = named(world, POOL, "l4-spot")
        put(world, pool, autoscaling={**pool.inputs["autoscaling"], "totalMaxNodeCount": 40})
        grant = named(world, GRANT, "modelarmor.user")
        world.remove(grant.type, grant.id)
        server = named(world, DEPLOYMENT, "::qwen3-4b-l4-spot")
        put(world, server, spec={**server.inputs["spec"], "replicas": 0})
        put(world, named(world, DATASET, ""), description="Ask Ada")
    lines = [*told(stack, capsys)]
    heads = [lines.index(f"{each}:") for each in ("Security", "Cost", "Serving", "Cosmetic")]
    assert heads == sorted(heads)
    assert "[autoscaling.totalMaxNodeCount 2 → 40]" in lines[heads[1] + 1]
    assert "      scale-gke-pool-bounded: may grow to 40 nodes over its zones, allowed 6" in lines
    assert any("IAMMember" in each and "[deleted]" in each for each in lines[: heads[1]])
    assert "      ask first: somebody took this access away: is it to be given again?" in lines
    assert any("[spec.replicas 1 → 0]" in each for each in lines[heads[2] : heads[3]])
    assert "description nothing → Ask Ada" in lines[heads[3] + 1]
    assert any("iam-needs-granted: " in each for each in lines[heads[3] + 2 :])
    assert "4 resources of dev differ" in lines[-1]
    assert "`make refresh STACK=dev` and then `make up STACK=dev`" in lines[-1]
    with pytest.raises(LaunchError, match=r"2 changes by hand: .* DRIFT=overwrite`"):
        operations.refresh(stack.places, asks=True)
    assert stack.places.checkpoint.read_text() == before
    operations.refresh(stack.places)
    operations.up(stack.places, skip_preview=True)
    capsys.readouterr()
    drift(stack.places, "sandbox")
    assert capsys.readouterr().out == "Nothing of dev differs from the state.\n"


def test_an_up_asks_before_it_undoes_what_it_touches_and_of_nothing_else(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an incident replicas are added by hand; then somebody brings up another change of them."""

    def replicas(count: int) -> Callable[[dict[str, Any]], None]:
        return lambda config: config["models"]["qwen3-4b"]["replica_sets"][0].update(replicas=count)

    with World(stack.places.world) as world:
        server = named(world, DEPLOYMENT, "::qwen3-4b-l4-spot")
        put(world, server, spec={**server.inputs["spec"], "replicas": 5})
        pool = named(world, POOL, "")
        put(world, pool, autoscaling={**pool.inputs["autoscaling"], "totalMaxNodeCount": 9})
    operations.up(stack.places, asks=True)
    before = stack.places.checkpoint.read_text()
    stack.edit(replicas(2))
    capsys.readouterr()
    with pytest.raises(LaunchError, match=r"1 change by hand: up stopped before it changed any"):
        operations.up(stack.places, asks=True)
    told = capsys.readouterr().err
    assert "[spec.replicas 1 → 5]" in told
    assert "ask first: somebody gave it more" in told
    assert "totalMaxNodeCount" not in told
    assert stack.places.checkpoint.read_text() == before
    with operations.opened(stack.places) as (opened, _):
        on_gcp = opened, stack.places.recorded(), None
        monkeypatch.setattr(asking, "open_stack_on_gcp", Mock(return_value=on_gcp))
        with pytest.raises(LaunchError, match=r"1 change by hand: .* CLOUD=gcp DRIFT=overwrite`"):
            asking.ask_on_gcp(stack.places, "up")
    terminal = io.StringIO("y\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    operations.up(stack.places, asks=True)
    with World(stack.places.world) as world:
        assert named(world, DEPLOYMENT, "::qwen3-4b-l4-spot").inputs["spec"]["replicas"] == 2


def test_a_stack_that_was_never_made_has_nothing_to_compare(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    with pytest.raises(LaunchError, match="run `make up STACK=dev` first"):
        drift(rehearsal_of("dev").places, "sandbox")


def entry(who: str, method: str, resource: str) -> Mapping[str, Any]:
    payload = {
        "authenticationInfo": {"principalEmail": who},
        "methodName": method,
        "resourceName": resource,
    }
    return {"timestamp": "2026-11-28T09:00:00Z", "protoPayload": payload}


def changed() -> Plan:
    document = Document()
    document.step("update", POOL, "l4", {"name": "l4", "project": "acme"}, {"name": "l4"})
    document.step("delete", GRANT, "reader", {"project": "acme", "role": "roles/viewer"})
    document.step("update", DATASET, "lake", {"name": "lake", "project": "acme"}, {"name": "lake"})
    return document.plan()


def test_the_audit_log_tells_whose_last_change_it_was(
    fakes: Callable[..., Path], tmp_path: Path
) -> None:
    log = tmp_path / "entries.json"
    entries = [
        entry("ada@acme.com", "UpdateNodePool", "projects/acme/zones/a/clusters/c/nodePools/l4"),
        entry("bob@acme.com", "UpdateNodePool", "projects/acme/zones/a/clusters/c/nodePools/l4"),
        entry("bob@acme.com", "SetIamPolicy", "projects/acme"),
        entry("bob@acme.com", "Update", "projects/acme/datasets/lake2"),
    ]
    log.write_text(json.dumps(entries))
    calls = fakes("gcloud", read=f"/usr/bin/cat {log}")
    plan = changed()
    found = {plan.by_urn[urn].name: each for urn, each in last_changes(plan.steps).items()}
    when = "2026-11-28T09:00:00Z"
    assert found == {
        "l4": Entry("ada@acme.com", when, "UpdateNodePool"),
        "reader": Entry("bob@acme.com", when, "SetIamPolicy"),
    }
    assert "--project=acme --freshness=30d --order=desc" in calls.read_text()


def test_where_nobody_may_read_the_audit_log_nobody_is_named(fakes: Callable[..., Path]) -> None:
    fakes("gcloud", read="exit 1")
    assert last_changes(changed().steps) == {}

"""Two environments, or two plans, side by side."""

import json
from pathlib import Path

import pytest

from plans.difference import difference
from tests.plans.documents import CLUSTER, NETWORK, POOL, Document, gpu_pool

PROVIDER = "pulumi:providers:gcp"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    found: list[Path] = []
    for stack, project, nodes in (("dev", "acme-dev", 2), ("prod", "acme-prod", 6)):
        document = Document(stack)
        document.step("create", PROVIDER, "google", None, {"project": project})
        document.step("same", NETWORK, "net", {}, {"project": project, "name": "net"})
        document.step("create", POOL, "l4", None, gpu_pool(nodes))
        document.step("create", CLUSTER, f"only-{stack}", None, {"project": project})
        document.step("delete", CLUSTER, "gone", {})
        file = tmp_path / f"{stack}.json"
        file.write_text(json.dumps(document.data()))
        found.append(file)
    return found[0], found[1]


def test_what_differs_is_told_and_names_of_stack_and_project_are_no_difference(
    files: tuple[Path, Path],
) -> None:
    plan, words = difference(*files)
    told = {each.name: words.operations[each.operation] for each in plan.changes}
    assert told == {"l4": "different", "only-dev": "only in dev", "only-prod": "only in prod"}
    (pool,) = (each for each in plan.changes if each.name == "l4")
    assert pool.changed == ("autoscaling.totalMaxNodeCount",)
    assert pool.values(pool.changed[0]) == (2, 6)


def test_a_plan_does_not_differ_from_itself(files: tuple[Path, Path]) -> None:
    assert difference(files[0], files[0])[0].changes == ()


def test_what_is_no_plan_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"steps": 1}')
    with pytest.raises(ValueError, match=r"plan\.json holds no plan .*make report"):
        difference(file, file)

"""`make rehearse` on the real engine: on copies, stage by stage, and what it makes of surprises."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from config.errors import ConfigError
from config.load import from_mapping
from launcher.console import Console
from launcher.faults import asked_faults
from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError
from launcher.rehearsal import changes, life, places
from launcher.rehearsal.life import Life, file_of, unexpected
from launcher.rehearsal.places import RehearsalPaths
from launcher.rehearsal.steps import LIFE, Chapter, Stage, change
from plans.plan import STACK
from plans.rehearsed import FAILED, PASSED, Rehearsed
from tests.engine.conftest import Rehearsal
from tests.plans.documents import CLUSTER, POOL, Document


def config_of(stack: str) -> places.Config:
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]


@pytest.fixture
def stack(brought_up: Callable[[str], Rehearsal]) -> RehearsalPaths:
    """Return the models of dev, made, as a rehearsal holds them."""
    made = brought_up("dev with its models alone").places
    copy = RehearsalPaths(made.stack, made.config, made.home)
    shutil.copyfile(made.environment, copy.environment)
    return copy


def test_a_stack_lives_and_its_owners_world_stays(
    stack: RehearsalPaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A canary, then the end: the copy is made from what the stack's owner has made."""

    def as_made(_: object, folder: Path) -> RehearsalPaths:
        shutil.copytree(stack.home, folder / "home")
        copy = RehearsalPaths(stack.stack, folder / stack.config.name, folder / "home")
        shutil.copyfile(stack.config, copy.config)
        shutil.copyfile(stack.environment, copy.environment)
        return copy

    def canary(config: places.Config) -> changes.Ways:
        yield from (way[:1] for way in changes.rollout(config))

    stages = {each.key: each for chapter in LIFE for each in chapter.stages}
    monkeypatch.setattr(life, "copied", as_made)
    monkeypatch.setattr(
        life,
        "LIFE",
        (
            Chapter(changes.without_a_region, (stages["region-lost"],), "there is one alone"),
            Chapter(canary, (stages["canary"],)),
            Chapter(changes.nothing, (stages["destroy"],)),
        ),
    )
    before = stack.config.read_text(), stack.checkpoint.read_text(), stack.world.read_bytes()
    life.rehearse(stack)
    told = capsys.readouterr().out
    assert "NOT REHEARSED: there is one alone" in told
    assert "3 steps" not in told
    assert "2 steps, all as expected" in told
    assert (stack.config.read_text(), stack.checkpoint.read_text(), stack.world.read_bytes()) == (
        before
    )
    page = (stack.home / "rehearsal" / "page.html").read_text()
    for part in ("name: rehearsed", "What takes the time", "deleted"):
        assert part in page


def test_what_the_cloud_refuses_ends_the_rehearsal_with_its_words(
    stack: RehearsalPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Life(stack, Console())
    regions = {
        name: {**ranges, "nodes": "10.10.64.0/20"} for name, ranges in found.base["regions"].items()
    }
    moved = {**found.base, "regions": regions}
    found.happen(Stage("moved", "Moved", "", frozenset({"update"})), moved)
    (stage,) = found.stages
    assert (stage.verdict, found.is_over) == (FAILED, True)
    assert "ranges of a living region stay" in stage.reason
    assert "FAILED" in capsys.readouterr().out


def test_a_plan_of_faults_befalls_each_step_which_then_goes_on(
    stack: RehearsalPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = stack.home / "plan.yaml"
    plan.write_text('faults: [{fault: unavailable, type: "kubernetes:*:GCPBackendPolicy"}]')
    monkeypatch.setenv("INFERENCE_FAULTS", str(plan))
    found = Life(stack, Console())
    found.faults = asked_faults(StackPaths(stack.stack, stack.config, stack.home))
    (changed, *_), *_ = changes.setting(found.base)
    found.happen(Stage("x", "X", "", frozenset({"update"})), changed)
    (stage,) = found.stages
    assert stage.verdict == PASSED, stage.reason
    assert "the server is currently unable to handle" in "".join(stage.troubles)
    assert stage.troubles[-1] == "`make up` again went on from there."


def test_a_stage_must_come_out_as_its_table_says() -> None:
    document = Document()
    document.step("same", STACK, "dev", {}, {})
    document.step("replace", CLUSTER, "main", {}, {})
    document.step("update", POOL, "l4", {}, {})
    came = Rehearsed("x", "X", "", PASSED, plan=document.plan(), stops=("all stops",))
    assert [*unexpected(Stage("x", "X", "", frozenset({"update"})), came)] == [
        "expected no replace of Cluster main",
        "expected that all goes on serving: all stops",
    ]
    calm = Stage("x", "X", "", frozenset({"update", "replace"}), serves=False)
    assert [*unexpected(calm, came)] == []
    empty = Rehearsed("x", "X", "", PASSED, plan=Document().plan())
    assert [*unexpected(calm, empty)] == ["expected a change, and nothing changed"]


@pytest.mark.parametrize("stack_name", ["dev", "prod", "mlops", "estate"])
def test_a_rollout_is_derived_from_each_stack_whose_models_have_replicas(stack_name: str) -> None:
    config = config_of(stack_name)
    ways = [*changes.rollout(config)]
    assert any(_is_valid(stack_name, way) for way in ways)
    for way in ways:
        assert len(way) == 5
        assert way[-1] == config


def _is_valid(stack_name: str, way: Sequence[places.Config]) -> bool:
    try:
        for each in way:
            ours = {key: value for key, value in each.items() if ":" not in key}
            from_mapping(ours, f"Pulumi.{stack_name}.yaml")
    except ConfigError:
        return False
    return True


def test_of_several_regions_one_is_left_out_with_all_that_names_it() -> None:
    ways = [*changes.without_a_region(config_of("prod"))]
    lost, back = ways[0]
    assert "us-east4" not in str(lost)
    assert back == config_of("prod")
    assert [*changes.without_a_region(config_of("dev"))] == []


def test_what_was_taken_over_is_made_by_the_copy_and_what_is_of_others_is_there(
    rehearsal_of: Callable[[str], Rehearsal], tmp_path: Path
) -> None:
    made = rehearsal_of("dev")
    made.add_existing(
        compute__Network=[
            {"name": "inference", "project": "acme-inference-dev"},
            {"name": "hub", "project": "acme-inference-dev"},
        ]
    )
    own = "projects/acme-inference-dev/global/networks/inference"
    document = {"import": {"compute.Network": {"inference-network": own}}}
    made.places.imports.write_text(yaml.safe_dump(document))
    copy = places.copied(made.places, tmp_path / "copy")
    left = yaml.safe_load(copy.existing.read_text())["existing"]["compute.Network"]
    assert [each["name"] for each in left] == ["hub"]


def test_a_change_of_nothing_is_told_before_anything_is_made(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    places = rehearsal_of("dev").places
    with pytest.raises(
        LaunchError, match=r"FROM, TO: found the same config from .* to Pulumi\.dev"
    ):
        life.rehearse(places, start=str(ROOT / "Pulumi.dev.yaml"))


def test_a_change_is_from_a_file_or_a_revision_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (chapter,) = change({"a": 1}, {"a": 2})
    (way,) = chapter.ways({})
    assert [each["a"] for each in way] == [1, 1, 2, 2, 1]
    file = tmp_path / "other.yaml"
    file.touch()
    dev = RehearsalPaths("dev", ROOT / "Pulumi.dev.yaml", tmp_path)
    assert file_of(dev, str(file)) == file
    assert file_of(dev, "") == dev.config
    with pytest.raises(LaunchError, match="a stack file, or a Git revision that has"):
        file_of(dev, "no-such-revision")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="no git is on PATH"):
        file_of(dev, "main")

"""The two steps of a new environment: all but what runs its images, the images, and the rest."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.platform import Platform
from launcher import images, operations
from launcher.images import own_images, push, service_of
from launcher.paths import ROOT, StackPaths, checked
from launcher.problem import LaunchError
from sandbox.world import World
from tests.engine.conftest import Rehearsal

REPOSITORY = "projects/acme-inference-dev/locations/us-central1/repositories/services"
POLICY = "  binary_authorization: {attestors: [scanned]}\n"
PREFIX = "us-central1-docker.pkg.dev/acme-inference-dev/services"


def nobody(platform: Platform, world: World) -> None:
    """Push nothing."""
    del platform, world


def test_the_first_step_leaves_out_what_runs_images_and_the_second_makes_it(
    rehearsal_of: Callable[[str], Rehearsal],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rehearsal = rehearsal_of("dev")
    with monkeypatch.context() as nobody_pushes:
        nobody_pushes.setattr(operations, "push_placeholders", nobody)
        operations.images(rehearsal.places)
        assert rehearsal.resources("gcp:artifactregistry/repository:Repository")
        assert not rehearsal.resources("gcp:cloudrunv2/service:Service")
        with pytest.raises(LaunchError, match=f"Image '{PREFIX}/.*' not found.*`make images`"):
            operations.up(rehearsal.places)
    assert "services/llm_backend" in capsys.readouterr().out
    operations.up(rehearsal.places)
    assert len(rehearsal.resources("gcp:cloudrunv2/service:Service")) == 2


def exported(tmp_path: Path, *ids: str) -> str:
    """Return the command that prints a state with these repositories."""
    resources = [{"type": "gcp:artifactregistry/repository:Repository", "id": id_} for id_ in ids]
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"deployment": {"resources": resources}}))
    return f"/usr/bin/cat {file}"


@pytest.fixture
def dev(tmp_path: Path) -> StackPaths:
    return StackPaths(stack="dev", config=ROOT / "Pulumi.dev.yaml", home=tmp_path / "dev")


def calls(log: Path, program: str) -> list[str]:
    return [line for line in log.read_text().splitlines() if line.startswith(f"{program} ")]


def test_cloud_build_builds_what_is_not_there(
    dev: StackPaths,
    fakes: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = fakes("pulumi", "gcloud", export=exported(tmp_path), describe="exit 1")
    monkeypatch.setenv(images.KEY, "key/cryptoKeyVersions/1")
    push(dev)
    judged, first = [line for line in calls(log, "pulumi") if line.split()[1] in {"preview", "up"}]
    assert "--policy-pack" in judged
    assert "--exclude **gcp:cloudrunv2/service:Service::**" in first
    built = [line for line in calls(log, "gcloud") if "builds submit" in line]
    assert [f"_IMAGE={PREFIX}/sentiment-analyzer:1.0.0" in line for line in built] == [True, False]
    assert "_SERVICE=llm_backend" in built[1]
    assert f",_NAME={PREFIX}/llm-backend," in built[1]
    assert "_LOCATION=us,_ATTESTATION_KEY=key/cryptoKeyVersions/1 " in built[1]
    assert all("--project=acme-inference-dev" in line for line in built)


def test_nothing_is_built_or_made_twice(
    dev: StackPaths, fakes: Callable[..., Path], tmp_path: Path
) -> None:
    log = fakes("pulumi", "gcloud", export=exported(tmp_path, REPOSITORY))
    push(dev)
    assert not [line for line in calls(log, "pulumi") if " up " in line]
    assert not [line for line in calls(log, "gcloud") if "submit" in line]


@pytest.mark.parametrize("signed", [True, False])
def test_what_was_pushed_past_the_build_is_found(
    dev: StackPaths,
    fakes: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    signed: bool,
) -> None:
    config = tmp_path / "Pulumi.dev.yaml"
    config.write_text(f"{dev.config.read_text()}\n{POLICY}")
    monkeypatch.setenv(images.KEY, "key/cryptoKeyVersions/1")
    state = exported(tmp_path, REPOSITORY)
    attestations = {"attestations": "echo projects/acme/occurrences/1"} if signed else {}
    log = fakes(
        "pulumi", "gcloud", export=state, describe="echo host/image@sha256:1", **attestations
    )
    asked = StackPaths(stack="dev", config=config, home=dev.home)
    if signed:
        push(asked)
        assert "--artifact-url=https://host/image@sha256:1" in log.read_text()
    else:
        with pytest.raises(LaunchError, match=r"attestors/scanned has not attested.*another tag"):
            push(asked)
    assert not [line for line in calls(log, "gcloud") if "submit" in line]


def test_docker_builds_where_there_is_no_gcloud(
    dev: StackPaths,
    fakes: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = fakes("pulumi", "docker", export=exported(tmp_path, REPOSITORY), manifest="exit 1")
    push(dev)
    pushed = [line.split()[-1] for line in calls(log, "docker") if " push " in line]
    assert pushed == list(own_images(checked(dev)))
    assert "which docker neither scans nor attests to" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("builder", "says"), [("docker", "docker makes none"), ("gcloud", "ATTESTATION_KEY is not set")]
)
def test_what_could_not_run_is_not_built(
    dev: StackPaths, fakes: Callable[..., Path], tmp_path: Path, builder: str, says: str
) -> None:
    config = tmp_path / "Pulumi.dev.yaml"
    config.write_text(f"{dev.config.read_text()}\n{POLICY}")
    log = fakes("pulumi", builder, export=exported(tmp_path, REPOSITORY))
    with pytest.raises(LaunchError, match=says):
        push(StackPaths(stack="dev", config=config, home=dev.home))
    assert not calls(log, "pulumi")


def test_without_either_it_says_what_to_install(
    dev: StackPaths, fakes: Callable[..., Path]
) -> None:
    fakes("pulumi")
    with pytest.raises(LaunchError, match="neither gcloud nor docker is on PATH"):
        push(dev)


def test_a_build_that_fails_is_named_with_the_way_on(
    dev: StackPaths, fakes: Callable[..., Path], tmp_path: Path
) -> None:
    fakes(
        "pulumi",
        "gcloud",
        export=exported(tmp_path, REPOSITORY),
        describe="exit 1",
        submit="exit 7",
    )
    with pytest.raises(LaunchError, match=r"ended with 7.*`make images CLOUD=gcp` again"):
        push(dev)


def test_what_is_built_here_has_the_name_of_its_folder() -> None:
    folders = {file.parent.name for file in (ROOT / "services").glob("*/__main__.py")}
    assert folders
    for folder in folders:
        assert service_of(f"{PREFIX}/{folder.replace('_', '-')}:1.0.0") == folder
    assert service_of(f"{PREFIX}/else:1.0.0") is None
    assert images.BUILD_CONFIG.exists()

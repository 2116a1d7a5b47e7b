"""The state backend of the ordinary Pulumi CLI: what isn't there is named with its command."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from config.load import from_file
from launcher.backend import check_stack_exists, init
from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    """Return dev in a project of its own, with a file backend that Pulumi is logged in to."""
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("PATH", str(ROOT / ".engine" / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "state").as_uri())
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "plain")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi"))
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    return StackPaths(stack="dev", config=tmp_path / "Pulumi.dev.yaml", home=tmp_path / "dev")


def test_the_stack_file_keeps_its_comments_and_gains_the_key_of_its_secrets(
    places: StackPaths,
) -> None:
    before = places.config.read_text()
    with pytest.raises(LaunchError, match="no stack named 'dev': run `make init STACK=dev"):
        check_stack_exists(places)
    init(places, "passphrase")
    check_stack_exists(places)
    first, added = places.config.read_text().split("encryptionsalt: ")
    assert first == before
    assert added.startswith("v1:")
    assert from_file(places.config) == from_file(ROOT / "Pulumi.dev.yaml")


def test_the_settings_of_the_program_of_identities_keep_their_comments_too(
    places: StackPaths,
) -> None:
    with pytest.raises(LaunchError, match=r"there is no .*identity/Pulumi.dev.yaml"):
        init(places, "passphrase", "identity")
    file = places.config.parent / "identity" / "Pulumi.dev.yaml"
    file.parent.mkdir()
    shutil.copyfile(ROOT / "identity" / file.name, file)
    init(places, "passphrase", "identity")
    first, added = file.read_text().split("encryptionsalt: ")
    assert first == (ROOT / "identity" / file.name).read_text()
    assert added.startswith("v1:")


def test_a_refused_stack_leaves_the_file_as_it_was(places: StackPaths) -> None:
    before = places.config.read_text()
    with pytest.raises(LaunchError, match="step 3 of README"):
        init(places, "no-such-provider")
    assert places.config.read_text() == before


def test_no_login_is_named_with_its_command(
    places: StackPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL")
    monkeypatch.delenv("PULUMI_ACCESS_TOKEN", raising=False)
    with pytest.raises(LaunchError, match=r"not logged in .*`pulumi login gs://"):
        check_stack_exists(places)


@pytest.mark.parametrize(
    "said",
    [
        "google: could not find default credentials. See https://cloud.google.com/docs",
        'oauth2: \\"invalid_grant\\" \\"reauth related error (invalid_rapt)\\"',
    ],
)
def test_a_login_that_is_over_is_named_with_its_command(
    said: str, places: StackPaths, fakes: Callable[..., Path]
) -> None:
    fakes("pulumi", stack=f"echo '{said}' >&2; exit 255")
    with pytest.raises(LaunchError, match="expired: run `gcloud auth application-default login`"):
        check_stack_exists(places)

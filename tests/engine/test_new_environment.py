"""A new environment is valid, has no range that another has, and passes its own policies."""

import ast
import ipaddress
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import from_file
from launcher import operations
from launcher.existing import read_existing
from launcher.new_environment import environment_text, new_environment
from launcher.paths import ROOT, shown_file, stack_paths, stacks
from launcher.problem import LaunchError
from launcher.pulumi_cli import command_line
from policies.engine import environment as policies

POLICIES = Path("policies") / "environments"
PRIVATE = re.compile(r"\b10\.\d+\.\d+\.\d+/\d+")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let an organisation have its own config, with the environments that are shipped."""
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv("INFERENCE_CONFIG", str(own))
    monkeypatch.setenv("INFERENCE_SANDBOX", str(tmp_path / "sandbox"))
    for name in ("dev", "prod"):
        new_environment(name, name)
    return own


def ranges(file: Path) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(each) for each in set(PRIVATE.findall(file.read_text()))]


@pytest.mark.parametrize("source", ["dev", "prod"])
def test_it_is_valid_and_shares_no_range_and_no_name(project: Path, source: str) -> None:
    new_environment("staging", source)
    file = project / "Pulumi.staging.yaml"
    platform = from_file(file)
    assert platform.environment == "staging"
    assert platform.project.id == "acme-inference-staging"
    assert ranges(file)
    for other in {*project.glob("Pulumi.*.yaml")} - {file}:
        for one in ranges(file):
            assert not [each for each in ranges(other) if one.overlaps(each)], one
    text = (project / POLICIES / "staging.yaml").read_text()
    policies.load(project / POLICIES / "staging.yaml")
    assert "acme-inference-staging" in text
    assert f"acme-inference-{source}" not in text + file.read_text()


def test_what_is_there_is_copied_with_the_names(project: Path) -> None:
    zone = "{project: acme-inference-dev, name: dev, dnsName: dev.acme.com.}"
    text = f"existing: {{dns.ManagedZone: [{zone}]}}\n"
    (project / "sandbox.dev.yaml").write_text(text)
    new_environment("staging", "dev")
    (copied,) = read_existing(project / "sandbox.staging.yaml")
    assert copied.inputs["project"] == "acme-inference-staging"
    assert copied.inputs["dnsName"] == "staging.acme.com."


def test_a_second_one_shares_no_range_with_the_first(project: Path) -> None:
    new_environment("staging", "dev")
    new_environment("test", "dev")
    first, second = (ranges(project / f"Pulumi.{name}.yaml") for name in ("staging", "test"))
    assert not [one for one in first if any(one.overlaps(other) for other in second)]


def test_ranges_of_a_block_stay_together_and_public_ones_stay() -> None:
    text = "a: 10.10.0.0/20\nb: 10.10.32.0/24\nc: 10.64.0.0/14\nd: 203.0.113.0/24\n"
    moved = environment_text(text, "dev", "staging", [text])
    assert moved == "a: 10.11.0.0/20\nb: 10.11.32.0/24\nc: 10.68.0.0/14\nd: 203.0.113.0/24\n"


def test_what_is_there_is_not_written_over(project: Path) -> None:
    with pytest.raises(LaunchError, match=r"Pulumi\.prod\.yaml is there already"):
        new_environment("prod", "dev")


def test_a_name_that_cannot_be_one_writes_nothing(project: Path) -> None:
    with pytest.raises(LaunchError, match=r"^ENV: found 'St_1'; allowed: 1 to 16 lowercase"):
        new_environment("St_1", "dev")
    assert len(list((project / POLICIES).iterdir())) == 2


@pytest.mark.usefixtures("project")
def test_it_passes_its_own_policies(capsys: pytest.CaptureFixture[str]) -> None:
    new_environment("staging", "dev")
    operations.preview(stack_paths("staging"))
    assert "0 violations" in capsys.readouterr().out


def test_what_is_shipped_is_taken_over_word_by_word_and_read_instead(project: Path) -> None:
    for file in (Path("Pulumi.dev.yaml"), POLICIES / "dev.yaml"):
        lines = (project / file).read_text().splitlines()
        assert lines[1:] == (ROOT / file).read_text().splitlines()[1:]
    schema = (project / "Pulumi.dev.yaml").read_text().splitlines()[0].partition("=")[2]
    assert (project / schema).resolve() == ROOT / "config/schema.json"
    assert stacks() == ["dev", "prod"]
    (project / "Pulumi.prod.yaml").unlink()
    with pytest.raises(LaunchError, match=r"no stack named 'prod': there is no Pulumi.prod.yaml"):
        stack_paths("prod")


def test_files_that_a_stack_file_names_stand_beside_it(project: Path) -> None:
    file = project / "Pulumi.prod.yaml"
    text = file.read_text().replace(
        "      front: load_balancer\n",
        "      front: api_gateway\n      api_gateway: {document: chat.yaml, api_key: true}\n",
    )
    file.write_text(re.sub("      (default_url|load_balancer): .*\n", "", text))
    with pytest.raises(ConfigError, match=r"document: found 'chat.yaml'.*the stack file's folder"):
        from_file(file)
    (project / "chat.yaml").write_text((ROOT / "services/llm_backend/openapi.yaml").read_text())
    from_file(file)


def test_pulumi_is_told_where_the_stack_file_is(
    project: Path, fakes: Callable[..., Path], tmp_path: Path
) -> None:
    fakes("pulumi")
    file = str(project / "Pulumi.dev.yaml")
    for operation in ("up", "preview", "refresh", "destroy"):
        line = command_line(operation, stack_paths("dev"))
        assert line[line.index("--config-file") + 1] == file
    assert "--config-file" not in command_line("export", stack_paths("dev"))
    assert stack_paths("dev").environment == project / POLICIES / "dev.yaml"
    assert stack_paths("dev").home == tmp_path / "sandbox" / "dev"


def test_stacks_of_one_name_in_two_folders_have_nothing_in_common(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INFERENCE_SANDBOX")
    own = stack_paths("dev")
    monkeypatch.delenv("INFERENCE_CONFIG")
    shipped = stack_paths("dev")
    assert (own.home, shipped.home) == (project / ".sandbox/dev", ROOT / ".sandbox/dev")


@pytest.mark.parametrize(
    ("called", "file", "shown"),
    [
        (".", "own/.sandbox/dev/logs/up.log", "own/.sandbox/dev/logs/up.log"),
        ("own", "own/.sandbox/dev/logs/up.log", ".sandbox/dev/logs/up.log"),
        ("own/a", "own/Pulumi.dev.yaml", "../Pulumi.dev.yaml"),
        ("own", str(ROOT / "README.md"), "README.md"),
        ("own", "/elsewhere/a", "/elsewhere/a"),
    ],
)
def test_a_file_is_shown_as_it_opens_from_where_make_was_called(
    project: Path, monkeypatch: pytest.MonkeyPatch, called: str, file: str, shown: str
) -> None:
    monkeypatch.setenv("INFERENCE_CALLED", str(project.parent / called))
    assert shown_file(project.parent / file) == shown


@pytest.mark.parametrize("folder", ["own", "/nowhere"])
def test_a_folder_that_is_none_is_told(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERENCE_CONFIG", folder)
    with pytest.raises(NotADirectoryError, match=f"INFERENCE_CONFIG: found '{folder}'"):
        stacks()
    with pytest.raises(policies.PolicyConfigError, match="the absolute path of a folder"):
        policies.file_of("dev")


def test_make_takes_the_folder_as_the_page_for_companies_says(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "platform").symlink_to(ROOT)
    page = (ROOT / "docs" / "company.md").read_text()
    lines = re.findall(r"^make (.+)$", page, re.MULTILINE)
    assert len(lines) >= 4
    monkeypatch.delenv("INFERENCE_CONFIG")
    for line in lines:
        told(project, "-n", *line.split())
    assert "STACK=dev|prod picks" in told(project, "help", f"CONFIG={project}", "-C", "platform")


def test_messages_name_the_command_as_it_was_called(project: Path) -> None:
    done = subprocess.run(
        ["make", "demo", "STACK=dev", f"CONFIG={project}", "-C", ROOT.name],
        cwd=ROOT.parent,
        # As a shell sets it:
        env={**os.environ, "PWD": str(ROOT.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert f"run `make -C {ROOT.name} CONFIG={project} up STACK=dev` first" in done.stderr


def test_no_error_names_a_command_of_make_but_as_it_was_called() -> None:
    raised = (
        (file.name, text.value)
        for room in ("launcher", "plans", "sandbox", "sizing")
        for file in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Raise)
        for text in ast.walk(node)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
    )
    assert not [each for each in raised if re.search(r"`make [a-z]", each[1])]


def told(folder: Path, *words: str) -> str:
    """Return what make prints."""
    return subprocess.run(
        ["make", *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout

"""Images, as far as can be seen without building them: no container runtime is at hand."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from dockerfile_parse import DockerfileParser

from emulator.runtime.images import command_of
from tests.services.harness import SERVICES

IMAGES = ("sentiment_analyzer", "sentiment_trainer", "llm_backend", "batch_inference")
ROOT = SERVICES.parent
DOCKERFILE = SERVICES / "Dockerfile"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==(\S+)", re.MULTILINE)

_NAME = re.compile(r"^([\w-]+)$", re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    parser = cast("Any", DockerfileParser)(path=str(DOCKERFILE))
    return [(line["instruction"], line["value"]) for line in parser.structure]


def lines(instruction: str) -> list[str]:
    return [value for name, value in instructions() if name == instruction]


def pins(file: Path) -> set[tuple[str, str]]:
    return set(_PIN.findall(file.read_text()))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what .dockerignore lets in, as the image has it."""
    folder = tmp_path_factory.mktemp("app")
    ignored = (SERVICES / ".dockerignore").read_text().splitlines()
    (folder / "services").mkdir()
    for name in (line.removeprefix("!") for line in ignored if line.startswith("!")):
        if (SERVICES / name).is_file():
            shutil.copy(SERVICES / name, folder / "services" / name)
        else:
            hidden = shutil.ignore_patterns("*.md", "__pycache__", ".env")
            shutil.copytree(SERVICES / name, folder / "services" / name, ignore=hidden)
    return folder


def test_the_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [linter, "--format", "json", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert json.loads(found.stdout) == []


def test_the_image_is_distroless_pinnable_and_not_run_as_root() -> None:
    assert lines("FROM") == ["${PYTHON} AS build", "${RUNTIME}"]
    # The packages are those of the Python that runs: Debian 12 has 3.11.
    assert lines("ARG") == [
        "PYTHON=python:3.11-slim-bookworm",
        "RUNTIME=gcr.io/distroless/python3-debian12:nonroot",
        "SERVICE",
    ]
    made = [instruction for instruction, _ in instructions()]
    # It has no shell that could run anything.
    assert "RUN" not in made[len(made) - made[::-1].index("FROM") :]
    user = lines("USER")[-1]
    assert user.split(":")[0].isdecimal()
    assert int(user.split(":")[0]) > 0


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_starts_the_service_it_is_built_for(
    image: str, app: Path, tmp_path: Path
) -> None:
    """Runs the line that gives the program its name, and then what the image starts."""
    shutil.copytree(app, tmp_path / "app")
    [named] = [line.rpartition("&& ")[2] for line in lines("RUN") if "ln -s" in line]
    python, folder = json.loads(lines("ENTRYPOINT")[-1])
    assert (python, folder) == ("/usr/bin/python3", lines("WORKDIR")[-1])
    environment = {"SERVICE": image, "PATH": os.environ["PATH"]}
    subprocess.run(["sh", "-c", named], cwd=tmp_path / "app", env=environment, check=True)
    # Without settings each says what it lacks, and ends.
    said = [
        subprocess.run(line, cwd=cwd, env={"PATH": ""}, capture_output=True, text=True, check=False)
        for line, cwd in (
            ([sys.executable, str(tmp_path / "app")], tmp_path),
            (command_of(image), ROOT),
        )
    ]
    assert said[0].returncode == said[1].returncode != 0
    assert _undated(said[0].stdout + said[0].stderr) == _undated(said[1].stdout + said[1].stderr)


def _undated(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT[^\"]*", "", text)


def test_the_build_sees_the_code_of_every_service_and_nothing_else() -> None:
    copied = [line for line in lines("COPY") if "--from" not in line]
    assert copied == ["${SERVICE}/requirements.txt requirements.txt", ". services"]
    ignored = (SERVICES / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert {line for line in ignored if line.startswith("!")} == {
        f"!{name}" for name in ("__init__.py", "common", *IMAGES)
    }


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_has_the_versions_that_are_tested(image: str) -> None:
    """What is pinned for the image is what is pinned at the top; `make lock` makes it so."""
    pinned = pins(SERVICES / image / "requirements.txt")
    assert len(pinned) > 20
    assert pinned <= pins(ROOT / "requirements.txt")


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_has_every_package_its_code_imports(image: str, app: Path) -> None:
    """Imports the files the image holds, without the packages it does not."""
    named = _NAME.findall((SERVICES / image / "requirements.in").read_text())
    pinned = {name.lower() for name, _ in pins(SERVICES / image / "requirements.txt")}
    assert {name.lower() for name in named} <= pinned
    program = _WITHOUT_OTHERS.format(allowed=sorted(pinned), service=f"services.{image}")
    subprocess.run([sys.executable, "-c", program], cwd=app, check=True)


_WITHOUT_OTHERS = """
import importlib.metadata as metadata, importlib.util, pathlib, pkgutil, sys
allowed = {{name.replace("_", "-") for name in {allowed!r}}}
owners = metadata.packages_distributions()
def refuse(name):
    owner = owners.get(name)
    return owner and not any(one.lower().replace("_", "-") in allowed for one in owner)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if refuse(name.partition(".")[0]):
            raise ModuleNotFoundError(f"the image has no {{name}}", name=name)
sys.meta_path.insert(0, Finder())
import services.common, {service} as service
for package in (services.common, service):
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "__main__":
            importlib.import_module(f"{{package.__name__}}.{{module.name}}")
"""


@pytest.mark.parametrize("image", IMAGES)
def test_the_readme_names_every_setting(image: str) -> None:
    settings: Any = __import__(f"services.{image}.settings", fromlist=["Settings"]).Settings
    text = (SERVICES / image / "README.md").read_text() + (SERVICES / "README.md").read_text()
    for name, field in settings.model_fields.items():
        assert re.search(
            rf"^\| `{name.upper()}` \| .+ \| {re.escape(field.description)} \|$", text, re.M
        )

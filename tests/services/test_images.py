"""Images, as far as can be seen without building them: no container runtime is at hand."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.services.harness import SERVICES, dockerfile, image_command

IMAGES = ("sentiment_analyzer", "sentiment_trainer", "llm_backend", "batch_inference")
ROOT = SERVICES.parent
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==(\S+)", re.MULTILINE)

_NAME = re.compile(r"^([\w-]+)$", re.MULTILINE)


def lines(image: str, instruction: str) -> list[str]:
    return [str(line["value"]) for line in dockerfile(image) if line["instruction"] == instruction]


def pins(file: Path) -> set[tuple[str, str]]:
    return set(_PIN.findall(file.read_text()))


@pytest.mark.parametrize("image", IMAGES)
def test_the_linter_finds_nothing(image: str) -> None:
    linter = Path(sys.executable).with_name("hadolint")
    found = subprocess.run(
        [linter, "--format", "json", SERVICES / image / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(found.stdout) == []


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_is_distroless_pinnable_and_not_run_as_root(image: str) -> None:
    assert lines(image, "FROM") == ["${PYTHON} AS build", "${RUNTIME}"]
    build, runtime = lines(image, "ARG")
    # The packages are those of the Python that runs: Debian 12 has 3.11.
    assert build == "PYTHON=python:3.11-slim-bookworm"
    assert runtime == "RUNTIME=gcr.io/distroless/python3-debian12:nonroot"
    made = [str(line["instruction"]) for line in dockerfile(image)]
    # It has no shell that could run anything.
    assert "RUN" not in made[len(made) - made[::-1].index("FROM") :]
    user = lines(image, "USER")[-1]
    assert user.split(":")[0].isdecimal()
    assert int(user.split(":")[0]) > 0
    assert image_command(image)[1:] == ["-m", f"services.{image}"]


@pytest.mark.parametrize("image", IMAGES)
def test_what_the_image_copies_is_there_and_not_ignored(image: str) -> None:
    allowed = (SERVICES / ".dockerignore").read_text().splitlines()
    copied = [words.split() for words in lines(image, "COPY") if "--from" not in words]
    assert copied
    for source, _ in copied:
        assert (SERVICES / source).exists()
        assert f"!{Path(source).parts[0]}" in allowed


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_has_the_versions_that_are_tested(image: str) -> None:
    """What is pinned for the image is what is pinned at the top; `make lock` makes it so."""
    pinned = pins(SERVICES / image / "requirements.txt")
    assert len(pinned) > 20
    assert pinned <= pins(ROOT / "requirements.txt")


@pytest.mark.parametrize("image", IMAGES)
def test_the_image_has_every_package_its_code_imports(image: str, tmp_path: Path) -> None:
    """Imports the files the image holds, without the packages it does not."""
    named = _NAME.findall((SERVICES / image / "requirements.in").read_text())
    pinned = {name.lower() for name, _ in pins(SERVICES / image / "requirements.txt")}
    assert {name.lower() for name in named} <= pinned
    (tmp_path / "services").mkdir()
    for words in lines(image, "COPY"):
        source, _, target = words.rpartition(" ")
        if target.startswith("services/"):
            _copy(SERVICES / source, tmp_path / target)
    program = _WITHOUT_OTHERS.format(allowed=sorted(pinned), service=f"services.{image}")
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        shutil.copy(source, target)
    else:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.md"))


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

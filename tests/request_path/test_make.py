"""`make route PATH=...`: the path reaches the program, and the recipes keep the shell's PATH."""

import os
import subprocess
from pathlib import Path

import pytest

from launcher.paths import ROOT

PROBE = '\nprobe:\n\t@echo "$$PATH"\n\t@awk \'BEGIN { print "$(REQUEST_PATH)" }\'\n'
NESTED = "\nnested:\n\t@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) probe\n"


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # As from a shell, not from the recipe that runs the tests.
    shell = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**shell, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def probing(folder: Path, makefile: str) -> str:
    """Return a copy of the Makefile with targets that print what recipes see."""
    file = folder / "Makefile"
    known = makefile.replace("TARGETS := ", "TARGETS := probe nested ")
    file.write_text(known + PROBE + NESTED)
    return str(file)


@pytest.mark.parametrize("target", ["probe", "nested"])
def test_recipes_find_their_tools_whatever_the_path(tmp_path: Path, target: str) -> None:
    own = f"{tmp_path / 'with space'}:{os.environ['PATH']}"
    file = probing(tmp_path, (ROOT / "Makefile").read_text())
    made = make("-f", file, target, "PATH=/v1/chat/completions", PATH=own)
    assert made.stdout.splitlines() == [own, "/v1/chat/completions"], made.stderr


def test_without_a_path_nothing_is_touched(tmp_path: Path) -> None:
    made = make("-f", probing(tmp_path, (ROOT / "Makefile").read_text()), "probe")
    assert made.stdout.splitlines() == [os.environ["PATH"], ""], made.stderr


def test_without_proc_the_usual_folders_are_searched(tmp_path: Path) -> None:
    text = (ROOT / "Makefile").read_text()
    assert "/proc/" in text
    file = probing(tmp_path, text.replace("/proc/", f"{tmp_path}/none/"))
    made = make("-f", file, "probe", "PATH=/v1/models")
    folders, path = made.stdout.splitlines()
    assert "/usr/bin" in folders.split(":")
    assert path == "/v1/models"
    assert made.stderr == ""


def test_a_request_is_explained_by_make(home: Path) -> None:
    given = ("route", "SETUP=true", "STACK=dev", "MODEL=qwen3-4b", "PATH=/v1/embeddings")
    made = make(*given, INFERENCE_SANDBOX=str(home))
    assert made.returncode == 0, made.stderr
    assert "us-central1: POST https://inference.dev.acme.internal/v1/embeddings\n" in made.stdout


@pytest.mark.parametrize(
    ("target", "name", "option"),
    [
        ("up", "STACK", "--stack"),
        ("up", "CLOUD", "--cloud"),
        ("new", "ENV", "--env"),
        ("new", "FROM", "--stack"),
        ("init", "SECRETS", "--secrets"),
        ("route", "PATH", "--path"),
        ("fit", "MODEL", "--model"),
        ("fit", "MACHINE", "--machine"),
        ("capacity", "STOCKOUT", "--stockout"),
        ("capacity", "QUOTAS", "--quotas"),
        ("policy", "FORMAT", "--format"),
        ("policy", "STATE", "--state"),
        ("diff", "TO", "--to"),
    ],
)
def test_what_is_given_reaches_the_program_as_it_is(target: str, name: str, option: str) -> None:
    made = make(target, "SETUP=true", "PYTHON=echo", f"{name}=a 'b $$(id) \"c")
    assert f"{option}=a 'b $(id) \"c" in made.stdout, made.stderr

"""Every command that a document or a pipeline gives is one that its program takes.

Nothing is run: make says what it would do, Pulumi, Docker and kubectl are asked for their help, and
gcloud has a table that its completion reads.
"""

import re
import runpy
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from launcher.paths import ROOT, engine_root
from tests.setup.test_documents import DOCUMENTS, SPAN
from tests.setup.test_pipelines import STEPS

FENCE: Final = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PLACEHOLDER: Final = re.compile(r"<[a-z][^<>\n]*>")
BETWEEN: Final = re.compile(r"[|;&<>()]+")
GIVEN: Final = re.compile(r"[A-Z_]+=.*")
PLACE: Final = re.compile(r"-C \S+|CONFIG=\S+")
"""What says where a command is run."""


def commands_of(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the commands of a shell's text, without variables before them and redirections."""
    for line in PLACEHOLDER.sub("x", text.replace("\\\n", " ")).splitlines():
        words = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        words.whitespace_split = True
        command: list[str] = []
        try:
            for word in (*words, ";"):
                if not BETWEEN.fullmatch(word):
                    command.append(word)
                    continue
                while command and GIVEN.fullmatch(command[0]):
                    del command[0]
                if command:
                    yield tuple(command)
                command = []
        except ValueError:
            # A line of prose or output, with an apostrophe.
            continue


def texts() -> Iterator[tuple[str, str]]:
    """Yield where a text that may be of a shell stands, and the text."""
    for document in DOCUMENTS:
        text, name = document.read_text(), str(document.relative_to(ROOT))
        for _, language, block in FENCE.findall(text):
            if language in ("", "sh"):
                yield name, block
        for span in SPAN.findall(FENCE.sub("", text)):
            yield name, " ".join(span.split())
    for step, text, _ in STEPS:
        yield step, text


def by_make(words: Sequence[str]) -> Iterator[str]:
    """Yield stacks without a file, and what make refuses."""
    given = PLACE.sub("", " ".join(words)).split()
    for name, value in (each.split("=", 1) for each in given if GIVEN.fullmatch(each)):
        # Of a rehearsal it is a file or a revision.
        is_stack = name == "STACK" or (name == "FROM" and "rehearse" not in given)
        if is_stack and not (ROOT / f"Pulumi.{value}.yaml").exists():
            yield f"there is no Pulumi.{value}.yaml"
    done = subprocess.run(
        ["make", "-n", *given], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        yield done.stderr.strip()


@cache
def help_of(*words: str) -> str:
    done = subprocess.run([*words, "--help"], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def by_help(words: Sequence[str], program: str) -> Iterator[str]:
    """Yield the command or the options that a program's help does not have."""
    path, rest = [program], [*words]
    while rest and rest[0][0] != "-" and "ommands:" in help_of(*path):
        if help_of(*path, rest[0]) == help_of(*path):
            yield f"no command {rest[0]}"
            return
        path.append(rest.pop(0))
    for word in rest:
        option = word.partition("=")[0]
        if option.startswith("--") and not re.search(rf"{option}\b", help_of(*path)):
            yield f"no option {option}"


def by_pulumi(words: Sequence[str]) -> Iterator[str]:
    yield from by_help(words, str(engine_root() / "bin" / "pulumi"))


def by_git(words: Sequence[str]) -> Iterator[str]:
    """Yield the command that Git has not."""
    name = next(each for each in PLACE.sub("", " ".join(words)).split() if each[0] != "-")
    done = subprocess.run(["git", name, "-h"], capture_output=True, text=True, check=False)
    if "not a git command" in done.stderr:
        yield done.stderr.strip()


@cache
def gcloud() -> Mapping[str, Any]:
    """Return gcloud's own table of its commands and options."""
    program = shutil.which("gcloud")
    file = Path(program or "").resolve().parents[1] / "data" / "cli" / "gcloud_completions.py"
    if program is None or not file.exists():
        pytest.skip("NOT RUN: no gcloud on PATH that has a table of its commands")
    return runpy.run_path(str(file))["STATIC_COMPLETION_CLI_TREE"]


def by_gcloud(words: Sequence[str]) -> Iterator[str]:
    """Yield the command or the options that gcloud has not."""
    at, options = gcloud(), {*gcloud()["flags"]}
    for word in words:
        option = word.partition("=")[0]
        if word[:2] == "--" and not {option, option.replace("--no-", "--")} & options:
            yield f"no option {option}"
        elif word[0] != "-" and at["commands"]:
            if word not in at["commands"]:
                yield f"no command {word}"
                return
            at = at["commands"][word]
            options |= {*at["flags"]}


CHECKS: Final[Mapping[str, Callable[[Sequence[str]], Iterator[str]]]] = {
    "make": by_make,
    "pulumi": by_pulumi,
    "gcloud": by_gcloud,
    "git": by_git,
    "kubectl": lambda words: by_help(words, "kubectl"),
}
FOUND: Final = {
    command: place for place, text in texts() for command in commands_of(text) if len(command) > 1
}


@pytest.mark.parametrize("program", CHECKS)
def test_its_program_takes_a_command(program: str) -> None:
    if program == "kubectl" and shutil.which(program) is None:
        pytest.skip("NOT RUN: no kubectl on PATH")
    commands = [each for each in FOUND if each[0] == program]
    assert commands
    told = {(FOUND[each], *each): [*CHECKS[program](each[1:])] for each in commands}
    assert {place: each for place, each in told.items() if each} == {}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("make upp", "upp: make has no such target; `make help` lists them"),
        ("make up STAK=dev", "STAK: make up does not read it; it reads STACK CLOUD CONFIG"),
        ("make up stack=prod", "stack: make up does not read it"),
        ("make up ENV=prod", "ENV: make up does not read it"),
        ("make up STACK=nowhere", "there is no Pulumi.nowhere.yaml"),
        ("pulumi stack inti dev", "no command inti"),
        ("pulumi up --stak dev", "no option --stak"),
        ("gcloud secrets versions ad x", "no command ad"),
        ("gcloud secrets versions add x --datafile=-", "no option --datafile"),
        ("git comit", "not a git command"),
    ],
)
def test_what_its_program_does_not_take_is_told(line: str, told: str) -> None:
    ((program, *words),) = commands_of(line)
    (found,) = CHECKS[program](words)
    assert told in found


def test_every_target_reads_the_words_of_its_help() -> None:
    helps = re.findall(r"^([a-z-]+):.* ## (.+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    words = {(target, word) for target, told in helps for word in re.findall(r"\b([A-Z]+)=", told)}
    assert ("serve", "PORT") in words
    told = {each: [*by_make((each[0], f"{each[1]}=dev"))] for each in words}
    assert {place: each for place, each in told.items() if each} == {}

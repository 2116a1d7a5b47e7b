"""Every file, section, make target, module and name that a document gives is there."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("policies/*/README.md"),
        *ROOT.glob("services/**/README.md"),
    ]
)
FOLDERS = [folder for folder in ROOT.iterdir() if folder.is_dir() and folder.name[0] != "."]
FILE_NAMES = {
    *(file.name for file in ROOT.iterdir()),
    *(file.name for folder in FOLDERS for file in folder.rglob("*")),
}
SOURCE = "".join(
    file.read_text(encoding="utf-8")
    for folder in (ROOT, *FOLDERS)
    for file in (folder.glob("*") if folder == ROOT else folder.rglob("*"))
    if file.suffix in {".py", ".yaml"} and not file.is_relative_to(Path(__file__).parent)
)
TARGETS = {
    target
    for line in (ROOT / "Makefile").read_text().splitlines()
    if (rule := re.match(r"([a-z][a-z -]*):(?!=)", line))
    for target in rule[1].split()
}

BLOCK = re.compile(r"^```(?s:.*?)^```|^ {4}.*$", re.MULTILINE)
SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
FILE = re.compile(r"[\w-]+\.(?:py|ya?ml|json|md|txt|tsv)")
NAME = re.compile(r"[A-Za-z_][\w.-]{3,}")
MAKE = re.compile(r"^\W*make ([a-z-]+)", re.MULTILINE)
MODULE = re.compile(r"python3? -m ([\w.]+)")


def missing(text: str, folder: Path) -> Iterator[str]:
    """Yield what a text in a folder names and is not there."""
    code = [*SPAN.findall(BLOCK.sub("", text)), *BLOCK.findall(text)]
    for target in LINK.findall(text):
        if not _has_target(target, text, folder):
            yield f"link {target}"
    for span in code:
        yield from (f"make {name}" for name in MAKE.findall(span) if name not in TARGETS)
        yield from (f"module {name}" for name in MODULE.findall(span) if not _has_module(name))
        if PATH.fullmatch(span) and not _has_file(span, folder):
            yield f"file {span}"
        if NAME.fullmatch(span) and not FILE.fullmatch(span) and not _has_name(span):
            yield f"name {span}"


def _has_target(target: str, text: str, folder: Path) -> bool:
    place, _, section = target.partition("#")
    if ":" in place:
        return True
    file = folder / place
    if not file.exists():
        return False
    if not section:
        return True
    headings = re.findall(r"^#+ (.+)$", file.read_text() if place else text, re.MULTILINE)
    return section in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def _has_file(name: str, folder: Path) -> bool:
    """Return whether a name is a file of ours, or none at all, such as an API's path or a role."""
    if FILE.fullmatch(name):
        return name in FILE_NAMES
    if name.partition("/")[0] not in {each.name for each in FOLDERS} or "/" not in name:
        return True
    return any(any(place.glob(name.rstrip("/"))) for place in (ROOT, folder))


def _has_name(name: str) -> bool:
    """Return whether the code has each part of a name; variables are settings in lowercase."""
    return all(
        part in SOURCE or (part.isupper() and part.lower() in SOURCE) for part in name.split(".")
    )


def _has_module(name: str) -> bool:
    """Return whether Python can run a module, which is ours or another's."""
    place = ROOT.joinpath(*name.split("."))
    if ROOT / name.partition(".")[0] not in FOLDERS:
        return find_spec(name) is not None
    return place.with_suffix(".py").exists() or (place / "__main__.py").exists()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Path):
    assert list(missing(document.read_text(), document.parent)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`catalog/machines.yml`", ["file catalog/machines.yml"]),
        ("`policies/*/READ.md`", ["file policies/*/READ.md"]),
        ("`test_nothing.py`", ["file test_nothing.py"]),
        ("`NoSuchComponent`, `no_such_key`", ["name NoSuchComponent", "name no_such_key"]),
        (
            "`no-such-rule`, `gateway.nonesuch`",
            ["name no-such-rule", "name gateway.nonesuch"],
        ),
        ("`make upp`", ["make upp"]),
        ("```\n$ make tests\n```", ["make tests"]),
        ("`python -m sandboxes`", ["module sandboxes"]),
        ("Run:\n\n    python -m services.locals &", ["module services.locals"]),
        ("[a](docs/archi.md)", ["link docs/archi.md"]),
        ("[a](README.md#no-such-section)", ["link README.md#no-such-section"]),
        ("# A b\n[a](#a-c)", ["link #a-c"]),
        ("# A b\n[a](#a-b), `make up`, `roles/viewer`, `python -m launcher`, `catalog/`", []),
    ],
)
def test_what_is_not_there_is_told(text: str, found: list[str]):
    assert list(missing(text, ROOT)) == found

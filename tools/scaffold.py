"""Make the files of a new component or rule, which work and are there to be changed.

python tools/scaffold.py component PrivateZone --folder network
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

from problem import SetupProblemError
from versions import ROOT

TEMPLATES = Path(__file__).with_name("templates")
CLASS_NAME = re.compile(r"([A-Z][a-z0-9]+)+")
RULE_PAGES = ("policies.schema", "policies.readme", "policies.reference", "tests.policies.kinds")
RULE_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


def new_component(root: Path, name: str, folder: str) -> list[Path]:
    """Make a component, its page and its test, and lists it. Raises SetupProblemError."""
    if not CLASS_NAME.fullmatch(name):
        raise SetupProblemError(
            f"NAME: found {name!r}, allowed: the name of a class, such as PrivateZone"
        )
    _check_one_of("FOLDER", folder, _packages(root / "components"))
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    words = {
        "name": name,
        "snake": snake,
        "kebab": snake.replace("_", "-"),
        "folder": folder,
    }
    files = {
        root / "components" / folder / f"{snake}.py": "component",
        root / "docs" / "components" / f"{name}.md": "component_page",
        root / "tests" / "unit" / f"test_{snake}.py": "component_test",
    }
    _write(files, words)
    listed = root / "components" / "__init__.py"
    _add_line(listed, f'    "{name}": "components.{folder}.{snake}",', r'    "\w+": "components\.')
    return [*files, listed]


def new_rule(root: Path, name: str, pack: str) -> list[Path]:
    """Make a rule and its examples; nothing lists them. Raises SetupProblemError."""
    if not RULE_ID.fullmatch(name):
        raise SetupProblemError(f"ID: found {name!r}, allowed: words, such as net-no-peering")
    packs = [each.replace("_", "-") for each in _packages(root / "policies" / "rules")]
    _check_one_of("PACK", pack, packs)
    folder, module = pack.replace("-", "_"), name.replace("-", "_")
    files = {
        root / "policies" / "rules" / folder / f"{module}.py": "rule",
        root / "tests" / "policies" / "examples" / f"{name}.yaml": "rule_examples",
    }
    _write(files, {"id": name, "title": name.replace("-", " ").capitalize()})
    return list(files)


def _packages(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if (each / "__init__.py").exists())


def _check_one_of(variable: str, found: str, allowed: list[str]) -> None:
    if found not in allowed:
        raise SetupProblemError(f"{variable}: found {found!r}, allowed: {', '.join(allowed)}")


def _write(files: Mapping[Path, str], words: Mapping[str, str]) -> None:
    taken = [str(file) for file in files if file.exists()]
    if taken:
        raise SetupProblemError(f"{', '.join(taken)} is there already: choose another name")
    for file, template in files.items():
        text = (TEMPLATES / f"{template}.tmpl").read_text(encoding="utf-8")
        file.write_text(Template(text).substitute(words), encoding="utf-8")


def _add_line(file: Path, line: str, row: str) -> None:
    """Put a line into its place among the sorted rows of a table."""
    lines = file.read_text(encoding="utf-8").splitlines()
    rows = [index for index, each in enumerate(lines) if re.match(row, each)]
    place = next((index for index in rows if lines[index] > line), rows[-1] + 1)
    file.write_text("\n".join([*lines[:place], line, *lines[place:]]) + "\n", encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """Make what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    component = kinds.add_parser("component")
    component.add_argument("name", metavar="NAME")
    component.add_argument("--folder", default="project", help="folder of components/")
    rule = kinds.add_parser("rule")
    rule.add_argument("name", metavar="ID")
    rule.add_argument("--pack", default="baseline", help="folder of policies/rules/")
    given = parser.parse_args(argv)
    try:
        if given.kind == "component":
            files, pages = new_component(ROOT, given.name, given.folder), ("components.pages",)
        else:
            files, pages = new_rule(ROOT, given.name, given.pack), RULE_PAGES
    except SetupProblemError as problem:
        print(problem, file=sys.stderr)
        return 1
    python = [str(file) for file in files if file.suffix == ".py"]
    for command in (("-m", "ruff", "format", "-q", *python), ("tools/pages.py", *pages)):
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True)
    print("\n".join(str(file.relative_to(ROOT)) for file in files))
    print("Change them to what is wanted; CONTRIBUTING.md says how to go on.")
    line = " (of components/__init__.py its line alone)" if given.kind == "component" else ""
    print(f"To take it back: delete them{line}, then `make pages`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

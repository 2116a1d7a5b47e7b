"""Report what the packs say of a stack: `python -m policies.report --help`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from policies.engine.config import PolicyConfigError
from policies.engine.environment import environments, file_of, settings_of
from policies.engine.packs import ALL, rules_of
from policies.reports import data, markdown, sarif, state, text
from policies.reports.run import Run
from resources.exports import ExportError, read

FORMATS: Final[Mapping[str, tuple[str, Callable[[Run], str]]]] = {
    "text": ("report.txt", text.render),
    "json": ("report.json", data.render),
    "sarif": ("report.sarif", sarif.render),
    "markdown": ("report.md", markdown.render),
}


def write(run: Run, folder: Path) -> None:
    """Write the report in every form into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in FORMATS.values():
        (folder / name).write_text(render(run), encoding="utf-8")


def of_state(file: Path, environment: str) -> Run:
    """Return what the packs say of an exported state, by the limits of an environment."""
    own = environment.endswith((".yaml", ".yml"))
    limits = settings_of(Path(environment) if own else file_of(environment))
    return state.judge(read(file), rules_of(ALL), limits)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report; 0 when nothing mandatory is violated, 1 when something is, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m policies.report", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="what `pulumi stack export` gave")
    names = ", ".join(environments())
    parser.add_argument(
        "--environment", required=True, help=f"one of {names}, or an environment's file.yaml"
    )
    parser.add_argument("--format", choices=FORMATS, default="text")
    parser.add_argument("--output", type=Path, help="a folder for the report in every form")
    chosen = parser.parse_args(arguments)
    try:
        run = of_state(chosen.state, chosen.environment)
    except (PolicyConfigError, ExportError) as error:
        print(error, file=sys.stderr)
        return 2
    if chosen.output:
        write(run, chosen.output)
    print(FORMATS[chosen.format][1](run), end="")
    return 1 if run.violations else 0


if __name__ == "__main__":
    sys.exit(main())

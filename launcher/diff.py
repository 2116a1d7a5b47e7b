"""The command line behind `make diff`: what differs between two environments, or two plans."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Final

from catalog.config_folder import make_command
from launcher.arguments import Parser
from launcher.console import is_watched, show
from launcher.ending import exit_code_of
from launcher.paths import shown_file, stack_folder, stack_paths, stacks
from launcher.plan_report import plan_file, planned
from launcher.problem import LaunchError
from launcher.verify import emptied
from plans import comment, mermaid, page
from plans.difference import difference
from plans.picture import picture_of
from plans.report import Report, report_of

_SHOWN: Final = 12
"""So many lines of a section are shown on a terminal; the page has all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the difference; return the exit code."""
    parser = Parser(prog="python -m launcher.diff", description=__doc__)
    for side in ("from", "to"):
        parser.add_argument(
            f"--{side}", required=True, help="a stack, or the plan.json that `make report` wrote"
        )
    chosen = vars(parser.parse_args(arguments))
    return exit_code_of(lambda: _print(chosen))


def _print(chosen: Mapping[str, str]) -> int:
    for side in ("from", "to"):
        _check(side, chosen[side])
    with ExitStack() as open_ones:
        files = [_plan(chosen[side], open_ones) for side in ("from", "to")]
        try:
            plan, words = difference(*files)
        except ValueError as problem:
            raise LaunchError(str(problem)) from problem
    found = report_of(plan, None, date.today(), words)
    told = comment.render(found, mermaid.render(picture_of(plan)))
    file = stack_folder("diff.html")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(page.render(found, plan, None)[0], encoding="utf-8")
    if is_watched(sys.stdout):
        show("\n".join(_brief(found)))
    else:
        print(told, end="")
    show(f"The page: {shown_file(file)}", sys.stderr)
    return 0


def _brief(found: Report) -> Iterator[str]:
    """Yield what matters of a difference, to read on a terminal."""
    yield found.headline
    yield from (f"  {fact}" for fact in found.facts)
    for section in found.sections:
        if section.lines and not section.folded:
            yield f"\n{section.title}:"
            order = sorted(range(len(section.lines)), key=lambda each: each not in section.loud)
            yield from (f"  {section.lines[each]}" for each in order[:_SHOWN])
            if len(order) > _SHOWN:
                yield f"  and {len(order) - _SHOWN} more"
    yield ""


def _check(side: str, name: str) -> None:
    """Raise LaunchError where a side names nothing, before the other one's preview."""
    there = Path(name).exists() if name.endswith(".json") else name in stacks()
    if not there:
        raise LaunchError(
            f"{side.upper()}: found {name!r}; allowed: {', '.join(stacks())}, or the plan.json "
            f"that `{make_command('report')}` wrote"
        )


def _plan(name: str, open_ones: ExitStack) -> Path:
    """Return the file of a plan: that of a stack makes it from nothing, on the sandbox cloud."""
    if name.endswith(".json"):
        return Path(name)
    empty = open_ones.enter_context(emptied(stack_paths(name)))
    planned(empty, "sandbox")
    return plan_file(empty)


if __name__ == "__main__":
    sys.exit(main())

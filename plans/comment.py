"""A report as the comment of a pull request, in GitHub's Markdown."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

from catalog.words import plural
from plans.document import Section, Table
from plans.report import Report

MOST: Final = 65_536
"""Characters that GitHub takes in a comment."""
_ROWS: Final = (200, 60, 20, 8, 3)
"""How many rows of a table or lines are shown: fewer until it fits."""
_CODE: Final = 96
_QUIET: Final = 8
"""More lines than these, that nobody must see, are folded."""
_MARKUP: Final = str.maketrans({"<": "&lt;", ">": "&gt;", "|": "\\|", "\n": " ", "@": "&#64;"})
_ISSUE: Final = re.compile(r"#(?=\d)")


def marker(stack: str) -> str:
    """Return what tells the comment of a stack from others."""
    return f"<!-- plan of {stack} -->"


def render(report: Report, picture: str, link: str = "") -> str:
    """Return the comment, cut so that GitHub takes it; `link` leads to the whole report."""
    text = ""
    for rows in _ROWS:
        text = "\n".join(_lines(report, picture, link, rows)) + "\n"
        if len(text) <= MOST:
            return text
        # A picture that is too large for a comment is on the page.
        picture = ""
    end = f"\n\n{_cut(link)}\n"
    return text[: MOST - len(end)].rpartition("\n")[0] + end


def failed(stack: str, why: str, link: str = "", what: str = "the preview failed") -> str:
    """Return the comment of a plan that isn't there, for a reason in a few words and at length."""
    # GitHub breaks no line of code: a long one would have to be scrolled to.
    text = "\n".join(map(_broken, why.strip()[: MOST // 2].splitlines())).replace("```", "'''")
    more = f"\n{_whole(link)}\n" if link else ""
    return (
        f"{marker(stack)}\n## {stack}: {what}\n\n```text\n{text}\n```\n\n"
        f"Nothing was changed.\n{more}"
    )


def _broken(line: str) -> str:
    return textwrap.fill(line, _CODE, break_long_words=False, break_on_hyphens=False)


def _lines(report: Report, picture: str, link: str, rows: int) -> Iterator[str]:
    yield marker(report.stack)
    yield f"## {_text(report.headline)}"
    yield ""
    yield from (f"- {_text(each)}" for each in report.facts)
    for section in report.sections:
        yield from _section(section, rows)
    if picture:
        yield from ("", "<details><summary>Picture</summary>", "", "```mermaid")
        yield picture
        yield from ("```", "", "</details>")
    if rows < _ROWS[0]:
        yield from ("", _cut(link))
    elif link:
        yield from ("", _whole(link))


def _cut(link: str) -> str:
    where = f"[the whole report]({link})" if link else "the page of `make report`"
    return f"Cut, as GitHub takes no longer comment: see {where}."


def _whole(link: str) -> str:
    return f"[The page with pictures and details]({link})"


def _section(section: Section, rows: int) -> Iterator[str]:
    if section.folded:
        yield from ("", f"<details><summary>{_text(section.title)}</summary>", "")
    else:
        yield from ("", f"### {_text(section.title)}", "")
    yield from _listed(section, rows)
    if section.table:
        yield from _table(section.table, rows)
    if section.folded:
        yield from ("", "</details>")


def _listed(section: Section, rows: int) -> Iterator[str]:
    lines = list(enumerate(section.lines))
    loud = [(index, line) for index, line in lines if index in section.loud]
    quiet = [(index, line) for index, line in lines if index not in section.loud]
    fold = len(quiet) > _QUIET
    for part in (loud, quiet):
        if fold and part is quiet:
            told = plural(len(quiet), "other") if loud else f"{len(quiet)} of them"
            yield from ("", f"<details><summary>{told}</summary>", "")
        for index, line in part[:rows]:
            mark = "**!** " if index in section.loud else ""
            yield f"- {mark}{_text(line)}"
        if len(part) > rows:
            yield f"- and {len(part) - rows} more"
        if fold and part is quiet:
            yield from ("", "</details>")
    if lines and section.table:
        yield ""


def _table(table: Table, rows: int) -> Iterator[str]:
    yield f"| {' | '.join(map(_text, table.columns))} |"
    yield f"|{'---|' * len(table.columns)}"
    for row in table.rows[:rows]:
        yield f"| {' | '.join(map(_text, row))} |"
    if len(table.rows) > rows:
        yield f"| and {len(table.rows) - rows} more |{' |' * (len(table.columns) - 1)}"


def _text(text: str) -> str:
    """Return text that is no markup but for code, bold and links, and mentions nobody."""
    return _ISSUE.sub("&#35;", text).translate(_MARKUP)

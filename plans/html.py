"""Pieces of a page of HTML that needs nothing else: no script, no font, no other file."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Final

from plans.document import Section, Table

_STYLE: Final = Path(__file__).with_name("page.css")
_CODE: Final = re.compile(r"`([^`]*)`")
_BOLD: Final = re.compile(r"\*\*(.+?)\*\*")

Part = tuple[str, str, str, bool]
"""Key, title and body of a part of a page, and whether it is folded at first."""


def document(headline: str, facts: Sequence[str], parts: Iterable[Part], footer: str) -> str:
    """Return a page of parts, those without a body left out; `footer` is HTML."""
    shown = [part for part in parts if part[2]]
    links = "".join(f'<li><a href="#{key}">{text(title)}</a></li>' for key, title, *_ in shown)
    told = "".join(f"<li>{text(each)}</li>" for each in facts)
    body = "".join(_part(*part) for part in shown)
    style = _STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{text(headline)}</title><style>{style}</style></head><body>"
        '<a class="skip" href="#main">Skip to the report</a>'
        f"<header><h1>{text(headline)}</h1><ul>{told}</ul></header>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav><main id="main">{body}</main>'
        f"<footer>{footer}</footer></body></html>\n"
    )


def _part(key: str, title: str, body: str, folded: bool) -> str:
    heading = f"<h2>{text(title)}</h2>"
    if folded:
        return f'<details id="{key}"><summary>{heading}</summary>{body}</details>'
    return f'<section id="{key}">{heading}{body}</section>'


def section(one: Section) -> str:
    """Return the body of a section."""
    lines = [
        f'<li class="loud">{text(line)}</li>' if index in one.loud else f"<li>{text(line)}</li>"
        for index, line in enumerate(one.lines)
    ]
    listed = f"<ul>{''.join(lines)}</ul>" if lines else ""
    return listed + (table(one.table) if one.table else "")


def table(one: Table) -> str:
    """Return a table that scrolls in itself."""
    head = "".join(f'<th scope="col">{text(each)}</th>' for each in one.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in one.rows
    )
    return scrolling(
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>", one.columns[0]
    )


def scrolling(body: str, label: str) -> str:
    """Return what scrolls in itself, by keyboard too, so that the page needn't."""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{body}</div>'
    )


def text(given: str) -> str:
    """Return text whose only markup is code and bold."""
    return _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", escape(given)))

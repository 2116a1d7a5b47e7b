"""A report as one page of HTML that needs nothing else: no script, no font, no other file."""

import re
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from plans.document import Section, Table
from plans.drawing import DrawingError, svg
from plans.duration import duration, format_minutes
from plans.picture import picture_of
from plans.plan import Plan, kind_of
from plans.report import Report
from policies.access.reach import table as access_table
from policies.reports.run import OUTCOMES, Run
from request_path.explain import Hop, Journey, journeys, models_in
from request_path.reading import read

_STYLE: Final = Path(__file__).with_name("page.css")
_CODE: Final = re.compile(r"`([^`]*)`")
_BOLD: Final = re.compile(r"\*\*(.+?)\*\*")
_BARS: Final = 40
_PATH: Final = "/v1/chat/completions"
_SIGNIFICANT_MINUTES: Final = 0.5


def render(report: Report, plan: Plan, run: Run | None) -> tuple[str, str]:
    """Return the page, and why it has no picture where it hasn't."""
    drawn, refused = _picture(plan, report.key)
    told = [(each.id, each.title, _section(each), each.folded) for each in report.sections]
    # What stops a change or takes away comes before the picture, which fills a screen.
    first = [part for part, each in zip(told, report.sections, strict=True) if each.loud]
    parts = [
        *first,
        ("picture", "Architecture", drawn, False),
        *(part for part in told if part not in first),
        ("timeline", "Timeline", "".join(_timeline(plan)) if run else "", True),
        ("requests", "The way of a request", "".join(_requests(plan)), True),
        ("callers", "Who can reach and call what", _table(_callers(plan)), True),
        ("rules", "What the policies checked", _table(_rules(run)) if run else "", True),
    ]
    shown = [part for part in parts if part[2]]
    links = "".join(f'<li><a href="#{key}">{_text(title)}</a></li>' for key, title, *_ in shown)
    facts = "".join(f"<li>{_text(each)}</li>" for each in report.facts)
    body = "".join(_part(*part) for part in shown)
    style = _STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_text(report.headline)}</title><style>{style}</style></head><body>"
        '<a class="skip" href="#main">Skip to the report</a>'
        f"<header><h1>{_text(report.headline)}</h1><ul>{facts}</ul></header>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav><main id="main">{body}</main>'
        "<footer>Made by <code>make report</code> from the plan's own resources. Costs and times "
        "are estimates. Text that might be a secret is left out.</footer></body></html>\n"
    ), refused


def _part(key: str, title: str, body: str, folded: bool) -> str:
    heading = f"<h2>{_text(title)}</h2>"
    if folded:
        return f'<details id="{key}"><summary>{heading}</summary>{body}</details>'
    return f'<section id="{key}">{heading}{body}</section>'


def _section(section: Section) -> str:
    lines = [
        f'<li class="loud">{_text(line)}</li>'
        if index in section.loud
        else f"<li>{_text(line)}</li>"
        for index, line in enumerate(section.lines)
    ]
    listed = f"<ul>{''.join(lines)}</ul>" if lines else ""
    return listed + (_table(section.table) if section.table else "")


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(each)}</th>' for each in table.columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    return _scrolling(
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>", table.columns[0]
    )


def _scrolling(body: str, label: str) -> str:
    """Return what scrolls in itself, by keyboard too, so that the page needn't."""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">{body}</div>'
    )


def _picture(plan: Plan, words: Sequence[str]) -> tuple[str, str]:
    picture = picture_of(plan)
    if not picture.nodes:
        return "", ""
    try:
        drawn = svg(picture, f"Architecture of {plan.stack}")
    except DrawingError as problem:
        return f"<p>There is no picture: {_text(str(problem))}</p>", str(problem)
    key = (
        f'<p class="key"><span class="make">{_text(words[0])}</span> '
        f'<span class="change">{_text(words[1])}</span> '
        f'<span class="take">{_text(words[2])}</span></p>'
    )
    return key + _scrolling(drawn, "Architecture"), ""


def _timeline(plan: Plan) -> Iterator[str]:
    found = duration(plan)
    lengths = {urn: times.end[1] - times.begin[1] for urn, times in found.steps.items()}
    long = [each for each in plan.changes if lengths[each.urn] >= _SIGNIFICANT_MINUTES]
    long.sort(key=lambda each: -lengths[each.urn])
    if not long:
        return
    yield (
        "<p>An estimate: when the longest steps would begin and end if all is quick (dark) or slow "
        f"(light). All of it takes {format_minutes(found.least, found.most)}.</p>"
    )
    bars = ""
    for each in sorted(long[:_BARS], key=lambda each: found.steps[each.urn].begin[1]):
        times = found.steps[each.urn]
        width = 100 / found.most
        least, most = (
            f'<rect class="{name}" x="{times.begin[side] * width:.2f}%" y="{side * 30}%" '
            f'width="{(times.end[side] - times.begin[side]) * width:.2f}%" height="60%"/>'
            for side, name in enumerate(("least", "most"))
        )
        told = f"{format_minutes(*times.begin)} to {format_minutes(*times.end)}"
        bars += (
            f'<div class="bar"><span>{_text(f"{kind_of(each.type)} {each.name}")}</span>'
            f'<svg role="img" aria-label="{escape(told)}">{most}{least}</svg></div>'
        )
    more = f"<p>and {len(long) - _BARS} shorter ones</p>" if len(long) > _BARS else ""
    yield _scrolling(f'<div class="bars">{bars}{more}</div>', "Timeline")


def _requests(plan: Plan) -> Iterator[str]:
    objects = read(plan.after)
    for model in models_in(objects) if objects.gateways else ():
        ways = journeys(objects, model, _PATH)
        body = "".join(_journey(each) for each in ways)
        yield f"<details><summary>{_text(model)}</summary>{body}</details>"


def _journey(journey: Journey) -> str:
    request = journey.request
    told = f"{journey.region}: {request.method} https://{request.host}{request.path}"
    answer = f"<p>The answer:</p><ol>{_hops(journey.answer)}</ol>" if journey.answer else ""
    return f"<p>{_text(told)}</p><ol>{_hops(journey.hops)}</ol>{answer}"


def _hops(hops: Sequence[Hop]) -> str:
    return "".join(
        f"<li><strong>{_text(each.step)}</strong> {_text(each.name)}"
        f"{f': {_text(each.detail)}' if each.detail else ''}</li>"
        for each in hops
    )


def _callers(plan: Plan) -> Table:
    found = access_table(plan.after)
    return Table(found["columns"], found["rows"])


def _rules(run: Run) -> Table:
    rows = [
        (rule_id, rule["level"], *(str(run.counts[rule_id][name]) for name in OUTCOMES))
        for rule_id, rule in run.rules.items()
    ]
    return Table(("rule", "level", *OUTCOMES), rows)


def _text(text: str) -> str:
    """Return text whose only markup is code and bold."""
    return _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", escape(text)))

"""A report as one page of HTML that needs nothing else."""

from collections.abc import Iterator, Sequence
from typing import Final

from plans.document import Table
from plans.drawing import DrawingError, svg
from plans.html import document, scrolling, section, table, text
from plans.picture import picture_of
from plans.plan import Plan
from plans.report import Report
from plans.timeline import timeline
from policies.access.reach import table as access_table
from policies.reports.run import OUTCOMES, Run
from request_path.explain import Hop, Journey, journeys, models_in
from request_path.reading import read

_PATH: Final = "/v1/chat/completions"


def render(report: Report, plan: Plan, run: Run | None) -> tuple[str, str]:
    """Return the page, and why it has no picture where it hasn't."""
    drawn, refused = _picture(plan, report.key)
    told = [(each.id, each.title, section(each), each.folded) for each in report.sections]
    # What stops a change or takes away comes before the picture, which fills a screen.
    first = [part for part, each in zip(told, report.sections, strict=True) if each.loud]
    parts = [
        *first,
        ("picture", "Architecture", drawn, False),
        *(part for part in told if part not in first),
        ("timeline", "Timeline", timeline(plan) if run else "", True),
        ("requests", "The way of a request", "".join(_requests(plan)), True),
        ("callers", "Who can reach and call what", table(_callers(plan)), True),
        ("rules", "What the policies checked", table(_rules(run)) if run else "", True),
    ]
    footer = (
        "Made by <code>make report</code> from the plan's own resources. Costs and times "
        "are estimates. Text that might be a secret is left out."
    )
    return document(report.headline, report.facts, parts, footer), refused


def _picture(plan: Plan, words: Sequence[str]) -> tuple[str, str]:
    picture = picture_of(plan)
    if not picture.nodes:
        return "", ""
    try:
        drawn = svg(picture, f"Architecture of {plan.stack}")
    except DrawingError as problem:
        return f"<p>There is no picture: {text(str(problem))}</p>", str(problem)
    key = (
        f'<p class="key"><span class="make">{text(words[0])}</span> '
        f'<span class="change">{text(words[1])}</span> '
        f'<span class="take">{text(words[2])}</span></p>'
    )
    return key + scrolling(drawn, "Architecture"), ""


def _requests(plan: Plan) -> Iterator[str]:
    objects = read(plan.after)
    for model in models_in(objects) if objects.gateways else ():
        ways = journeys(objects, model, _PATH)
        body = "".join(_journey(each) for each in ways)
        yield f"<details><summary>{text(model)}</summary>{body}</details>"


def _journey(journey: Journey) -> str:
    request = journey.request
    told = f"{journey.region}: {request.method} https://{request.host}{request.path}"
    answer = f"<p>The answer:</p><ol>{_hops(journey.answer)}</ol>" if journey.answer else ""
    return f"<p>{text(told)}</p><ol>{_hops(journey.hops)}</ol>{answer}"


def _hops(hops: Sequence[Hop]) -> str:
    return "".join(
        f"<li><strong>{text(each.step)}</strong> {text(each.name)}"
        f"{f': {text(each.detail)}' if each.detail else ''}</li>"
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

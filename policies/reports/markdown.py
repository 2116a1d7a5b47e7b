"""The summary for a pull request."""

from collections.abc import Iterator, Sequence

from policies.reports.run import OUTCOMES, Finding, Run
from policies.reports.text import summary


def render(run: Run) -> str:
    """Return a verdict, the findings as a table, and what was checked folded away."""
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    verdict = "stops this change" if run.violations else "lets this change pass"
    yield f"## Policy {verdict}"
    yield ""
    yield summary(run)
    if not run.whole:
        yield ""
        yield "The rules on the whole stack did not run: the preview failed before."
    for title, found in (
        ("Violations", run.violations),
        ("Advice", run.advice),
        ("Exempted", run.exempted),
    ):
        if found:
            yield from ("", f"### {title}", "")
            yield from _table(
                ("severity", "rule", "resource", "found", "remediation"),
                [_row(each) for each in found],
            )
    if run.exemptions:
        yield from ("", "### Exemptions", "", *(f"- {_cell(each)}" for each in run.exemptions))
    rows = [
        (rule_id, rule["level"], *(str(run.counts[rule_id][name]) for name in OUTCOMES))
        for rule_id, rule in run.rules.items()
    ]
    yield from _folded("What was checked", ("rule", "level", *OUTCOMES), rows)
    for table in run.tables:
        yield from _folded(table["title"], table["columns"], table["rows"])


def _row(found: Finding) -> tuple[str, ...]:
    rule = found.rule
    text = f"{found.text} (exempted: {found.exempted})" if found.exempted else found.text
    name = f"[{rule['id']}]({rule['url']})"
    return rule["severity"], name, found.subject, text, rule["remediation"]


def _folded(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from ("", f"<details><summary>{title}</summary>", "")
    yield from _table(header, rows)
    yield from ("", "</details>")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    plain = text.replace("\n", " ").replace("|", "\\|")
    return plain.replace("<", "&lt;").replace(">", "&gt;")

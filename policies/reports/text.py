"""The report to read in a terminal."""

from collections.abc import Iterator, Sequence

from catalog.words import plural
from policies.reports.run import OUTCOMES, Finding, Run


def render(run: Run) -> str:
    """Return the findings first, then what was checked."""
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    for title, found in (
        ("Violations", run.violations),
        ("Advice", run.advice),
        ("Exempted", run.exempted),
    ):
        if found:
            yield f"{title} ({len(found)}):"
            for each in found:
                yield from _finding(each)
            yield ""
    for rule_id, urn, why in run.unread:
        yield f"Not read in this preview: {rule_id} on {urn or 'the stack'}: {why}"
    yield from (f"Exemption of {each}" for each in run.exemptions)
    for table in run.tables:
        yield f"{table['title']}:"
        for row in table["rows"]:
            yield f"  {row[0]}"
            yield from (
                f"    {column}: {cell}"
                for column, cell in zip(table["columns"][1:], row[1:], strict=True)
                if cell != "-"
            )
        yield ""
    yield from counts_table(run)
    yield summary(run)
    if not run.whole:
        yield "The rules on the whole stack did not run: the preview failed before."


def _finding(found: Finding) -> Iterator[str]:
    rule = found.rule
    yield f"  {rule['id']} [{rule['severity']}] {found.subject}"
    yield f"    found: {found.text}"
    if found.exempted:
        yield f"    exempted: {found.exempted}"
        return
    yield f"    why: {rule['why']}"
    yield f"    remediation: {rule['remediation']}"


def counts_table(run: Run) -> list[str]:
    """Return the outcomes of each rule in columns."""
    rows = [
        (rule_id, rule["level"], *(str(run.counts[rule_id][name] or "-") for name in OUTCOMES))
        for rule_id, rule in run.rules.items()
    ]
    return _columns([("rule", "level", *OUTCOMES[:-1], "n/a"), *rows])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        " ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def summary(run: Run) -> str:
    """Return one line: how much was checked and what came of it."""
    totals = run.totals()
    outcomes = ", ".join(f"{totals[name]:,} {name}" for name in OUTCOMES)
    return (
        f"{plural(len(run.rules), 'rule')} x {plural(f'{run.resources:,}', 'resource')}: "
        f"{outcomes}; "
        f"{plural(len(run.violations), 'violation')}, "
        f"{plural(len(run.advice), 'advisory', 'advisories')}."
    )

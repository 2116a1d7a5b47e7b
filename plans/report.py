"""What a reviewer is told of a plan, the most important first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from catalog.words import plural
from cost.estimate import estimate
from plans import access, exposure, quota, sections
from plans.document import Section
from plans.duration import as_of, duration, format_minutes
from plans.picture import models_changed
from plans.plan import Plan, asked
from plans.words import CHANGE, Words, count_operations, difference, usd
from policies.reports.run import Run


@dataclass(frozen=True)
class Report:
    """The headline, a few words below it, and the sections."""

    stack: str
    headline: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    key: tuple[str, str, str]
    """What the colours of the picture mean: green, amber and red."""


def report_of(
    plan: Plan, run: Run | None, today: date, words: Words = CHANGE, refused: str = ""
) -> Report:
    """Return the report of a plan, of what the packs say where they judged it, and of why else it
    is refused."""
    costs = sections.Costs(
        *(estimate(asked(each), today=today) for each in (plan.before, plan.after))
    )
    grants = access.changed(plan.before, plan.after)
    exposed = exposure.changed(plan.before, plan.after)
    models = models_changed(plan)
    found = [
        sections.replaced_and_deleted(plan) if words is CHANGE else None,
        sections.policies(run, plan.stack) if run else None,
        sections.served(*models, words),
        sections.exposed(*exposed, words),
        sections.access(*grants, words),
        sections.cost(costs, words),
        sections.gpus(quota.needs(plan.before, plan.after), words),
        sections.quotas(plan.before, plan.after, words),
        sections.components(plan, words),
        sections.resources(plan, words),
        sections.cost_lines(costs, words),
        sections.time(plan) if words is CHANGE else None,
    ]
    return Report(
        plan.stack,
        f"{plan.stack}: {count_operations(plan.changes, words)}",
        (
            *([f"**Refused:** {refused}."] if refused else []),
            *_facts(plan, run, costs, words, len(grants[0]), len(exposed[0])),
        ),
        tuple(each for each in found if each),
        _key(words),
    )


def _key(words: Words) -> tuple[str, str, str]:
    made, changed, gone = (words.operations[each] for each in ("create", "update", "delete"))
    again = words.operations["replace"]
    return made, changed, gone if again == changed else f"{again} or {gone}"


def _facts(
    plan: Plan, run: Run | None, costs: sections.Costs, words: Words, granted: int, opened: int
) -> Iterator[str]:
    if run:
        yield _verdict(run)
    then, now = costs.before.expected, costs.after.expected
    yield (
        f"Expected cost a month: {usd(then)} {words.before}, {usd(now)} {words.after} "
        f"({difference(then, now)})."
    )
    if plan.changes and words is CHANGE:
        time = duration(plan)
        yield (
            f"It would take {format_minutes(time.least, time.most)}: an estimate, from "
            f"catalog/durations.yaml of {as_of()}."
        )
    new = [plural(count, one) for count, one in ((granted, "grant"), (opened, "exposure")) if count]
    if new:
        yield f"{words.found}: {', '.join(new)}."


def _verdict(run: Run) -> str:
    if run.violations:
        return f"**Policies stop this change: {plural(len(run.violations), 'violation')}.**"
    if not run.whole:
        return "Policies on the whole did not run: the preview failed before."
    return f"Policies let it pass, with {plural(len(run.advice), 'advisory', 'advisories')}."

"""What came of the stages of a rehearsal, as a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from html import escape
from typing import Final

from catalog.words import plural
from cost.estimate import Estimate, estimate
from plans import sections
from plans.document import Table
from plans.duration import Duration, as_of, duration, format_minutes
from plans.html import document, section, table, text
from plans.plan import Plan, asked
from plans.timeline import timeline
from plans.words import Words, count_operations, difference, usd

PASSED: Final = "passed"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"
DONE: Final = Words(
    "before",
    "after",
    {
        "replace": "replaced",
        "delete": "deleted",
        "update": "changed",
        "create": "made",
        "import": "taken over",
    },
    none="nothing changed",
    lost="no more",
    found="New",
)
_DAYS: Final = 365 / 12


@dataclass(frozen=True)
class Rehearsed:
    """One stage: what was changed, and what came of it."""

    key: str
    title: str
    about: str
    verdict: str
    reason: str = ""
    """Why it failed or was skipped."""
    config: tuple[str, ...] = ()
    """What changed in the stack file, as lines of a unified diff."""
    plan: Plan | None = None
    troubles: tuple[str, ...] = ()
    """What failed on the way, or would have, and why."""
    stops: tuple[str, ...] = ()
    """What stops serving."""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    """What the rehearsal of it took."""
    today: date = field(default_factory=date.today)

    @cached_property
    def time(self) -> Duration | None:
        """What it would take on Google Cloud."""
        return duration(self.plan) if self.plan and self.plan.changes else None

    @cached_property
    def costs(self) -> sections.Costs | None:
        """What a month costs before and after."""
        if self.plan is None:
            return None
        return sections.Costs(
            *(
                estimate(asked(each), today=self.today)
                for each in (self.plan.before, self.plan.after)
            )
        )

    @cached_property
    def meanwhile(self) -> Estimate | None:
        """What a month would cost with the old beside the new: what is replaced counts twice."""
        if self.plan is None:
            return None
        going = [
            each.before
            for each in self.plan.changes
            if each.before and each.operation in ("replace", "delete")
        ]
        return estimate([*asked(self.plan.after), *asked(going)], today=self.today)

    @property
    def did(self) -> str:
        """What happened to how many resources."""
        return count_operations(self.plan.changes, DONE) if self.plan else ""

    @property
    def takes(self) -> str:
        """What it would take on Google Cloud, in words."""
        return format_minutes(self.time.least, self.time.most) if self.time else ""


def page(stack: str, stages: Sequence[Rehearsed], subject: str = "") -> str:
    """Return the page of a rehearsal; `subject` says of what, where not of a life."""
    parts = [("overview", "Step by step", table(_overview(stages)), False)]
    parts += [(each.key, _titled(each), "".join(_stage(each)), False) for each in stages]
    footer = (
        "Made by <code>make rehearse</code>: the real engine, program and policies on a sandbox "
        "cloud, on copies of the stack's files. Costs and times are estimates: list prices, and "
        f"the times of calls in <code>catalog/durations.yaml</code> of {as_of()}. A cloud without "
        "room takes longer."
    )
    return document(headline(stack, stages, subject), tuple(facts(stages)), parts, footer)


def headline(stack: str, stages: Sequence[Rehearsed], subject: str = "") -> str:
    """Return what came of the rehearsal, in one line."""
    failed = [each for each in stages if each.verdict == FAILED]
    went = [each for each in stages if each.verdict == PASSED]
    end = f"{plural(len(failed), 'step')} failed" if failed else "all as expected"
    what = f"{subject} rehearsed" if subject else "rehearsed"
    return f"{stack}: {what}, {plural(len(went) + len(failed), 'step')}, {end}"


def facts(stages: Sequence[Rehearsed]) -> Iterator[str]:
    """Yield what to know of a rehearsal at first sight."""
    for each in stages:
        if each.verdict == FAILED:
            yield f"**Failed: {each.title}.** {each.reason}"
    for each in stages:
        if each.verdict == SKIPPED:
            yield f"**Not rehearsed: {each.title}**, as {each.reason}."
    longest = max((each for each in stages if each.time), key=_most, default=None)
    if longest and longest.time:
        yield f"The longest step on Google Cloud: {longest.title.lower()}, {longest.takes}."
    stopping = [each.title.lower() for each in stages if each.stops]
    if stopping:
        yield f"Something stops serving in: {', '.join(stopping)}."
    # Where there was something before.
    changed = [each for each in stages if each.costs and each.costs.before.expected]
    dearest = max(changed, key=_dearest, default=None)
    if dearest and dearest.meanwhile:
        yield (
            f"At most, while old and new stand: {usd(dearest.meanwhile.expected)} a month, in "
            f"{dearest.title.lower()}."
        )


def _most(stage: Rehearsed) -> float:
    return stage.time.most if stage.time else 0.0


def _dearest(stage: Rehearsed) -> float:
    return stage.meanwhile.expected if stage.meanwhile else 0.0


def _titled(stage: Rehearsed) -> str:
    return stage.title if stage.verdict == PASSED else f"{stage.title}: {stage.verdict}"


def _overview(stages: Sequence[Rehearsed]) -> Table:
    columns = (
        *("step", "what came of it", "resources", "on Google Cloud", "stops serving"),
        *("USD a month", "while both stand", "rehearsed in"),
    )
    return Table(columns, [tuple(_row(each)) for each in stages])


def _row(stage: Rehearsed) -> Iterator[str]:
    yield stage.title
    yield stage.verdict if stage.verdict == PASSED else f"**{stage.verdict}**"
    yield stage.did
    yield stage.takes
    yield _stopping(stage)
    yield usd(stage.costs.after.expected) if stage.costs else ""
    yield usd(stage.meanwhile.expected) if stage.meanwhile and _is_dearer(stage) else ""
    yield f"{stage.seconds:.0f} s" if stage.seconds else ""


def _stopping(stage: Rehearsed) -> str:
    if stage.plan is None:
        return ""
    if stage.plan.changes and not stage.plan.after.by_urn:
        return "everything"
    return f"**{len(stage.stops)}**" if stage.stops else "nothing"


def _is_dearer(stage: Rehearsed) -> bool:
    """Return whether the old and the new together cost more than each of them."""
    if not stage.costs or not stage.meanwhile:
        return False
    sides = (stage.costs.before.expected, stage.costs.after.expected)
    return stage.meanwhile.expected > max(sides) + 0.5


def _stage(stage: Rehearsed) -> Iterator[str]:
    yield f"<p>{text(stage.about)}</p>"
    if stage.reason:
        yield _listed((stage.reason,), loud=True)
    if stage.config:
        yield _folded("Changed in the stack file", f"<pre>{_diff(stage.config)}</pre>")
    if stage.plan is None:
        return
    yield _listed(tuple(_told(stage)))
    if stage.troubles:
        yield f"<h3>What fails, and why</h3>{_listed(stage.troubles, loud=True)}"
    if stage.stops:
        yield f"<h3>What stops serving</h3>{_listed(stage.stops, loud=True)}"
    if stage.time and stage.time.chain:
        yield f"<h3>What takes the time</h3>{table(_chain(stage.time))}"
        yield _folded("Timeline", timeline(stage.plan))
    if stage.costs:
        for title, each in (
            ("Cost", sections.cost(stage.costs, DONE)),
            ("Cost by resource", sections.cost_lines(stage.costs, DONE)),
            ("Replaced and deleted", sections.replaced_and_deleted(stage.plan)),
            ("By component", sections.components(stage.plan, DONE)),
            ("By resource", sections.resources(stage.plan, DONE)),
        ):
            if each:
                yield _folded(title, section(each))


def _told(stage: Rehearsed) -> Iterator[str]:
    yield f"{stage.did[:1].upper()}{stage.did[1:]}."
    yield from stage.notes
    if stage.time:
        yield f"It would take {stage.takes} on Google Cloud."
    if stage.costs and stage.meanwhile:
        then, now = stage.costs.before.expected, stage.costs.after.expected
        change = difference(then, now)
        yield f"Expected cost a month: {usd(then)} before, {usd(now)} after ({change})."
        if _is_dearer(stage):
            both = stage.meanwhile.expected
            a_day = (both - min(then, now)) / _DAYS
            yield (
                f"While the old and the new stand, at most: {usd(both)} a month, {usd(a_day)} a "
                "day more than the cheaper of them."
            )


def _chain(found: Duration) -> Table:
    rows = [
        (
            each.step.label,
            each.step.operation,
            format_minutes(*found.steps[each.step.urn].begin),
            format_minutes(*found.steps[each.step.urn].end),
            format_minutes(0, each.gain) if each.gain >= 1 else "nothing" if each.waits_for else "",
        )
        for each in found.links
    ]
    columns = ("step", "what", "begins after", "done after", "without this wait, sooner by")
    return Table(columns, rows)


def _listed(lines: Sequence[str], *, loud: bool = False) -> str:
    mark = ' class="loud"' if loud else ""
    return f"<ul>{''.join(f'<li{mark}>{text(each)}</li>' for each in lines)}</ul>"


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{text(title)}</summary>{body}</details>" if body else ""


def _diff(lines: Sequence[str]) -> str:
    marks = {"+": "make", "-": "take"}
    return "\n".join(
        f'<span class="{marks[line[0]]}">{escape(line)}</span>'
        if line[:1] in marks
        else escape(line)
        for line in lines
    )

"""What a command prints at its end: what was made, where to reach it, what it costs."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

from catalog.config_folder import make_command
from catalog.words import plural
from cost.estimate import estimate
from cost.report import render, table
from launcher.console import aligned
from launcher.paths import StackPaths, shown_file
from launcher.progress import STACK_TYPE, Progress, name_of, short_type
from plans.capacity import Need, by_metric, needs
from plans.words import difference, usd
from resources.resource import Resource

# Operation: what a preview and what a run calls it. A replacement is counted by what takes the
# place, not again by what goes.
WORDS = {
    "create": ("create", "created"),
    "update": ("update", "updated"),
    "delete": ("delete", "deleted"),
    "create-replacement": ("replace", "replaced"),
    "refresh": ("refresh", "refreshed"),
    "import": ("import", "imported"),
    "read": ("read", "read"),
}


def changes_line(changes: Mapping[str, int], *, preview: bool) -> str:
    """Return one line that counts the changes, or says that there are none."""
    if not changes:
        return "Nothing changes." if preview else "Nothing changed."
    counted = [
        f"{changes[operation]} to {future}" if preview else f"{changes[operation]} {past}"
        for operation, (future, past) in WORDS.items()
        if changes.get(operation)
    ]
    return ", ".join(counted) + "."


def kinds_table(resources: Iterable[Resource]) -> str:
    """Return how many resources of which kind, a line for each module."""
    counts = Counter(short_type(resource.type) for resource in resources)
    modules: dict[str, list[str]] = {}
    for token, count in sorted(counts.items()):
        module, _, kind = token.rpartition(":")
        modules.setdefault(module, []).append(f"{count} {kind}")
    width = max((len(module) for module in modules), default=0)
    return "\n".join(
        f"  {module:<{width}}  {', '.join(kinds)}" for module, kinds in modules.items()
    )


def outputs_table(outputs: Mapping[str, object]) -> str:
    """Return the stack's outputs, a line for each value; of a text with several lines only the
    first."""
    rows = [row for name, value in sorted(outputs.items()) for row in _rows(name, value)]
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:<{width}}  {text}" for name, text in rows)


def _rows(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, object]", value)
        return [row for key, item in entries.items() for row in _rows(f"{name}.{key}", item)]
    if isinstance(value, list):
        return [(name, ", ".join(map(str, cast("list[object]", value))))]
    first, *more = str(value).splitlines() or [""]
    return [(name, f"{first} ..." if more else first)]


def policies_line(progress: Progress, environment: Path) -> str:
    """Return which policy packs judged the resources and what they found.

    A violation names the keys of the environment's file that allow it.
    """
    packs = ", ".join(f"{name} {version}".strip() for name, version in progress.packs.items())
    violations = plural(len(progress.violations), "violation")
    found = f"{violations}, {plural(len(progress.advice), 'advisory', 'advisories')}"
    lines = [f"Policies ({packs or 'none loaded'}): {found}."]
    lines += [f"  violation: {line}" for line in progress.violations]
    lines += [f"  advisory: {line}" for line in progress.advice]
    if progress.violations:
        lines.append(allowing(progress.violations, environment))
    return "\n".join(lines)


def allowing(violations: Iterable[str], environment: Path) -> str:
    """Return where the rules of violations take other limits, and which."""
    # The rules take longer to load than what passes needs to be told.
    from policies.engine.packs import ALL, keys_of, rules_of

    keys = {rule.id: keys_of(rule) for rule in rules_of(ALL)}
    rules = dict.fromkeys(line.partition(":")[0] for line in violations)
    lines = [f"  {rule}: {', '.join(keys[rule])}" for rule in rules if rule in keys]
    return "\n".join(
        [f"What is meant so is allowed in {shown_file(environment)}, below rules:", *lines]
    )


def cost_section(resources: Iterable[Resource], *, brief: bool = False) -> str:
    """Return the estimated cost of the resources, in USD per month; `brief` leaves notes out."""
    found = estimate(resources, today=date.today())
    return f"Cost:\n{table(found) if brief else render(found)}"


def cost_difference(before: Iterable[Mapping[str, Any]], after: Iterable[Resource]) -> str:
    """Return what a month is expected to cost now and then; `before` is of a state."""
    now = [
        Resource(each["type"], name_of(each["urn"]), each["urn"], each.get("inputs") or {})
        for each in before
    ]
    costs = [estimate(each, today=date.today()).expected for each in (now, after)]
    return (
        f"Expected cost a month: {usd(costs[0])} now, {usd(costs[1])} after "
        f"({difference(costs[0], costs[1])})."
    )


def capacity_section(resources: Iterable[Resource]) -> str:
    """Return the quota that the resources need, short."""
    table = capacity_table(needs(resources), whole=False)
    return f"Quota needed (`{make_command('capacity')}` has it by type and zone):\n{table}"


def capacity_table(needed: Iterable[Need], *, whole: bool) -> str:
    """Return what is needed of each metric, a line each below its region; `whole` also by type and
    zone."""
    heads = ("quota", *(("type", "zones") if whole else ()), "minimum", "worst")
    rows: list[tuple[str, tuple[str, ...]]] = []
    for each in needed if whole else by_metric(needed):
        what = (each.type, each.zones) if whole else ()
        most = "not known yet" if each.most is None else f"{each.most:,.0f}"
        rows.append((each.region, (each.metric, *what, f"{each.least:,.0f}", most)))
    table = aligned([heads, *(row for _, row in rows)], left=len(heads) - 2)
    lines: list[str] = []
    for region, shown in zip(("", *(region for region, _ in rows)), table, strict=True):
        if region and f"{region}:" not in lines:
            lines.append(f"{region}:")
        lines.append(f"  {shown}")
    return "\n".join(lines)


def assumptions_section(subjects: Iterable[str]) -> str:
    """Return what the stack relies on that the sandbox can't know."""
    lines = [f"  {subject}\n" for subject in subjects]
    return f"Assumed to exist outside the project:\n{''.join(lines)}" if lines else ""


def places_section(places: StackPaths) -> str:
    """Return where the state and the sandbox cloud's world are."""
    return f"State: {places.state}\nSandbox cloud: {places.world}"


def own_resources(progress: Progress) -> list[Resource]:
    """Return the resources that count: all but the stack itself."""
    return [r for r in progress.resources.values() if r.type != STACK_TYPE]

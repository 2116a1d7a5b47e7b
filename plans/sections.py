"""The sections of a report."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from catalog.words import plural
from cost.estimate import Estimate
from plans.access import Grant
from plans.capacity import by_metric
from plans.capacity import needs as capacity_needs
from plans.document import Section, Table
from plans.duration import as_of, duration, format_minutes
from plans.plan import CHANGES, Plan, Step, kind_of, name_of
from plans.quota import Need
from plans.words import SAME, Words, count_operations, difference, usd
from policies.engine.packs import ALL, keys_of, rules_of
from policies.reports.run import Finding, Run
from policies.rules.baseline.rel_deletion_protection import RULE as PROTECTION
from request_path.hops import named
from request_path.reading import objects_of
from resources.gpus import NODE_POOL
from resources.properties import Absence, is_mapping, show, text
from resources.resource import Stack

_SHOWN_VALUES: Final = 4
_KINDS: Final = 4
_ROWS_UNFOLDED: Final = 12
_NAMES: Final = 20
_FINDINGS: Final = 2
# https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.zones.clusters.nodePools/update
_OF_NODES: Final = ("nodeConfig.machineType", "nodeConfig.disk", "nodeConfig.imageType")
_LOUD: Final = 12
"""So many of what is replaced and deleted nobody can overlook: more, and nobody reads them."""


@dataclass(frozen=True)
class Costs:
    """The cost of a month before and after."""

    before: Estimate
    after: Estimate


def replaced_and_deleted(plan: Plan) -> Section | None:
    """Return what is replaced and deleted, with all that goes with it.

    What is deleted as a whole is one line. What holds data, and what stops workloads, comes first.
    """
    wholes: defaultdict[str, list[Step]] = defaultdict(list)
    for each in plan.changes:
        if each.operation == "delete" and (whole := _whole(plan, each)) is not each:
            wholes[whole.urn].append(each)
    found = [
        _Going(plan, each, [each], others)
        for each, others in plan.taking("replace", "delete")
        if each.urn not in wholes
        and _whole(plan, each).urn not in wholes
        and not each.type.startswith("pulumi:")
    ]
    found += [_Going(plan, each, [each], []) for each in plan.changes if nodes_made_anew(each)]
    for urn, parts in wholes.items():
        held = [each for each in parts if not any(each.urn == part.parent for part in parts)]
        found.append(_Going(plan, plan.by_urn[urn], held, held))
    found.sort(key=lambda each: each.order)
    loud = frozenset(range(len(found))[: max(_LOUD, sum(each.serious for each in found))])
    lines = tuple(each.words for each in found)
    return Section("going", "Replaced and deleted", lines, loud=loud) if lines else None


@dataclass(frozen=True)
class _Going:
    """A step that replaces or deletes, what it is of, and what goes with that."""

    plan: Plan
    step: Step
    parts: Sequence[Step]
    others: Sequence[Step]

    @cached_property
    def stopping(self) -> list[str]:
        """The workloads that only the nodes which go can take."""
        pools = [each for each in self.parts if each.type == NODE_POOL]
        return sorted({name for pool in pools for name in running_on(self.plan, pool)})

    @property
    def serious(self) -> bool:
        """Whether data or workloads go."""
        return bool(self.stopping) or any(PROTECTION.applies(each.type) for each in self.parts)

    @property
    def order(self) -> tuple[bool, bool, int, str]:
        """What sorts the most serious first."""
        others = len(self.others)
        return not self.serious, self.step.operation != "replace", -others, self.step.label

    @property
    def words(self) -> str:
        """What goes, why, and what with it."""
        kinds = _kinds(self.others)
        with_it = f"; with it {kinds}" if kinds else ""
        stops = f"; what runs on it stops: {', '.join(self.stopping)}" if self.stopping else ""
        what = self.step.operation
        what = "make anew the nodes of" if what == "update" else what
        return f"{what} **{self.step.label}**{_why(self.step)}{with_it}{stops}"


def _whole(plan: Plan, step: Step) -> Step:
    """Return the outermost of what is deleted together with a step that is part of it."""
    current = step
    while (above := plan.by_urn.get(current.parent)) and above.operation == "delete":
        current = above
    return current


def _why(step: Step) -> str:
    if step.operation == "delete" or not step.changed:
        return ""
    return f" for {', '.join(_values(step))}"


def nodes_made_anew(step: Step) -> bool:
    """Return whether an update of a node pool makes its nodes anew, one after the other."""
    return (
        step.type == NODE_POOL
        and step.operation == "update"
        and any(each.startswith(_OF_NODES) for each in step.changed)
    )


def running_on(plan: Plan, pool: Step) -> Iterator[str]:
    """Yield the workloads that only nodes of a pool can take."""
    name = text(pool.before.props if pool.before else {}, "name")
    for workload in objects_of(plan.before).workloads:
        for pods in workload.pods:
            selector = pods.node_selector
            if is_mapping(selector) and name in selector.values():
                yield f"{workload.kind} {named(workload)}"


def policies(run: Run, environment: str) -> Section | None:
    """Return what the packs found, a line for each rule; what stops the change comes first.

    The last line says where that is allowed.
    """
    groups: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for each in (*run.violations, *run.advice, *run.exempted):
        groups["exempted" if each.exempted else each.level, each.rule["id"]].append(each)
    lines = tuple(_of_rule(*key, found) for key, found in groups.items())
    stopping = list(dict.fromkeys(each.rule["id"] for each in run.violations))
    if stopping:
        keys = {rule.id: ", ".join(keys_of(rule)) for rule in rules_of(ALL)}
        allowing = "; ".join(f"`{rule}` ({keys[rule]})" for rule in stopping if rule in keys)
        file = f"`policies/environments/{environment}.yaml`"
        lines += (f"What is meant so is allowed in {file}, below `rules`: {allowing}.",)
    loud = frozenset(range(len(stopping)))
    return Section("policies", "Policies", lines, loud=loud) if lines else None


def _of_rule(level: str, rule: str, found: Sequence[Finding]) -> str:
    shown = "; ".join(f"**{_subject(each)}** {each.text}" for each in found[:_FINDINGS])
    more = f"; and {len(found) - _FINDINGS} more" if len(found) > _FINDINGS else ""
    remedy = found[0].exempted or f"To do: {found[0].rule['remediation']}"
    return f"{level} `{rule}`: {shown}{more}. {remedy}"


def _subject(found: Finding) -> str:
    """Return what a finding is of, as the rest of a report names it."""
    if not found.urn:
        return found.subject
    token = found.urn.rsplit("::", 2)[1].rpartition("$")[2]
    return f"{kind_of(token)} {name_of(found.urn)}"


def served(anew: Sequence[str], lost: Sequence[str], words: Words) -> Section | None:
    """Return which models one side serves alone."""
    lines = [f"{words.found.lower()}: {_some(anew)}"] if anew else []
    lines += [f"{words.lost}: {_some(lost)}"] if lost else []
    loud = frozenset({len(lines) - 1} if lost else ())
    return Section("models", "Models", tuple(lines), loud=loud) if lines else None


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def exposed(opened: Sequence[str], closed: Sequence[str], words: Words) -> Section | None:
    """Return what others can reach on one side alone."""
    lines = [*opened, *(f"{words.lost}: {each}" for each in closed)]
    loud = frozenset(range(len(opened)))
    return Section("exposure", "Who can reach it", tuple(lines), loud=loud) if lines else None


def access(granted: Sequence[Grant], revoked: Sequence[Grant], words: Words) -> Section | None:
    """Return who may do what on one side alone."""
    lines = [each.words for each in granted]
    lines += [f"{words.lost}: {each.words}" for each in revoked]
    loud = frozenset(index for index, each in enumerate(granted) if each.wide and not each.google)
    return Section("access", "Who may do what", tuple(lines), loud=loud) if lines else None


def cost(costs: Costs, words: Words) -> Section:
    """Return the totals of a month."""
    then, now = costs.before, costs.after
    rows = [
        (name, usd(old), usd(new), difference(old, new))
        for name, old, new in (
            ("minimum", then.minimum, now.minimum),
            ("expected", then.expected, now.expected),
            ("worst", then.maximum, now.maximum),
        )
    ]
    unpriced = {f"{each.name} ({each.reason})" for each in now.unpriced if not each.by_usage}
    lines = [f"Not priced: {each}" for each in sorted(unpriced)]
    lines += [f"{each[:1].upper()}{each[1:]}." for each in now.assumptions[:1]]
    table = Table(("USD a month", words.before, words.after, "difference"), rows)
    return Section("cost", "Cost", tuple(lines), table)


def cost_lines(costs: Costs, words: Words) -> Section | None:
    """Return what each part costs whose cost changes, where the difference is largest first."""
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for side, each in enumerate((costs.before, costs.after)):
        for line in each.lines:
            sums[f"{line.name}: {line.what}"][side] += line.expected
    ordered = sorted(sums.items(), key=lambda row: (-abs(row[1][1] - row[1][0]), -row[1][1]))
    rows = [(name, usd(then), usd(now), difference(then, now)) for name, (then, now) in ordered]
    changed = [row for row in rows if row[-1] != SAME]
    same = len(rows) - len(changed)
    lines = (f"{plural(same, 'other line')} the same, in the totals above.",) if same else ()
    columns = ("expected, USD a month", words.before, words.after, "difference")
    table = Table(columns, changed)
    title = "Cost by resource"
    return Section("cost-lines", title, lines, table, folded=True) if changed else None


def gpus(needs: Sequence[Need], words: Words) -> Section | None:
    """Return the quota that GPUs need."""
    rows = [
        (each.region, each.type, each.capacity, _count(each.before), _count(each.after))
        for each in needs
    ]
    table = Table(("region", "type", "quota", words.before, words.after), rows)
    folded = all(each.before == each.after for each in needs)
    title = "GPU quota needed, with everything scaled out"
    return Section("gpus", title, table=table, folded=folded) if rows else None


def quotas(before: Stack, after: Stack, words: Words) -> Section | None:
    """Return what is needed of each other quota that changes: CPUs, disks, addresses."""
    sides = [
        {(each.region, each.metric): each.most for each in by_metric(capacity_needs(side))}
        for side in (before, after)
    ]
    then, now = sides
    rows = [
        (*key, _count(then.get(key, 0.0)), _count(now.get(key, 0.0)))
        for key in sorted({**then, **now})
        if then.get(key, 0.0) != now.get(key, 0.0) and "GPU" not in key[1]
    ]
    table = Table(("region", "quota", words.before, words.after), rows)
    folded = len(rows) > _ROWS_UNFOLDED
    title = "Other quota needed, with everything scaled out"
    return Section("quotas", title, table=table, folded=folded) if rows else None


def _count(number: float | None) -> str:
    return "not known yet" if number is None else f"{number:,.0f}"


def components(plan: Plan, words: Words) -> Section | None:
    """Return what changes in each component, where most is at stake first."""
    found: defaultdict[str, list[Step]] = defaultdict(list)
    for each in plan.changes:
        found[plan.component_of(each)].append(each)
    ordered = sorted(
        found.items(), key=lambda row: (min(CHANGES.index(s.operation) for s in row[1]), row[0])
    )
    rows = [(name, count_operations(steps, words), _kinds(steps)) for name, steps in ordered]
    table = Table(("component", "what", "of which kinds"), rows)
    title = f"By component ({len(rows)})"
    folded = len(rows) > _ROWS_UNFOLDED
    return Section("components", title, table=table, folded=folded) if rows else None


def _kinds(steps: Sequence[Step]) -> str:
    counts = Counter(kind_of(each.type) for each in steps)
    shown = [f"{count} {kind}" for kind, count in counts.most_common(_KINDS)]
    rest = len(counts) - len(shown)
    return ", ".join([*shown, plural(rest, "other kind")] if rest > 0 else shown)


def resources(plan: Plan, words: Words) -> Section | None:
    """Return each resource that changes."""
    rows = [
        (
            words.operations[each.operation],
            kind_of(each.type),
            each.name,
            ", ".join(_values(each)),
        )
        for each in plan.changes
    ]
    table = Table(("what", "kind", "name", f"{words.before} → {words.after}"), rows)
    title = f"By resource ({len(rows)})"
    return Section("resources", title, table=table, folded=True) if rows else None


def _values(step: Step) -> Iterator[str]:
    """Yield what changes of a step, with values where they are numbers or well-known words."""
    # What moves within a set counts as changed at its old place, where something alike may be now.
    different = [path for path in step.changed if len({*map(repr, step.values(path))}) > 1]
    paths = different or step.changed
    for path in paths[:_SHOWN_VALUES]:
        before, after = map(_shown, step.values(path))
        yield f"`{path}`{f' {before} → {after}' if before and after else ''}"
    if len(paths) > _SHOWN_VALUES:
        yield f"{len(paths) - _SHOWN_VALUES} more"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Absence):
        return value.value
    found = show(value)
    return "" if found == "(value not shown)" else found


def time(plan: Plan) -> Section | None:
    """Return the chain of steps that an update waits for."""
    found = duration(plan)
    rows = [
        (
            each.label,
            format_minutes(*found.steps[each.urn].begin),
            format_minutes(*found.steps[each.urn].end),
        )
        for each in found.chain
    ]
    line = (
        "An estimate: the longest chain of steps that wait for each other, by the times of "
        f"catalog/durations.yaml of {as_of()}. A cloud without room takes longer."
    )
    table = Table(("step", "begins after", "done after"), rows)
    title = "What takes the time"
    return Section("time", title, (line,), table, folded=True) if rows else None

"""What an operation makes anew, and what goes down with it."""

from collections import Counter
from collections.abc import Iterable

from launcher.progress import short_type
from plans.plan import Plan, Step


def replacements_section(plan: Plan) -> str:
    """Name each replacement by what changed, with the resources that go because they need it."""
    replaced = [each for each in plan.changes if each.operation == "replace"]
    taken = {each.urn: plan.with_it(each) for each in replaced}
    below = {other.urn for others in taken.values() for other in others}
    lines = [
        f"  {short_type(each.type)} {each.name} [{', '.join(each.changed)}]"
        f"{_with(taken[each.urn])}\n"
        for each in replaced
        if each.urn not in below
    ]
    return f"Replaced, with what goes down meanwhile:\n{''.join(lines)}" if lines else ""


def _with(others: Iterable[Step]) -> str:
    types = Counter(short_type(each.type) for each in others)
    counted = ", ".join(f"{count} {name}" for name, count in sorted(types.items()))
    return f": with it {counted}" if counted else ""

"""What an operation makes anew, and what goes down with it."""

from collections import Counter
from collections.abc import Iterable

from launcher.progress import short_type
from plans.plan import Plan, Step


def replacements_section(plan: Plan) -> str:
    """Name each replacement by what changed, with the resources that go because they need it."""
    lines = [
        f"  {short_type(each.type)} {each.name} [{', '.join(each.changed)}]{_with(others)}\n"
        for each, others in plan.taking("replace")
    ]
    return f"Replaced, with what goes down meanwhile:\n{''.join(lines)}" if lines else ""


def _with(others: Iterable[Step]) -> str:
    types = Counter(short_type(each.type) for each in others)
    counted = ", ".join(f"{count} {name}" for name, count in sorted(types.items()))
    return f": with it {counted}" if counted else ""

"""The longest steps of an update as bars beside each other."""

from collections.abc import Iterator
from html import escape
from typing import Final

from plans.duration import duration, format_minutes
from plans.html import scrolling, text
from plans.plan import Plan

_BARS: Final = 40
_SIGNIFICANT_MINUTES: Final = 0.5


def timeline(plan: Plan) -> str:
    """Return the bars as HTML, or '' where every step is short."""
    return "".join(_bars(plan))


def _bars(plan: Plan) -> Iterator[str]:
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
            f'<div class="bar"><span>{text(each.label)}</span>'
            f'<svg role="img" aria-label="{escape(told)}">{most}{least}</svg></div>'
        )
    more = f"<p>and {len(long) - _BARS} shorter ones</p>" if len(long) > _BARS else ""
    yield scrolling(f'<div class="bars">{bars}{more}</div>', "Timeline")

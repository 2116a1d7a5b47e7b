"""What a reader sees of an estimate."""

from datetime import date

from cost.model import Estimate, Line, Unpriced
from cost.report import render


def line(name: str, maximum: float) -> Line:
    return Line(f"urn::{name}", name, "nodes", 0, maximum / 2, maximum)


def test_largest_first_rest_summed_and_nothing_hidden() -> None:
    lines = tuple(line(f"pool{index}", 100.0 * index) for index in range(1, 13))
    estimate = Estimate(
        minimum=0,
        expected=3900,
        maximum=7800,
        lines=lines,
        unpriced=(
            Unpriced("urn::t", "work", "t", "billed by published TiB", by_usage=True),
            Unpriced("urn::p", "odd", "t", "there is no price for x", by_usage=False),
        ),
        assumptions=("list prices",),
        as_of=date(2026, 11, 1),
    )
    rows = render(estimate).splitlines()
    assert rows[0].split() == ["USD", "per", "month", "minimum", "expected", "maximum"]
    assert rows[1].split() == ["pool12:", "nodes", "0", "600", "1,200"]
    assert rows[11].split() == ["2", "more", "0", "150", "300"]
    assert rows[12].split() == ["total", "0", "3,900", "7,800"]
    assert rows[13:] == [
        "Not priced:",
        "  there is no price for x: odd",
        "Billed by use, not in the totals:",
        "  billed by published TiB: work",
        "  * list prices",
    ]


def test_small_amounts_keep_their_cents() -> None:
    estimate = Estimate(0.2, 0.2, 0.2, (line("zone", 0.2),), (), (), date(2026, 11, 1))
    assert "0.20" in render(estimate)

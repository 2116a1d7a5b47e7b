"""The page of a rehearsal."""

import asyncio
import re
from datetime import date
from pathlib import Path

import pytest

from plans.rehearsed import FAILED, PASSED, SKIPPED, Rehearsed, facts, headline, page
from tests.plans.chromium import PROGRAM, opened
from tests.plans.documents import CLUSTER, POOL, Document, gpu_pool
from tests.plans.test_comment import PLANTED

TODAY = date(2026, 11, 30)
NARROW = 360


def stages() -> list[Rehearsed]:
    document = Document()
    cluster = document.step("create", CLUSTER, "main", None, {"name": "main"})
    document.step("create", POOL, "l4", None, gpu_pool(2), needs=[cluster])
    made = Rehearsed("up", "Made", "From nothing.", PASSED, plan=document.plan(), today=TODAY)
    document = Document()
    document.step("replace", POOL, "l4", gpu_pool(2), gpu_pool(2, spot=True), changed=["spot"])
    replaced = Rehearsed(
        *("nodes", "Other nodes", "Spot nodes now.", PASSED),
        config=("@@ -1 +1 @@", f"-  pool: {PLANTED}<b>", "+  pool: spot"),
        plan=document.plan(),
        troubles=("quota: ask for more",),
        stops=("Deployment qwen stops",),
        today=TODAY,
    )
    skipped = Rehearsed("region", "A region is lost", "", SKIPPED, reason="there is one alone")
    failed = Rehearsed("destroy", "Destroyed", "", FAILED, reason="x is in use")
    return [made, replaced, skipped, failed]


def test_what_failed_and_what_was_not_rehearsed_is_told_first() -> None:
    found = stages()
    assert headline("dev", found) == "dev: rehearsed, 3 steps, 1 step failed"
    told = [*facts(found)]
    assert told[0] == "**Failed: Destroyed.** x is in use"
    assert told[1] == "**Not rehearsed: A region is lost**, as there is one alone."
    assert any("stops serving in: other nodes" in each for each in told)


def test_what_is_replaced_costs_twice_while_both_stand() -> None:
    _, replaced, *_ = stages()
    assert replaced.costs
    assert replaced.meanwhile
    sides = (replaced.costs.before, replaced.costs.after)
    assert replaced.meanwhile.expected == pytest.approx(sum(each.expected for each in sides))
    assert "While the old and the new stand" in page("dev", [replaced])


def test_the_page_shows_the_chain_and_what_a_wait_costs() -> None:
    made, *_ = stages()
    text = page("dev", [made])
    assert re.search(r"<td>Cluster main</td>.*<td>NodePool l4</td>", text)
    assert "without this wait, sooner by" in text


def test_the_page_needs_nothing_else() -> None:
    text = page("dev", stages())
    assert not re.search(r"<script|<b>|<link|\bsrc=|@import|url\(", text)
    assert '<span class="make">+  pool: spot</span>' in text


def test_the_page_works_in_a_browser(tmp_path: Path) -> None:
    if PROGRAM is None:
        pytest.skip("NOT RUN: no Chromium on PATH; Debian and Ubuntu: apt-get install chromium")
    file = tmp_path / "page.html"
    file.write_text(page("dev", stages()))
    asyncio.run(_seen(file, tmp_path / "chromium"))


async def _seen(file: Path, folder: Path) -> None:
    async with opened(file, folder) as shown:
        await shown.value("document.querySelectorAll('details').forEach(each => each.open = true)")
        for width in (1200, NARROW):
            await shown.resize(width)
            assert await shown.value("document.documentElement.scrollWidth") == width
        assert await shown.value(
            "[...document.querySelectorAll('nav a')].every("
            "a => document.getElementById(a.hash.slice(1)))"
        )
        assert shown.said in ([], [file.as_uri()])

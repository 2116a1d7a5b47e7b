"""The page: the picture, and that it works for those who have a keyboard or a narrow screen."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from plans import drawing, mermaid, page
from plans.picture import MODELS_SHOWN, models_changed, picture_of
from plans.plan import Plan
from plans.report import report_of
from tests.plans.chromium import PROGRAM, Page, opened
from tests.plans.documents import CLUSTER, POOL, Document, gpu_pool
from tests.plans.test_comment import PLANTED, judged

TODAY = date(2026, 11, 29)
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
NARROW = 360


def serving(models: int, operation: str = "same") -> Plan:
    """Return a plan with a Gateway and so many models behind it."""
    document = Document()
    document.step("same", PERIMETER, "perimeter", {}, {})
    document.step("same", CLUSTER, "main", {}, {"location": "us-central1"})
    document.step("update", POOL, "l4", gpu_pool(2), gpu_pool(100))
    place = {"namespace": "inference"}
    gateway = {
        "metadata": {"name": "gateway", **place},
        "spec": {
            "gatewayClassName": "gke-l7-rilb",
            "listeners": [{"name": "https", "protocol": "HTTPS", "port": 443}],
        },
    }
    kinds = "kubernetes:gateway.networking.k8s.io/v1"
    document.step("same", f"{kinds}:Gateway", "gateway", gateway, gateway)
    for index in range(models):
        name = f"model-{index}"
        pool = {
            "metadata": {"name": name, **place},
            "spec": {
                "selector": {"matchLabels": {"app": name}},
                "targetPorts": [{"number": 8000}],
                "endpointPickerRef": {"name": f"{name}-epp", "port": {"number": 9002}},
            },
        }
        container = {"name": "vllm", "args": [f"--served-model-name={name}"]}
        server = {
            "metadata": {"name": name, **place},
            "spec": {
                "replicas": 1,
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"nodeSelector": {"pool": "l4"}, "containers": [container]},
                },
            },
        }
        match = {"type": "Exact", "name": "x-gateway-model-name", "value": name}
        backend = {"group": "inference.networking.k8s.io", "kind": "InferencePool", "name": name}
        route = {
            "metadata": {"name": name, **place},
            "spec": {
                "parentRefs": [{"name": "gateway"}],
                "hostnames": ["inference.example"],
                "rules": [{"matches": [{"headers": [match]}], "backendRefs": [backend]}],
            },
        }
        old: dict[str, Any] | None = None if operation == "create" else {}
        for kind, inputs in (
            ("kubernetes:inference.networking.k8s.io/v1:InferencePool", pool),
            ("kubernetes:apps/v1:Deployment", server),
            (f"{kinds}:HTTPRoute", route),
        ):
            document.step(operation, kind, name, old, inputs)
    return document.plan()


def test_few_models_are_drawn_one_by_one_with_what_becomes_of_them():
    picture = picture_of(serving(2, "create"))
    told = {(each.kind, each.label): each.state for each in picture.nodes.values()}
    assert told["model", "model-0"] == told["model", "model-1"] == "create"
    assert told["GPU nodes", "l4"] == "update"
    assert told["Gateway", "gateway"] == "same"
    assert "class" in mermaid.render(picture)


def test_a_model_that_a_region_loses_is_told_though_another_serves_it():
    document = Document()
    kinds = "kubernetes:gateway.networking.k8s.io/v1"
    for region, operation in (("us-central1", "same"), ("us-east4", "delete")):
        address = {"region": region, "name": region, "addressType": "INTERNAL"}
        document.step("same", "gcp:compute/address:Address", region, address, address)
        place = {"namespace": region}
        gateway = {
            "metadata": {"name": region, **place},
            "spec": {
                "gatewayClassName": "gke-l7-rilb",
                "listeners": [{"name": "https", "protocol": "HTTPS", "port": 443}],
                "addresses": [{"type": "NamedAddress", "value": region}],
            },
        }
        match = {"type": "Exact", "name": "x-gateway-model-name", "value": "qwen"}
        route = {
            "metadata": {"name": "qwen", **place},
            "spec": {
                "parentRefs": [{"name": region}],
                "rules": [{"matches": [{"headers": [match]}], "backendRefs": [{"name": "qwen"}]}],
            },
        }
        document.step(operation, f"{kinds}:Gateway", region, gateway, gateway)
        document.step(operation, f"{kinds}:HTTPRoute", f"qwen-{region}", route, route)
    assert models_changed(document.plan()) == ([], ["qwen in us-east4"])


def test_many_models_are_drawn_by_the_nodes_they_run_on():
    picture = picture_of(serving(100))
    assert MODELS_SHOWN < 100
    assert {each.kind for each in picture.nodes.values()} == {"Gateway", "GPU nodes"}
    assert list(picture.edges.values()) == ["100 models"]


def test_the_picture_has_a_box_for_the_perimeter_and_each_region():
    text = drawing.dot(picture_of(serving(1)))
    assert '"cluster perimeter" { label="VPC Service Controls perimeter"' in text
    drawn = drawing.svg(picture_of(serving(1)), 'a "b" <c>')
    assert "model-0" in unescape(drawn)
    assert 'aria-label="a &quot;b&quot; &lt;c>"' in drawn
    assert "<?xml" not in drawn


def test_labels_are_text_to_graphviz_and_to_mermaid():
    document = Document()
    document.step("create", "gcp:storage/bucket:Bucket", 'a"]; x -> y <b>\\', None, {})
    picture = picture_of(document.plan())
    assert "&lt;b&gt;" in drawing.svg(picture, "")
    assert '"]' not in mermaid.render(picture).replace('"]\n', "")


def test_without_a_layout_the_page_says_so(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> str:
        raise drawing.DrawingError("no Graphviz")

    monkeypatch.setattr(page, "svg", refuse)
    plan = serving(1)
    text, refused = page.render(report_of(plan, judged(), TODAY), plan, judged())
    assert refused == "no Graphviz"
    assert "There is no picture: no Graphviz" in text


@pytest.mark.parametrize(("operation", "first"), [("delete", "going"), ("create", "picture")])
def test_what_is_taken_away_comes_before_the_picture(operation: str, first: str):
    plan = serving(1, operation)
    shown, _ = page.render(report_of(plan, None, TODAY), plan, None)
    assert re.findall(r'<(?:section|details) id="(\w+)"', shown)[0] == first


def test_the_page_needs_nothing_else_and_shows_no_secret():
    document = Document()
    planted = {"envs": [{"name": "KEY", "value": PLANTED}], "image": f"<script>{PLANTED}"}
    document.step("update", "gcp:cloudrunv2/service:Service", "<b>run</b>", {}, planted)
    plan = document.plan()
    text, refused = page.render(report_of(plan, judged(), TODAY), plan, judged())
    assert refused == ""
    assert not re.search(r"<script|<b>|<link|\bsrc=|@import|url\(", text)
    assert PLANTED not in text


@pytest.mark.parametrize("models", [3, 100])
def test_the_page_works_in_a_browser(
    models: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if PROGRAM is None:
        pytest.skip("NOT RUN: no Chromium on PATH; Debian and Ubuntu: apt-get install chromium")
    plan = serving(models, "create")
    file = tmp_path / "page.html"
    text, _ = page.render(report_of(plan, judged("a finding " * 50), TODAY), plan, judged())
    file.write_text(text)
    asyncio.run(_seen(file, tmp_path / "chromium", (_whole, _narrow, _by_keyboard)))


async def _seen(
    file: Path, folder: Path, checks: tuple[Callable[[Page], Awaitable[None]], ...]
) -> None:
    async with opened(file, folder) as shown:
        for check in checks:
            await check(shown)
        # Nothing was asked of anyone, and nothing went wrong.
        assert shown.said in ([], [file.as_uri()])


async def _whole(shown: Page) -> None:
    await shown.resize(1200)
    assert await shown.value("document.querySelectorAll('h1').length") == 1
    assert await shown.value(
        "[...document.querySelectorAll('nav a')].every("
        "a => document.getElementById(a.hash.slice(1)))"
    )
    # Each text of the picture is within its own box.
    assert await shown.value(
        "[...document.querySelectorAll('.picture .node')].every(node => {"
        " const [box, ...texts] = [...node.querySelectorAll('path, text')];"
        " const outer = box.getBoundingClientRect();"
        " return texts.every(text => text.getBoundingClientRect().width <= outer.width + 1) })"
    )


async def _narrow(shown: Page) -> None:
    await shown.resize(NARROW)
    await shown.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert await shown.value("document.documentElement.scrollWidth") == NARROW
    await shown.value("document.querySelectorAll('details').forEach(each => each.open = false)")


async def _by_keyboard(shown: Page) -> None:
    await shown.resize(1200)
    await shown.value("window.scrollTo(0, 0); document.activeElement.blur()")
    await shown.press("Tab")
    assert await shown.value("document.activeElement.className") == "skip"
    for _ in range(60):
        await shown.press("Tab")
        if await shown.value("document.activeElement.matches('details > summary')"):
            break
    await shown.press("Enter", "\r")
    assert await shown.value("document.activeElement.parentElement.open")
    style = "getComputedStyle(document.activeElement).outlineStyle"
    assert await shown.value(style) == "solid"

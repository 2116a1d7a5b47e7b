"""The page a demo leaves: every message with what became of it."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from emulator.demo.checks import Check
from emulator.demo.pipelines import Pipeline
from emulator.pages import STYLE, table
from emulator.runtime.emulator import Emulator


def write_page(
    file: Path,
    emulator: Emulator,
    done: Sequence[Pipeline],
    checks: Sequence[Check],
    replies: Sequence[str],
) -> None:
    """Write the page."""
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Demo</title>",
        f"<style>{STYLE}</style><h1>What went where</h1>",
        "<p>Times of retries and archives are the stack's own; waits were left out. ",
        "The LLM answers come from a deterministic stand-in, not from a model.</p>",
        _counts(checks),
    ]
    for pipeline in done:
        parts += [f"<h2>{escape(pipeline.name)}</h2>", _messages(emulator, pipeline)]
        files = [str(file.relative_to(emulator.home)) for file in pipeline.files]
        listed = "".join(f"<li>{escape(name)}</li>" for name in files)
        parts.append(f"<h3>Archive</h3><ul>{listed or '<li>none in the stack</li>'}</ul>")
        refused = "".join(f"<li>{escape(why)}</li>" for why in pipeline.refused)
        parts.append(f"<h3>Refused by the topic</h3><ul>{refused or '<li>nothing</li>'}</ul>")
    if replies:
        parts += ["<h2>Chat</h2>", _listed(replies)]
    file.write_text("\n".join(parts))


def add_requests(
    file: Path, requests: Path, checks: Sequence[Check], replies: Sequence[str]
) -> None:
    """Add to the page what services got from the gateway, and a link to the page of requests to
    it."""
    parts = [
        "\n<h2>Its large models</h2>",
        f'<p><a href="{escape(requests.name)}">Where each request went</a>. ',
        "The model servers are simulated.</p>",
        _counts(checks),
        _listed(replies),
    ]
    with file.open("a") as page:
        page.write("\n".join(parts))


def _listed(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _counts(checks: Sequence[Check]) -> str:
    return table(
        ("where", "what", "found", "wanted", ""),
        (
            (check.where, check.what, check.found, check.wanted, "ok" if check.good else "WRONG")
            for check in checks
        ),
    )


def _messages(emulator: Emulator, pipeline: Pipeline) -> str:
    rows = {row["message_id"]: row for row in pipeline.rows(emulator)}
    attempts, dead = emulator.broker.attempts(pipeline.push.id), pipeline.dead(emulator)
    texts = {**pipeline.good, **pipeline.poison, **pipeline.held}
    lines: list[tuple[object, ...]] = []
    for id_, text in texts.items():
        output: dict[str, Any] = rows.get(id_, {}).get("output") or {}
        state = "dead letter" if id_ in dead else "prediction" if id_ in rows else "neither"
        if id_ in pipeline.held and id_ not in attempts:
            state = "held back by the filter"
        again = " (delivered again)" if id_ in pipeline.repeated else ""
        label, score = output.get("label", ""), output.get("score", "")
        lines.append((id_, text, label, score, attempts.get(id_, 0), f"{state}{again}"))
    return table(("message", "content", "label", "score", "deliveries", "ended as"), lines)

"""Judges what is deployed: an exported state, without the engine or the program."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from policies.engine.config import Settings
from policies.engine.event_log import pack_record, resource_record, stack_record
from policies.engine.judge import Judge
from policies.engine.packs import ALL
from policies.engine.rule import AnyRule
from policies.engine.wire import unwrapped
from policies.reports.run import Run, of_records
from resources.resource import Resource, Stack


class StateError(ValueError):
    """A file that is no exported state; says what to give instead."""


def read(path: Path) -> list[dict[str, Any]]:
    """The resources of `pulumi stack export`, or of a checkpoint of a file backend."""
    hint = "give the output of `pulumi stack export`"
    try:
        document: object = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StateError(f"{path}: cannot be read as JSON: {error}; {hint}") from error
    for key in ("checkpoint", "latest", "deployment"):
        if isinstance(document, dict) and key in document:
            document = cast("dict[str, object]", document)[key]
    if not isinstance(document, dict) or "manifest" not in document:
        raise StateError(f"{path}: holds no deployment; {hint}")
    return cast("dict[str, Any]", document).get("resources") or []


def judge(
    exported: Sequence[Mapping[str, Any]],
    rules: Sequence[AnyRule],
    settings: Mapping[str, Settings],
    today: dt.date | None = None,
) -> Run:
    """What the rules say of the resources: resource rules of inputs, stack rules of outputs."""
    return of_records(_records(exported, rules, settings, today))


def _records(
    exported: Sequence[Mapping[str, Any]],
    rules: Sequence[AnyRule],
    settings: Mapping[str, Settings],
    today: dt.date | None,
) -> Iterator[dict[str, Any]]:
    decider = Judge(rules, settings, today)
    yield pack_record(ALL, rules, settings)
    alive = [each for each in exported if not each.get("delete")]
    for each in alive:
        resource = _resource(each, "inputs")
        results = decider.resource(resource)
        yield resource_record(resource.urn, resource.type, resource.name, results)
    stack = Stack(_resource(each, "outputs") for each in alive)
    yield stack_record(stack, decider.stack_rules, decider.stack(stack), decider.notes())


def _resource(exported: Mapping[str, Any], props: str) -> Resource:
    urn = str(exported.get("urn", ""))
    wired: Mapping[str, Sequence[str] | None] = exported.get("propertyDependencies") or {}
    found = unwrapped(exported.get(props) or exported.get("inputs") or {})
    return Resource(
        str(exported.get("type", "")),
        urn.rpartition("::")[2],
        urn,
        cast("dict[str, object]", found),
        {name: tuple(urns) for name, urns in wired.items() if urns},
        protected=exported.get("protect") is True,
        provider=str(exported.get("provider") or "").rpartition("::")[0],
    )

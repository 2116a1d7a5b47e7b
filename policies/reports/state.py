"""Judges what is deployed: an exported state, without the engine or the program."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policies.engine.config import Settings
from policies.engine.event_log import pack_record, resource_record, stack_record
from policies.engine.judge import Judge
from policies.engine.packs import ALL
from policies.reports.run import Run, of_records
from policies.shared.rule import AnyRule
from resources.exports import Exported, deployed, remaining, resource_of


def judge(
    exported: Sequence[Exported],
    rules: Sequence[AnyRule],
    settings: Mapping[str, Settings],
    today: dt.date | None = None,
) -> Run:
    """Return what the rules say of the resources: resource rules of inputs, stack rules of
    outputs."""
    return of_records(_records(exported, rules, settings, today))


def _records(
    exported: Sequence[Exported],
    rules: Sequence[AnyRule],
    settings: Mapping[str, Settings],
    today: dt.date | None,
) -> Iterator[dict[str, Any]]:
    judge = Judge(rules, settings, today)
    yield pack_record(ALL, rules, settings)
    for each in remaining(exported):
        resource = resource_of(each, "inputs")
        results = judge.resource(resource)
        yield resource_record(resource.urn, resource.type, resource.name, results)
    stack = deployed(exported)
    yield stack_record(stack, judge.stack_rules, judge.stack(stack), judge.notes())

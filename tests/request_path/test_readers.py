"""What is deployed, read by those that will read it: vLLM, Prometheus, BigQuery, Monitoring."""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

import promql_parser
import pytest
import sqlglot
from sqlglot.errors import ParseError

from catalog import releases, vllm_options
from catalog.vllm_options import OPTIONS
from components.inference.vllm import COMMAND, MULTI_NODE_COMMAND
from tests.engine.conftest import Rehearsal

STACKS = ("dev", "prod")
_IN_THE_PATH = {"project", "service", "serviceId", "sloId", "__defaults"}
MONITORING_API = Path(__file__).with_name("monitoring_api.py")


class RefusedError(Exception):
    """The parser's words."""


class Server(argparse.ArgumentParser):
    """The argument parser of vLLM's server, rebuilt from what its own one was asked."""

    def __init__(self) -> None:
        super().__init__(allow_abbrev=False)
        self.add_argument("model_tag", nargs="?")
        for name, option in OPTIONS.items():
            self.add_argument(f"--{name}", **self._shape(option.kind), **self._values(name))

    @staticmethod
    def _shape(kind: str) -> dict[str, Any]:
        shapes: dict[str, dict[str, Any]] = {
            "switch": {"action": argparse.BooleanOptionalAction},
            "flag": {"action": "store_true"},
            "list": {"nargs": "+"},
            "integer": {"type": int},
            "number": {"type": float},
            "json": {"type": json.loads},
        }
        return shapes.get(kind, {})

    @staticmethod
    def _values(name: str) -> dict[str, Any]:
        option = OPTIONS[name]
        if not option.choices:
            return {}
        whole = option.kind == "integer"
        return {"choices": [int(each) if whole else each for each in option.choices]}

    def error(self, message: str) -> NoReturn:
        raise RefusedError(message)


def _containers(resources: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every container in any object, however deep."""
    waiting: list[Any] = [resource.get("inputs", {}) for resource in resources]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield from found.get("containers", [])
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found


def test_the_options_are_those_of_the_release_in_use() -> None:
    assert releases.IMAGES["vllm"].image.endswith(f":v{vllm_options.VERSION}")


@pytest.mark.parametrize("stack", STACKS)
def test_vllm_takes_every_argument_list(stack: str, rehearsals: dict[str, Rehearsal]) -> None:
    commands = (list(COMMAND), list(MULTI_NODE_COMMAND))
    servers = [
        each
        for each in _containers(rehearsals[stack].resources())
        if each.get("command") in commands
    ]
    assert servers
    for container in servers:
        # The kubelet puts the value of a variable there: a number, or an address.
        args = [re.sub(r"\$\(\w+\)", "1", arg) for arg in container["args"]]
        read = Server().parse_args(args)
        assert read.model or read.model_tag


@pytest.mark.parametrize(
    "args",
    [["--swap-space=4"], ["--tensor-parallel-size=two"], ["--dtype=int4"], ["--no-headless"]],
)
def test_vllm_refuses_what_it_does_not_know(args: list[str]) -> None:
    with pytest.raises(RefusedError):
        Server().parse_args(args)


def _texts(value: Any, key: str) -> Iterator[str]:
    """Every text under a key, also in documents that are texts themselves."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if name == key and isinstance(item, str):
                yield item
            elif name == "dashboardJson":
                yield from _texts(json.loads(item), key)
            else:
                yield from _texts(item, key)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _texts(item, key)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize(
    ("type_", "key"),
    [
        ("gcp:monitoring/alertPolicy:AlertPolicy", "query"),
        ("gcp:monitoring/dashboard:Dashboard", "prometheusQuery"),
    ],
)
def test_prometheus_takes_every_query(
    stack: str, type_: str, key: str, rehearsals: dict[str, Rehearsal]
) -> None:
    queries = [
        text
        for resource in rehearsals[stack].resources(type_)
        for text in _texts(resource["inputs"], key)
    ]
    assert len(queries) > 5
    for query in queries:
        promql_parser.parse(query)


def test_prometheus_refuses_what_is_no_query() -> None:
    with pytest.raises(ValueError):
        promql_parser.parse("rate(up) by")


def test_bigquery_takes_every_view(rehearsals: dict[str, Rehearsal]) -> None:
    views = [
        text
        for table in rehearsals["prod"].resources("gcp:bigquery/table:Table")
        for text in _texts(table["inputs"], "query")
    ]
    assert views
    for view in views:
        assert len(sqlglot.parse(view, dialect="bigquery")) == 1
    with pytest.raises(ParseError):
        sqlglot.parse(f"{views[0]} GROUP", dialect="bigquery")


def _refusals(documents: Sequence[tuple[str, str]]) -> list[str | None]:
    """Return what Cloud Monitoring's API says of each document."""
    answer = subprocess.run(
        [sys.executable, MONITORING_API],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def _monitored(resource: dict[str, Any]) -> tuple[str, str] | None:
    """Return the type and document that the provider sends, the project being in its path."""
    module, _, type_ = resource["type"].rpartition(":")
    if not module.startswith("gcp:monitoring/"):
        return None
    inputs: dict[str, Any] = resource["inputs"]
    own = {name: value for name, value in inputs.items() if name not in _IN_THE_PATH}
    if type_ == "Slo":
        own["rollingPeriod"] = f"{own.pop('rollingPeriodDays') * 86400}s"
        own["serviceLevelIndicator"] = {"requestBased": own.pop("requestBasedSli")}
    return type_, own.get("dashboardJson") or json.dumps(own)


def test_monitoring_takes_every_dashboard_alert_channel_and_objective(
    rehearsals: dict[str, Rehearsal],
) -> None:
    found = [
        document
        for stack in STACKS
        for resource in rehearsals[stack].resources()
        if (document := _monitored(resource))
    ]
    assert {type_ for type_, _ in found} == {
        *("AlertPolicy", "CustomService", "Dashboard", "NotificationChannel", "Slo")
    }
    assert _refusals(found) == [None] * len(found)


def test_monitoring_refuses_a_field_that_it_does_not_have() -> None:
    documents = [
        ("AlertPolicy", '{"displayName": "a", "treshold": 1}'),
        ("Dashboard", '{"mosaicLayout": {"tiles": [{"widget": {"xyCharts": {}}}]}}'),
        ("AlertPolicy", '{"combiner": "XOR"}'),
        ("NotificationChannel", '{"enabled": "yes"}'),
        ("Slo", '{"goal": 0.9, "rollingPeriodDays": 28}'),
    ]
    assert None not in _refusals(documents)

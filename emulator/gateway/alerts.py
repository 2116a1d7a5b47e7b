"""Which alerts of a stack fire, as Prometheus' own engine evaluates their queries.

A minute of the alerts takes `MINUTE_SECONDS`: queries look at minutes, and nobody waits an hour for
a test. promtool is the engine: https://prometheus.io/docs/prometheus/latest/configuration/
unit_testing_rules/.
"""

import json
import subprocess
import time
from collections.abc import Collection as Names
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from emulator.gateway.collection import Collection, Series
from emulator.gateway.programs import ENGINE
from sandbox.world import World

PROMTOOL: Final = ENGINE / "prometheus" / "promtool"
MINUTE_SECONDS: Final = 0.25
SPEED: Final = 60 / MINUTE_SECONDS
"""Of the clock of model servers, so that their seconds are those of the alerts."""
_POLICY: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_CONDITION: Final = "conditionPrometheusQueryLanguage"
_INTERVAL: Final = "1m"
_NONE: Final = "_"
"""How promtool writes that a series has no sample."""


def rules(cloud: World, title: str) -> list[dict[str, Any]]:
    """Return the stack's alerts on PromQL whose titles begin so, as rules of Prometheus."""
    return [
        {
            "alert": condition["displayName"],
            "expr": condition[_CONDITION]["query"],
            "for": condition[_CONDITION]["duration"],
        }
        for policy in cloud.by_type(_POLICY)
        for condition in policy.inputs["conditions"]
        if _CONDITION in condition and policy.inputs["displayName"].startswith(f"{title}: ")
    ]


class Recording:
    """The series of a request path, a sample of each a minute."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._samples: dict[Series, list[str]] = {}
        self._minutes = 0

    def minutes(self, count: int) -> None:
        """Record so many minutes."""
        end = time.monotonic()
        for _ in range(count):
            for series, value in self._collection.read():
                samples = self._samples.setdefault(series, [])
                samples += [_NONE] * (self._minutes - len(samples))
                samples.append(f"{value:g}" if value < 1e6 else repr(value))
            self._minutes += 1
            end += MINUTE_SECONDS
            time.sleep(max(0.0, end - time.monotonic()))

    def mismatch(self, given: list[dict[str, Any]], expected: Names[str], folder: Path) -> str:
        """Return what promtool says if others than the expected alerts have ever fired; else
        nothing."""
        written = folder / "rules.json"
        written.write_text(json.dumps({"groups": [{"name": "stack", "rules": given}]}))
        query = (
            f'group by (alertname) (max_over_time(ALERTS{{alertstate="firing"}}[{self._minutes}m]))'
        )
        wanted = [{"labels": f"{{alertname={json.dumps(name)}}}", "value": 1} for name in expected]
        test = {
            "interval": _INTERVAL,
            "input_series": list(self._written()),
            "promql_expr_test": [
                {"expr": query, "eval_time": f"{self._minutes - 1}m", "exp_samples": wanted}
            ],
        }
        tests = folder / "tests.json"
        document = {
            "rule_files": [written.name],
            "evaluation_interval": _INTERVAL,
            "tests": [test],
        }
        tests.write_text(json.dumps(document))
        run = subprocess.run(
            [PROMTOOL, "test", "rules", tests], capture_output=True, text=True, check=False
        )
        return "" if run.returncode == 0 else f"{run.stdout}\n{run.stderr}"

    def _written(self) -> Iterator[Mapping[str, str]]:
        for (name, labels), samples in self._samples.items():
            inside = ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(labels))
            yield {"series": f"{name}{{{inside}}}", "values": " ".join(samples)}

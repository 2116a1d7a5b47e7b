"""`make load`: requests of guidellm through a stack's request path, and to a replica without it.

What the path costs is the difference: the simulated model servers answer at once.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from catalog.config_folder import make_command
from launcher.console import show
from launcher.deployment import sandbox_resources
from launcher.gateway import request_path
from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError
from request_path.explain import models_in
from request_path.reading import read

PROGRAM: Final = ROOT / ".engine" / "guidellm" / "bin" / "python"
# guidellm asks which models there are; a Gateway that routes by a request's model serves no list.
_RUN: Final = """
from guidellm.__main__ import cli
from guidellm.backend.openai import OpenAIHTTPBackend

async def models(backend):
    return [backend._model]

OpenAIHTTPBackend.available_models = models
cli()
"""
CONCURRENCY: Final = 8
REQUESTS: Final = 400
_PROMPT_WORDS: Final = 60
_SETTINGS: Final = {
    "GUIDELLM__PREFERRED_ROUTE": "chat_completions",
    "GUIDELLM__MAX_WORKER_PROCESSES": "1",
    "GUIDELLM__SCHEDULER_START_DELAY": "0.2",
    "GUIDELLM__LOGGING__CONSOLE_LOG_LEVEL": "ERROR",
    "HF_HUB_OFFLINE": "1",
}
# Row of the table, metric of guidellm's report, which of its figures.
_ROWS: Final = (
    ("requests a second", "requests_per_second", "mean"),
    ("output tokens a second", "output_tokens_per_second", "mean"),
    ("time to first token, p50 ms", "time_to_first_token_ms", "p50"),
    ("time to first token, p99 ms", "time_to_first_token_ms", "p99"),
    ("whole answer, p50 s", "request_latency", "p50"),
    ("whole answer, p99 s", "request_latency", "p99"),
)


@dataclass(frozen=True)
class Load:
    """What guidellm does to one address."""

    model: str
    concurrency: int
    requests: int

    def on(self, url: str, key: str, folder: Path, trust: Path) -> Mapping[str, Any]:
        """Return its report; it trusts the authority of that file.

        Raises LaunchError if it fails, or if any request does.
        """
        prompts, report = folder / "prompts.jsonl", folder / "report.json"
        prompts.write_text("".join(_prompts(self.requests)), encoding="utf-8")
        command = [
            *(PROGRAM, "-c", _RUN, "benchmark", "run", "--target", url, "--model", self.model),
            *("--data", prompts, "--rate-type", "concurrent", "--rate", str(self.concurrency)),
            *("--max-requests", str(self.requests), "--output-path", report),
            *("--output-sampling", "0", "--disable-progress", "--disable-console-outputs"),
        ]
        environment = {
            **os.environ,
            **_SETTINGS,
            "GUIDELLM__OPENAI__API_KEY": key,
            "SSL_CERT_FILE": str(trust),
        }
        run = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        if run.returncode:
            said = "\n".join(run.stderr.splitlines()[-3:])
            raise LaunchError(f"guidellm ended with exit code {run.returncode}:\n{said}")
        (found,) = json.loads(report.read_text(encoding="utf-8"))["benchmarks"]
        totals = found["request_totals"]
        if totals["errored"] or totals["incomplete"]:
            failed = totals["errored"] + totals["incomplete"]
            raise LaunchError(
                f"{failed} of {totals['total']} requests to {self.model} at {url} had no whole "
                "answer: fewer REQUESTS keep within the rate of the consumer whose key is sent; "
                f"`{make_command('serve')}` shows what happens to a request"
            )
        return found["metrics"]


@dataclass(frozen=True)
class Measured:
    """Metrics of the same requests, by the path and to a replica."""

    through: Mapping[str, Any]
    direct: Mapping[str, Any]

    def figures(self, metric: str, figure: str) -> tuple[float, float]:
        """Return one figure of a metric of guidellm's: of the path, and without it."""
        first, second = (each[metric]["successful"] for each in (self.through, self.direct))
        return _value(first, figure), _value(second, figure)


def measured(places: StackPaths, model: str, concurrency: int, requests: int) -> Measured:
    """Measure requests to a model, the first where none is named.

    Raises LaunchError where that can't be done.
    """
    if not PROGRAM.exists():
        raise LaunchError(f"guidellm is missing: `{make_command('load')}` installs it")
    if min(concurrency, requests) < 1:
        raise LaunchError(
            f"CONCURRENCY, REQUESTS: found {concurrency} and {requests}; allowed: 1 or more"
        )
    _check(model, models_in(read(sandbox_resources(places))))
    with request_path(places) as path, tempfile.TemporaryDirectory(prefix="load-") as folder:
        running = path.gateway
        replicas = {name: each for each in running.replicas.values() for name in each.names}
        model = model or next(iter(replicas), "")
        _check(model or "none", replicas)
        replica = replicas[model]
        work, trust = Load(model, concurrency, requests), running.certificate.authority
        show(f"{requests} requests to {model}, {concurrency} at once, twice ...", sys.stderr)
        return Measured(
            work.on(running.url.removesuffix("/v1"), path.key, Path(folder), trust),
            work.on(f"http://{replica.address}:{replica.port}", path.key, Path(folder), trust),
        )


def _check(model: str, there: Iterable[str]) -> None:
    """Raise LaunchError where a model is named that isn't there."""
    allowed = sorted(there)
    if model and model not in allowed:
        told = ", ".join(allowed) or "none: no model is here"
        raise LaunchError(f"MODEL: found {model!r}; allowed: {told}")


def load(places: StackPaths, model: str, concurrency: int, requests: int) -> None:
    """Print throughput and times of requests to a model, the first where none is named."""
    found = measured(places, model, concurrency, requests)
    show(f"{'':30}{'the path':>12}{'direct':>12}{'difference':>12}")
    for title, metric, figure in _ROWS:
        through, direct = found.figures(metric, figure)
        show(f"{title:30}{through:12.3f}{direct:12.3f}{through - direct:12.3f}")


def _value(statistic: Mapping[str, Any], figure: str) -> float:
    return statistic[figure] if figure in statistic else statistic["percentiles"][figure]


def _prompts(count: int) -> Iterator[str]:
    """Yield prompts that have nothing in common, so that no prefix cache helps."""
    for number in range(count):
        text = " ".join(f"word-{number}-{place}" for place in range(_PROMPT_WORDS))
        yield json.dumps({"prompt": text}) + "\n"

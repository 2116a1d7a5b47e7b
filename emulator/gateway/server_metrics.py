"""What a simulated vLLM server counts, under the names, labels and buckets of the real one."""

import time
from collections import Counter as Counts
from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from catalog.metrics import METRICS
from emulator.gateway.kv_cache import BLOCK_TOKENS, BLOCKS

_COUNTER_SUFFIX: Final = "_total"  # which the library appends
# https://github.com/vllm-project/vllm/blob/v0.26.0/vllm/v1/metrics/loggers.py
_BUCKETS: Final = {
    "server_latency": (
        *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0),
        *(120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
    ),
    "server_first_token": (
        *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
        *(10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
    ),
    "server_next_token": (
        *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5),
        *(10.0, 20.0, 40.0, 80.0),
    ),
}
_LABELS: Final = {
    "server_responses": ("handler", "status", "method"),
    "server_requests": ("model_name", "engine", "finished_reason"),
}
_PATH: Final = "/v1/chat/completions"
_KINDS: Final[dict[str, Any]] = {"counter": Counter, "gauge": Gauge}


class ServerMetrics:
    """The metrics of one server, whose own are labelled with its model."""

    def __init__(self, model: str, adapters: Sequence[str], blocks: int = BLOCKS) -> None:
        self._registry = CollectorRegistry()
        self._metrics = {key: self._metric(key) for key in METRICS if _is_server(key)}
        self._own = {"model_name": model, "engine": "0"}
        for key in self._metrics.keys() - _LABELS.keys():
            self._metrics[key] = self._metrics[key].labels(**self._own)
        self._named = frozenset(adapters)
        self._adapters = Gauge(
            "vllm:lora_requests_info",
            "Adapters in use",
            ("max_lora", "running_lora_adapters", "waiting_lora_adapters"),
            registry=self._registry,
        )
        cache = Gauge(
            "vllm:cache_config_info",
            "Its KV cache",
            ("block_size", "num_gpu_blocks", "engine"),
            registry=self._registry,
        )
        cache.labels(str(BLOCK_TOKENS), str(blocks), "0").set(1)

    def answered(self, status: int) -> None:
        """Count an answer by its status."""
        self._metrics["server_responses"].labels(_PATH, f"{status // 100}xx", "POST").inc()

    def generated(self, first: float, seconds: float, tokens: tuple[int, int], why: str) -> None:
        """Count an answer of a model: seconds to its first token and to its end, tokens of prompt
        and answer, and why it ended."""
        prompt, words = tokens
        metrics = self._metrics
        metrics["server_requests"].labels(**self._own, finished_reason=why).inc()
        metrics["server_first_token"].observe(first)
        metrics["server_latency"].observe(seconds)
        for _ in range(words - 1):
            metrics["server_next_token"].observe((seconds - first) / (words - 1))
        metrics["server_prompt_tokens"].inc(prompt)
        metrics["server_generation_tokens"].inc(words)

    def looked_up(self, tokens: int, cached: int) -> None:
        """Count a prompt, and what of it was in the prefix cache."""
        self._metrics["server_prefix_queries"].inc(tokens)
        self._metrics["server_prefix_hits"].inc(cached)

    def text(
        self, others: int, waiting: Counts[str], running: Counts[str], cache_usage: float
    ) -> str:
        """Return what Prometheus reads, with requests that wait and run by their models, others
        that wait, and KV cache in use."""
        for key, value in (
            ("server_waiting", others + waiting.total()),
            ("server_running", running.total()),
            ("server_kv_cache", cache_usage),
        ):
            self._metrics[key].set(value)
        self._adapters.clear()
        used = (",".join(sorted(self._named & {*+each})) for each in (running, waiting))
        self._adapters.labels(str(len(self._named)), *used).set(time.time())
        return generate_latest(self._registry).decode()

    def _metric(self, key: str) -> Any:
        metric = METRICS[key]
        labels = _LABELS.get(key, ("model_name", "engine"))
        if metric.kind == "histogram":
            return Histogram(
                metric.name, key, labels, buckets=_BUCKETS[key], registry=self._registry
            )
        name = metric.name.removesuffix(_COUNTER_SUFFIX)
        return _KINDS[metric.kind](name, key, labels, registry=self._registry)


def _is_server(key: str) -> bool:
    return METRICS[key].source in {"vllm", "vllm_http"}

"""Why a picker chose a replica: the scores that it logs of each request at its debug level."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Final, TextIO

from emulator.gateway.client import Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.serve import Gateway
from emulator.gateway.workloads import program_of

_PICKER: Final = "epp"
_DEBUG: Final = "--v=4"
_SCORE: Final = "Calculated score"
_TOTALS: Final = "Candidate pods for picking"
_REQUEST: Final = "x-request-id"
_RANK: Final = "-rank-"


def explained(cluster: Cluster) -> Cluster:
    """Return the cluster with pickers that log their scores, and are else as they are deployed."""
    return replace(cluster, manifests=tuple(map(_telling, cluster.manifests)))


def _telling(manifest: Manifest) -> Manifest:
    program = program_of(manifest) if manifest["kind"] == "Deployment" else None
    if program is None or program.name != _PICKER:
        return manifest
    spec = manifest["spec"]
    pod = spec["template"]["spec"]
    first, *others = pod["containers"]
    first = {**first, "args": [*first["args"], _DEBUG]}
    template = {**spec["template"], "spec": {**pod, "containers": [first, *others]}}
    return {**manifest, "spec": {**spec, "template": template}}


@dataclass
class _Scored:
    """What a picker made of one request."""

    by_plugin: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """Scores from 0 to 1, by plugin and pod."""
    totals: dict[str, float] = field(default_factory=dict[str, float])
    """By pod, each score as often as its plugin's weight says."""


class Scores:
    """The scores of a Gateway's requests, from its pickers' logs as they grow."""

    def __init__(self, opened: ExitStack, gateway: Gateway) -> None:
        self._logs = [
            opened.enter_context(each.program.log.open(encoding="utf-8"))
            for each in gateway.workloads.values()
        ]
        self._scored: dict[str, _Scored] = {}

    def read(self) -> None:
        """Take what was logged since."""
        for log in self._logs:
            for line in _whole_lines(log):
                if _SCORE in line or _TOTALS in line:
                    self._take(json.loads(line))

    def _take(self, said: Mapping[str, Any]) -> None:
        scored = self._scored.setdefault(said[_REQUEST], _Scored())
        if said["msg"] == _SCORE:
            plugin = said["plugin"].rpartition("/")[2]
            scored.by_plugin.setdefault(plugin, {})[_pod(said["endpoint"]["name"])] = said["score"]
        elif said["msg"] == _TOTALS:
            scored.totals = {
                each["Endpoint"]["PodName"]: each["Score"]
                for each in said["endpoints-weighted-score"]
            }

    def why(self, request: str, pod: str) -> str:
        """Return a pod's scores for a request beside those of the next best, once; empty if no
        picker chose it."""
        scored = self._scored.pop(request, None)
        if scored is None or pod not in scored.totals:
            return ""
        others = sorted(set(scored.totals) - {pod}, key=lambda each: -scored.totals[each])
        parts = ", ".join(f"{name} {of.get(pod, 0):.2g}" for name, of in scored.by_plugin.items())
        if not others:
            return f"scores {scored.totals[pod]:.3g} ({parts}), the only candidate"
        next_best = others[0]
        theirs = ", ".join(f"{of.get(next_best, 0):.2g}" for of in scored.by_plugin.values())
        return (
            f"scores {scored.totals[pod]:.3g} ({parts}), the best of {len(scored.totals)}; "
            f"next {next_best} {scored.totals[next_best]:.3g} ({theirs})"
        )


def _pod(endpoint: str) -> str:
    """Return the pod of an endpoint, of which a pod has one for each of its ports."""
    return endpoint.rpartition(_RANK)[0]


def _whole_lines(log: TextIO) -> Iterator[str]:
    """Yield the lines since the last time, without one that isn't written to its end."""
    while True:
        place = log.tell()
        line = log.readline()
        if not line.endswith("\n"):
            log.seek(place)
            return
        yield line

"""Pickers and router are upgraded from an earlier release while requests come."""

import copy
import math
from collections.abc import Callable
from functools import reduce
from pathlib import Path as Folder

import pytest

from emulator.gateway import serve
from emulator.gateway.changes import change
from emulator.gateway.client import Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.programs import ENGINE
from emulator.gateway.workloads import PROGRAMS
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.kubernetes.asked_path import Path, asked_all_the_time, unlimited

OWN = PROGRAMS["epp"].parent
EARLIER = next(ENGINE.glob(f"{OWN.name}-v*"), None)
UPGRADED = ("epp", "bbr")
ASKED = {"qwen3-4b", "llama-3.3-70b"}
LATER = {"--tracing"}
"""Options that the earlier release has not."""
RENAMED = {
    "fieldName": "field_name",
    "headerName": "header_name",
    "core-metrics-extractor": "model-server-protocol-metrics",
}
"""What the earlier release calls otherwise."""
DEFAULT = {"rollingUpdate": {"maxUnavailable": "25%"}}
"""https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment"""

pytestmark = pytest.mark.skipif(
    bool(serve.missing()) or EARLIER is None,
    reason="NO UPGRADE WAS SERVED: `make test-kubernetes` builds the programs of two releases",
)


def at(cluster: Cluster, release: str) -> Cluster:
    """Return the cluster with pickers and router of an earlier release, and its options."""
    changed = Cluster(cluster.name, copy.deepcopy(cluster.manifests))
    for deployment in changed.of("Deployment"):
        container = deployment["spec"]["template"]["spec"]["containers"][0]
        image, _, _ = container["image"].partition(":")
        if image.rpartition("/")[2] in UPGRADED:
            container["image"] = f"{image}:{release}"
            container["args"] = [
                named_earlier(each)
                for each in container["args"]
                if each.partition("=")[0] not in LATER
            ]
    for config in changed.of("ConfigMap"):
        config["data"] = {name: named_earlier(text) for name, text in config["data"].items()}
    return changed


def named_earlier(text: str) -> str:
    """Return a configuration in the words of the earlier release."""
    return reduce(lambda said, name: said.replace(name, RENAMED[name]), RENAMED, text)


def away(deployment: Manifest) -> int:
    """Return how many pods of a Deployment may be away while it changes."""
    spec = deployment["spec"]
    given = (spec.get("strategy") or DEFAULT)["rollingUpdate"]["maxUnavailable"]
    if isinstance(given, int):
        return given
    return math.floor(spec["replicas"] * int(given.removesuffix("%")) / 100)


# Of prod, some answers were 500 on a busy machine: whether by the upgrade is not known yet.
@pytest.mark.parametrize("stack", ["dev"])
def test_no_request_fails_while_pickers_and_router_are_upgraded(
    stacks: dict[str, list[Cluster]],
    brought_up: Callable[[str], Rehearsal],
    tmp_path: Folder,
    stack: str,
) -> None:
    assert EARLIER is not None
    after = stacks[stack][0]
    before = at(after, EARLIER.name.removeprefix(f"{OWN.name}-"))
    with (
        World(brought_up(stack).places.world) as cloud,
        serve.serve(before, cloud, tmp_path) as gateway,
    ):
        path = unlimited(Path(stack, before, gateway.client, gateway))
        old = {
            name: each
            for name, each in gateway.workloads.items()
            if EARLIER in {Folder(arg).parent for arg in each.program.command}
        }
        assert len(old) == len(list(after.of("InferencePool"))) + 1
        # More at once would wait for the processor longer than the router may take.
        with asked_all_the_time(path, *ASKED & set(gateway.models)):
            change(gateway, after)
        for name, each in old.items():
            assert each.program.process.poll() is not None
            assert gateway.workloads[name] is not each
            assert away(after.one("Deployment", name)) == 0
        gateway.check()

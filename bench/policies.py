"""`python -m bench.policies`: how the policy packs' own time grows with the stack.

A server of every pack is asked as the engine asks: two requests for each resource, then one for the
whole stack. The stack is the shipped prod program's state, made anew as often as it takes; give
its export: `make export STACK=prod > prod.json`, then `python -m bench.policies prod.json`.
"""

import argparse
import gc
import json
import sys
import time
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import psutil
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from bench.measure import MIB, say
from bench.table import pack_growth
from policies.engine.packs import ALL
from policies.engine.server import OBJECTS_BETWEEN_COLLECTIONS, PackServer, add_to_server
from resources.exports import read

SIZES = (500, 1000, 2500, 5000)
MOST_BYTES = 400 * 1024 * 1024


def main() -> None:
    """Measure every size; the figures as a table on standard error, as JSON on standard output."""
    parser = argparse.ArgumentParser(prog="python -m bench.policies", description=__doc__)
    parser.add_argument("export", type=Path, help="what `make export STACK=prod` prints")
    chosen = parser.parse_args()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    exported = read(chosen.export)
    rows = [figure(grown(exported, size)) for size in SIZES]
    say("\n".join(pack_growth(rows)))
    json.dump(rows, sys.stdout, indent=2)
    print()


def grown(exported: Sequence[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """As many resources as wanted: copies of a stack, each wired within itself."""
    copies: list[dict[str, Any]] = []
    number = 0
    while len(copies) < size:
        text = json.dumps(exported).replace("::inference::", f"::inference-{number}::")
        copies += json.loads(text)
        number += 1
    return copies[:size]


def figure(resources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Ask a server of its own for every resource and for the stack; seconds of each."""
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4),
        options=[("grpc.max_receive_message_length", MOST_BYTES)],
    )
    add_to_server(PackServer(ALL), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    options = [("grpc.max_send_message_length", MOST_BYTES)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        stub = analyzer_pb2_grpc.AnalyzerStub(channel)
        # As the engine does it: what the environment says comes back as the config.
        stub.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(stack="prod"))
        asked: Any = stub
        prod = asked.GetAnalyzerInfo(empty_pb2.Empty()).initialConfig
        stub.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=prod))
        requests = [_request(each) for each in resources]
        stack = analyzer_pb2.AnalyzeStackRequest(resources=[_stack(each) for each in resources])
        started = time.monotonic()
        for request in requests:
            stub.Remediate(request)
            stub.Analyze(request)
        between = time.monotonic()
        stub.AnalyzeStack(stack)
        ended = time.monotonic()
    server.stop(grace=None).wait()
    return {
        "resources": len(resources),
        "each_seconds": round(between - started, 3),
        "stack_seconds": round(ended - between, 3),
        "ms_per_resource": round((ended - started) / len(resources) * 1000, 3),
        "resident_mib": round(psutil.Process().memory_info().rss / MIB, 1),
    }


def _request(resource: dict[str, Any]) -> analyzer_pb2.AnalyzeRequest:
    urn = resource["urn"]
    request = analyzer_pb2.AnalyzeRequest(
        urn=urn, type=resource["type"], name=urn.rpartition("::")[2]
    )
    json_format.ParseDict(resource.get("inputs", {}), request.properties)
    return request


def _stack(resource: dict[str, Any]) -> analyzer_pb2.AnalyzerResource:
    urn = resource["urn"]
    found = analyzer_pb2.AnalyzerResource(
        urn=urn, type=resource["type"], name=urn.rpartition("::")[2]
    )
    json_format.ParseDict(resource.get("outputs", {}), found.properties)
    # Tells the clusters of the copies apart.
    found.provider.urn = str(resource.get("provider") or "").rpartition("::")[0]
    wired: dict[str, list[str] | None] = resource.get("propertyDependencies") or {}
    for name, urns in wired.items():
        if urns:
            found.propertyDependencies[name].urns.extend(urns)
    return found


if __name__ == "__main__":
    main()

"""Starting and stopping the providers."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.providers import ServeError, serve
from sandbox.world import World
from tests.sandbox.client import Client, RefusedError, connect

ROOT = Path(__file__).parents[2]


def test_both_providers_are_announced_for_the_engine(world: World) -> None:
    with serve(world) as servers:
        gcp, kubernetes = servers.ports["gcp"], servers.ports["kubernetes"]
        assert servers.debug_providers == f"gcp:{gcp},kubernetes:{kubernetes}"


def test_a_taken_port_is_one_clear_error(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=rf"gcp provider .* 127.0.0.1:{port}"):
            serve(world, {"gcp": port})


def test_a_damaged_world_does_not_end_in_a_traceback(world: World, gcp: Client) -> None:
    gcp.enable("pubsub")
    world.close()
    with pytest.raises(RefusedError) as refused:
        gcp.create("gcp:pubsub/topic:Topic", {"name": "orders"})
    assert "Traceback" not in str(refused.value)
    assert str(world.path) in str(refused.value)


@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("Handshake", provider_pb2.ProviderHandshakeRequest),
        ("Construct", provider_pb2.ConstructRequest),
        ("Call", provider_pb2.CallRequest),
    ],
)
def test_what_the_engine_does_without_is_refused_in_silence(
    gcp: Client, method: str, request_type: type, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        getattr(gcp.stub, method)(request_type())
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED  # a Call too
    assert caplog.records == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_module_serves_until_interrupted(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "sandbox.providers", "--world", str(tmp_path / "world.db")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        name, _, value = line.partition("=")
        assert name == "PULUMI_DEBUG_PROVIDERS"
        ports = dict(item.split(":") for item in value.split(","))
        with connect(int(ports["gcp"])) as client:
            client.configure(project="acme")
        os.kill(process.pid, number)
        assert process.wait(timeout=20) == 0


def test_the_module_refuses_a_damaged_world(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    path.write_text("no world" * 200)
    command = [sys.executable, "-m", "sandbox.providers", "--world", str(path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert str(path) in ended.stderr
    assert "Traceback" not in ended.stderr

"""`make serve`: the request path to a stack's large models, on this machine until interrupted."""

import json
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from launcher.console import show
from launcher.paths import StackPaths
from launcher.problem import LaunchError

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class RequestPath:
    """The running request path of a stack's first Gateway."""

    gateway: Any
    cluster: Any
    others: Sequence[str]
    """Clusters that are not run."""

    @property
    def key(self) -> str:
        """What a caller sends as its key."""
        return next(iter(self.gateway.keys().values()), "any")


@contextmanager
def request_path(places: StackPaths) -> Generator[RequestPath]:
    """Run the path of the stack's first Gateway.

    Raises LaunchError if a program is missing or ends, or the stack has no Gateway.
    """
    # Its libraries take longer to load than a preview's first line.
    from emulator.gateway import serve as gateway
    from emulator.gateway.cluster import clusters
    from emulator.gateway.programs import ProgramError
    from sandbox.world import World

    if lacking := gateway.missing():
        raise LaunchError(
            f"{', '.join(lacking)} missing: `make serve` builds what can be built; "
            "`make test-kubernetes` says what to install"
        )
    found = [each for each in clusters(places.recorded()) if any(each.of("Gateway"))]
    if not found:
        raise LaunchError(f"{places.stack} has no Gateway, so there is no way to a model")
    chosen, *others = found
    show(f"starting the request path of {chosen.name}: about half a minute ...", sys.stderr)
    with _interrupts(), tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        try:
            with (
                World(places.world) as cloud,
                gateway.serve(chosen, cloud, Path(folder)) as running,
            ):
                yield RequestPath(running, chosen, [each.name for each in others])
        except ProgramError as problem:
            raise LaunchError(str(problem)) from problem


def serve(places: StackPaths) -> None:
    """Run the path of the stack's first Gateway; print what each request took, until Ctrl-C."""
    try:
        with request_path(places) as path:
            running = path.gateway
            trust = f"SSL_CERT_FILE={running.certificate.authority}"
            show(f"\n  export OPENAI_BASE_URL={running.url} OPENAI_API_KEY={path.key} {trust}\n")
            show(f"host names: {', '.join(running.certificate.names)}")
            for consumer, key in running.keys().items():
                show(f"key of {consumer}: {key}")
            show(f"models: {', '.join(running.models) or 'none'}")
            for line in _differences(path):
                show(f"  {line}")
            show("requests, until Ctrl-C:")
            _follow(running)
    except KeyboardInterrupt:
        show("ended; nothing is left running")


def _differences(path: RequestPath) -> Iterator[str]:
    """Yield what is otherwise than on Google Cloud."""
    from emulator.gateway.envoy import DIFFERENCES, unsupported
    from emulator.gateway.replicas import pools_without
    from emulator.gateway.stand_ins import extensions_of

    running, cluster = path.gateway, path.cluster
    for pool in pools_without(cluster, running.replicas.values()):
        yield f"the pool {pool} has no replica"
    for difference in (
        "model servers are simulated",
        *(f"{each.processor.name} is a stand-in" for each in running.extensions.values()),
        *(
            f"the extension {each['name']} is not run: requests pass it"
            for each in extensions_of(cluster)
            if each["name"] not in running.extensions
        ),
        *DIFFERENCES,
        *(f"{name} is not run" for name in path.others),
        *(f"the backend {name} is not run: it answers 501" for name in unsupported(cluster)),
    ):
        yield f"other than on Google Cloud: {difference}"


@contextmanager
def _interrupts() -> Generator[None]:
    """Let SIGTERM end it as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _follow(running: Any) -> None:
    pods = {f"{each.address}:{each.port}": each.pod for each in running.replicas.values()}
    with running.access_log.open(encoding="utf-8") as log:
        while True:
            running.check()
            while line := log.readline():
                show(_said(json.loads(line), pods))
            time.sleep(_LOOK_SECONDS)


def _said(request: Mapping[str, Any], pods: Mapping[str, str]) -> str:
    """Return the line of a request: model, route, pool and replica, or why it got no further."""
    replica = request["replica"]
    way = (
        f"route {request['route']}, pool {request['pool']}, pod {pods.get(replica, replica)}"
        if replica
        else request["why"]
    )
    return f"{request['status']}  {request['milliseconds']} ms  {request['model'] or '-'}: {way}"

"""`make serve`: the request path to a stack's large models, on this machine until interrupted."""

import errno
import json
import math
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.console import show
from launcher.machine_speed import at_speed
from launcher.paths import StackPaths, checked, shown_file
from launcher.problem import LaunchError

_LOOK_SECONDS = 0.2
_LAST_PORT = 65_535
AT_ONCE: Final = 0.0


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
def request_path(
    places: StackPaths, port: int = 0, speed: float = AT_ONCE
) -> Generator[RequestPath]:
    """Run the path of the stack's first Gateway, at a free port where none is given, its model
    servers as fast as their machines on a clock so much faster than ours.

    Raises LaunchError if a program is missing or ends, the stack isn't up or has no Gateway, or
    this machine has no room for it.
    """
    # Its libraries take longer to load than a preview's first line.
    from emulator.gateway import serve as gateway
    from emulator.gateway.programs import ProgramError
    from sandbox.world import World

    if lacking := gateway.missing():
        raise LaunchError(
            f"{', '.join(lacking)} missing: `make serve` builds what can be built; "
            "`make test-kubernetes` says what to install"
        )
    chosen, *others = _clusters(places)
    show(f"starting the request path of {chosen.name}: about half a minute ...", sys.stderr)
    with _interrupts(), ExitStack() as opened:
        try:
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="gateway-")))
            cloud = opened.enter_context(World(places.world))
            tune = _tune(places, chosen.name, speed)
            running = opened.enter_context(gateway.serve(chosen, cloud, folder, port, tune))
        except LookupError as problem:
            raise _of_another_version(places, problem) from problem
        except OSError as problem:
            raise LaunchError(_no_room(problem)) from problem
        except ProgramError as problem:
            raise LaunchError(str(problem)) from problem
        try:
            yield RequestPath(running, chosen, [each.name for each in others])
        except ProgramError as problem:
            raise LaunchError(str(problem)) from problem


def _tune(places: StackPaths, cluster: str, speed: float) -> Callable[[Any], None]:
    return at_speed(checked(places), cluster, speed) if speed else lambda _: None


def _clusters(places: StackPaths) -> list[Any]:
    """Return the clusters of the stack that have a Gateway, of which there is one."""
    from emulator.gateway.cluster import clusters

    if not places.checkpoint.exists():
        raise places.missing("yet")
    try:
        recorded = places.recorded()
        found = [each for each in clusters(recorded) if any(each.of("Gateway"))]
    except (LookupError, ValueError) as problem:
        raise _of_another_version(places, problem) from problem
    if not recorded:
        raise places.missing("any more")
    if not found:
        raise LaunchError(f"{places.stack} has no Gateway, so there is no way to a model")
    return found


def _of_another_version(places: StackPaths, problem: Exception) -> LaunchError:
    return LaunchError(
        f"{places.checkpoint}: not as this version makes it ({problem}): run "
        f"`{make_command(f'up STACK={places.stack}')}`, which brings it up to date"
    )


def _no_room(problem: OSError) -> str:
    if problem.errno == errno.ENOSPC:
        return (
            f"the disk of {tempfile.gettempdir()} is full: free a GiB of it, or set TMPDIR to a "
            "folder with room"
        )
    return str(problem)


def serve(
    places: StackPaths, cloud: str = "sandbox", port: int = 0, speed: float = AT_ONCE
) -> None:
    """Run the path of the stack's first Gateway; print what each request took, until Ctrl-C.

    Then it leaves a page of them.
    """
    if cloud != "sandbox":
        raise LaunchError(f"CLOUD: found {cloud}; allowed: sandbox, whose objects are served here")
    if not 0 <= port <= _LAST_PORT:
        raise LaunchError(f"PORT: found {port}; allowed: 1 to {_LAST_PORT}, or none for a free one")
    if not (math.isfinite(speed) and speed >= AT_ONCE):
        raise LaunchError(
            f"SPEED: found {speed:g}; allowed: 0, for answers at once, or a number above it: 1 is "
            "as fast as the machines"
        )
    requests: list[Mapping[str, Any]] = []
    try:
        with request_path(places, port, speed) as path:
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
            _follow(running, requests)
    except KeyboardInterrupt:
        show("ended; nothing is left running")
    finally:
        if requests:
            from emulator.gateway.page import write_page

            page = places.home / "requests.html"
            write_page(page, places.stack, requests)
            show(f"The page of {plural(len(requests), 'request')}: {shown_file(page)}")


def _differences(path: RequestPath) -> Iterator[str]:
    """Yield what is otherwise than on Google Cloud."""
    from emulator.gateway.envoy import DIFFERENCES
    from emulator.gateway.replicas import pools_without
    from emulator.gateway.stand_ins import extensions_of

    running, cluster = path.gateway, path.cluster
    for pool in pools_without(cluster, running.replicas.values()):
        yield f"the pool {pool} has no replica"
    for difference in (
        f"model servers are simulated, {_pace(running.replicas.values())}",
        *(f"{each.processor.name} is a stand-in" for each in running.extensions.values()),
        *(f"{each.host} is a stand-in" for each in running.outside.values()),
        *(
            f"the extension {each['name']} is not run: requests pass it"
            for each in extensions_of(cluster)
            if each["name"] not in running.extensions
        ),
        *DIFFERENCES,
        *(f"{name} is not run" for name in path.others),
    ):
        yield f"other than on Google Cloud: {difference}"


def _pace(replicas: Iterable[Any]) -> str:
    """Return how fast simulated servers are, as a phrase."""
    paced = [each.speed for each in replicas if each.seconds_per_prompt_token]
    if not paced:
        return "and answer at once"
    return f"at most as fast as their machines, on a clock {paced[0]:g} times as fast as yours"


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


def _follow(running: Any, requests: list[Mapping[str, Any]]) -> None:
    """Print each request, and keep it with the pod that answered."""
    pods: dict[str, str] = {}
    with running.access_log.open(encoding="utf-8") as log:
        while True:
            running.check()
            # An autoscaler adds some.
            pods |= running.places
            while line := log.readline():
                request = json.loads(line)
                request["replica"] = pods.get(request["replica"], request["replica"])
                requests.append(request)
                show(_said(request))
            time.sleep(_LOOK_SECONDS)


def _said(request: Mapping[str, Any]) -> str:
    """Return the line of a request: model, route, pool and replica, or why it got no further."""
    way = (
        f"route {request['route']}, pool {request['pool']}, pod {request['replica']}"
        if request["replica"]
        else request["why"]
    )
    return f"{request['status']}  {request['milliseconds']} ms  {request['model'] or '-'}: {way}"

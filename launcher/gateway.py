"""`make serve`: the request path to a stack's large models, on this machine until interrupted."""

import errno
import json
import math
import shutil
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
from catalog.conventions import PLATFORM
from catalog.words import plural
from emulator.gateway.programs import ProgramError
from launcher.console import show
from launcher.machine_speed import at_speed
from launcher.paths import StackPaths, checked, shown_file
from launcher.problem import LaunchError
from launcher.scratch import scratch

PAGE: Final = "requests.html"
_LAST_PORT = 65_535
_ROOM_BYTES: Final = 512 << 20
"""What the stores of two regions' API servers take at once, and their logs after a while."""
_FOLDERS: Final = "inference-gateway-"
AT_ONCE: Final = 0.0
MODEL, SIMULATED = "model", "simulated"
"""What answers."""


@dataclass(frozen=True)
class Wanted:
    """How the request path is to run."""

    port: int = 0
    """0 for a free one."""
    speed: float = AT_ONCE
    """Of its model servers: seconds of their machines in one of ours."""
    consumer: str = ""
    """Whose load balancer stands before all regions; none for the first region alone."""
    answers: str = SIMULATED
    """MODEL for a small real one in the place of each; empty for that where it is installed."""
    explained: bool = False
    """Whether pickers log why they choose, which takes some of their time."""


@dataclass(frozen=True)
class RequestPath:
    """The running request path of a stack: of its first Gateway, or of all that a consumer has."""

    paths: Sequence[tuple[Any, Any]]
    """Clusters, and the running Gateway of each."""
    frontend: Any
    """The consumer's load balancer, where one is wanted."""
    others: Sequence[str]
    """Clusters that are not run."""
    model: Any
    """The real model that answers, if one does."""

    @property
    def gateways(self) -> list[Any]:
        """The running ones."""
        return [each for _, each in self.paths]

    @property
    def gateway(self) -> Any:
        """The first one."""
        return self.gateways[0]

    @property
    def models(self) -> list[str]:
        """The names that requests may have."""
        return sorted({name for each in self.gateways for name in each.models})

    @property
    def answered(self) -> str:
        """Who answers in the place of whom, as a sentence; empty where nobody does."""
        if self.model is None:
            return ""
        return f"{self.model.name} answers, a stand-in for {', '.join(self.models)}"

    @property
    def key(self) -> str:
        """What a caller sends as its key."""
        return next(iter(self.gateway.keys().values()), "any")

    def check(self) -> None:
        """Raise ProgramError if a program has ended, but for those of a region beside another."""
        lost: list[ProgramError] = []
        for each in self.gateways:
            try:
                each.check()
            except ProgramError as problem:
                lost.append(problem)
        for each in (self.frontend, self.model):
            if each is not None:
                each.program.check()
        if len(lost) == len(self.gateways):
            raise lost[0]


@contextmanager
def request_path(places: StackPaths, wanted: Wanted = Wanted()) -> Generator[RequestPath]:
    """Run the path of the stack's first Gateway, or of all behind a consumer's load balancer.

    Raises LaunchError if a program is missing or ends, the stack isn't up or has no Gateway or no
    such consumer, or this machine has no room for it.
    """
    # Its libraries take longer to load than a preview's first line.
    from emulator.gateway import serve as gateway
    from sandbox.world import World

    if lacking := gateway.missing():
        raise LaunchError(
            f"{', '.join(lacking)} missing: `{make_command('serve')}` builds what can be built; "
            f"`{make_command('test-kubernetes')}` says what to install"
        )
    found = _clusters(places)
    with _interrupts(), ExitStack() as opened:
        try:
            folder = opened.enter_context(scratch(_FOLDERS))
            if shutil.disk_usage(folder).free < _ROOM_BYTES:
                raise LaunchError(_no_room())
            cloud = opened.enter_context(World(places.world))
            path = _run(opened, places, wanted, (found, cloud, folder))
        except LookupError as problem:
            raise _of_another_version(places, problem) from problem
        except OSError as problem:
            said = _no_room() if problem.errno == errno.ENOSPC else str(problem)
            raise LaunchError(said) from problem
        except ProgramError as problem:
            raise LaunchError(str(problem)) from problem
        try:
            yield path
        except ProgramError as problem:
            raise LaunchError(str(problem)) from problem


def _run(
    opened: ExitStack, places: StackPaths, wanted: Wanted, given: tuple[list[Any], Any, Path]
) -> RequestPath:
    from emulator.gateway import serve as gateway
    from emulator.gateway.frontend import before
    from emulator.gateway.scores import explained

    found, cloud, folder = given
    front = _frontend(cloud, wanted.consumer) if wanted.consumer else None
    if wanted.port:
        gateway.refuse_taken(wanted.port)
    chosen = [each for each in found if _region(each) in front.regions] if front else found[:1]
    model = _model(opened, wanted.answers, folder)
    running: list[Any] = []
    for cluster in chosen:
        show(f"starting the request path of {cluster.name}: about half a minute ...", sys.stderr)
        own = folder / cluster.name
        own.mkdir()
        tune = _tune(places, _region(cluster), wanted.speed, model)
        port = 0 if front else wanted.port
        run = explained(cluster) if wanted.explained else cluster
        running.append(opened.enter_context(gateway.serve(run, cloud, own, port, tune)))
    if front:
        front = opened.enter_context(before(front, running, folder / "frontend", wanted.port))
    rest = [each.name for each in found if each not in chosen]
    return RequestPath(list(zip(chosen, running, strict=True)), front, rest, model)


def _model(opened: ExitStack, answers: str, folder: Path) -> Any:
    from emulator.gateway import real_model

    if answers == SIMULATED or not (answers or real_model.installed()):
        return None
    if not real_model.installed():
        raise LaunchError(
            f"ANSWERS: found {answers}, and {real_model.NAME} isn't installed: "
            f"`{make_command(f'serve ANSWERS={answers}')}` installs it"
        )
    return opened.enter_context(real_model.real_model(folder))


def _frontend(cloud: Any, consumer: str) -> Any:
    from emulator.gateway.frontend import frontends

    known = {each.consumer: each for each in frontends(cloud)}
    if consumer not in known:
        allowed = ", ".join(known) or "none: no consumer has failover"
        raise LaunchError(f"CONSUMER: found {consumer!r}; allowed: {allowed}")
    return known[consumer]


def _region(cluster: Any) -> str:
    return cluster.name.removeprefix(f"{PLATFORM}-")


def _tune(places: StackPaths, region: str, speed: float, model: Any) -> Callable[[Any], None]:
    times = at_speed(checked(places), region, speed) if speed else lambda _: None

    def tune(replica: Any) -> None:
        replica.answers = model
        times(replica)

    return tune


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


def _no_room() -> str:
    return (
        f"the disk of {tempfile.gettempdir()} is full: free a GiB of it, or set TMPDIR to a "
        "folder with room"
    )


def serve(places: StackPaths, cloud: str = "sandbox", wanted: Wanted = Wanted()) -> None:
    """Run the request path; print what each request took, until Ctrl-C.

    Then it leaves a page of them.
    """
    if cloud != "sandbox":
        raise LaunchError(f"CLOUD: found {cloud}; allowed: sandbox, whose objects are served here")
    if not 0 <= wanted.port <= _LAST_PORT:
        raise LaunchError(
            f"PORT: found {wanted.port}; allowed: 1 to {_LAST_PORT}, or none for a free one"
        )
    if not (math.isfinite(wanted.speed) and wanted.speed >= AT_ONCE):
        raise LaunchError(
            f"SPEED: found {wanted.speed:g}; allowed: 0, for answers at once, or a number above "
            "it: 1 is as fast as the machines"
        )
    requests: list[Mapping[str, Any]] = []
    answered = ""
    try:
        with request_path(places, wanted) as path:
            answered = path.answered
            first = path.frontend or path.gateway
            # A line each: one that goes on below could not be copied.
            show(f"\n  export OPENAI_BASE_URL={first.url}")
            show(f"  export OPENAI_API_KEY={path.key}")
            show(f"  export SSL_CERT_FILE={first.certificate.authority}\n")
            show(f"host names: {', '.join(first.certificate.names)}")
            for consumer, key in path.gateway.keys().items():
                show(f"key of {consumer}: {key}")
            show(f"models: {', '.join(path.models) or 'none'}")
            for cluster, each in path.paths if path.frontend else ():
                envoy, *_ = each.programs
                show(f"to lose {_region(cluster)}: kill {envoy.process.pid}")
            for line in _differences(path):
                show(f"  {line}")
            show("requests, until Ctrl-C:")
            with followed(path, requests) as look:
                while True:
                    path.check()
                    look()
    except KeyboardInterrupt:
        show("ended; nothing is left running")
    finally:
        if requests:
            from emulator.gateway.page import write_page

            page = places.home / PAGE
            write_page(page, places.stack, requests, answered)
            show(f"The page of {plural(len(requests), 'request')}: {shown_file(page)}")


def _differences(path: RequestPath) -> Iterator[str]:
    """Yield what is otherwise than on Google Cloud."""
    from emulator.gateway.envoy import DIFFERENCES
    from emulator.gateway.replicas import pools_without
    from emulator.gateway.stand_ins import extensions_of

    running = path.gateways
    for cluster, each in path.paths:
        for pool in pools_without(cluster, each.replicas.values()):
            yield f"the pool {pool} has no replica"
    replicas = [replica for each in running for replica in each.replicas.values()]
    for difference in (
        f"model servers are simulated, {_pace(replicas, path.model)}",
        *([path.answered] if path.answered else []),
        *_each_once(each.processor.name for one in running for each in one.extensions.values()),
        *_each_once(each.host for one in running for each in one.outside.values()),
        *sorted(
            {
                f"the extension {each['name']} is not run: requests pass it"
                for cluster, one in path.paths
                for each in extensions_of(cluster)
                if each["name"] not in one.extensions
            }
        ),
        *DIFFERENCES,
        *(f"{name} is not run" for name in path.others),
    ):
        yield f"other than on Google Cloud: {difference}"


def _each_once(stand_ins: Iterable[str]) -> list[str]:
    return [f"{each} is a stand-in" for each in dict.fromkeys(stand_ins)]


def _pace(replicas: Iterable[Any], model: Any) -> str:
    """Return how fast simulated servers are, as a phrase."""
    paced = [each.speed for each in replicas if each.seconds_per_prompt_token]
    if paced:
        return f"at most as fast as their machines, on a clock {paced[0]:g} times as fast as yours"
    return "and answer as fast as this machine can" if model else "and answer at once"


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


@contextmanager
def followed(path: RequestPath, requests: list[Mapping[str, Any]]) -> Generator[Callable[[], None]]:
    """Yield what prints the requests since it was called last, and keeps each with the pod that
    answered and why; the last ones follow in the end."""
    from emulator.gateway.proxies import FLUSH_SECONDS
    from emulator.gateway.scores import Scores

    with ExitStack() as opened:
        logs = {
            opened.enter_context(each.access_log.open(encoding="utf-8")): each
            for each in path.gateways
        }
        scores = {each: Scores(opened, gateway) for each, gateway in logs.items()}
        pods: dict[str, str] = {}

        def look() -> None:
            # Envoy writes that late.
            time.sleep(2 * FLUSH_SECONDS)
            for log, gateway in logs.items():
                # An autoscaler adds some.
                pods.update(gateway.places)
                scores[log].read()
                while line := log.readline():
                    request = json.loads(line)
                    request["replica"] = pods.get(request["replica"], request["replica"])
                    request["scores"] = scores[log].why(request["id"], request["replica"])
                    requests.append(request)
                    show(_said(request))

        try:
            yield look
        finally:
            look()


def _said(request: Mapping[str, Any]) -> str:
    """Return the line of a request: model, route, pool and replica, or why it got no further; and
    one of the picker's scores."""
    way = (
        f"route {request['route']}, pool {request['pool']}, pod {request['replica']}"
        if request["replica"]
        else request["why"]
    )
    line = f"{request['status']}  {request['milliseconds']} ms  {request['model'] or '-'}: {way}"
    return f"{line}\n    {request['scores']}" if request["scores"] else line

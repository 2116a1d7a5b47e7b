"""Instances of a service: local processes, started when there is work, up to the service's most.

https://cloud.google.com/run/docs/about-instance-autoscaling
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from emulator.ports import free_ports
from emulator.runtime.images import SERVICES
from emulator.runtime.orphans import record_process
from emulator.runtime.services import CloudRun

_STOP_SECONDS = 10
_LOOK_SECONDS = 0.05
PENDING_SECONDS = 10.0
"""How long a request waits for an instance that can take it; then it gets 429."""
IDLE_SECONDS = 900.0
"""How long an instance without a request is kept, beyond the least that are always there."""


class NoInstanceError(Exception):
    """All instances are full, and no more are allowed."""


class StartError(Exception):
    """An instance did not start; says where its log is."""


class Instance:
    """A process and the requests it is working on."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.active = 0
        self.process: asyncio.subprocess.Process | None = None
        self.ready: asyncio.Task[None] | None = None
        self.leaving = False
        """It gets no further request."""
        self.turns = 0
        """How many requests it has had."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"


class Instances:
    """The instances of one service. `folder` gets their logs, and their process ids while they
    live, so that the next run can end what a killed one left."""

    def __init__(
        self,
        service: CloudRun,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        pending_seconds: float = PENDING_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        """Make none yet; `renew` is called before each request."""
        self._renew = renew
        self.service = service
        self._command = command
        self._environment = environment
        self._folder = folder
        self.pending_seconds = pending_seconds
        self.idle_seconds = idle_seconds
        self._instances: list[Instance] = []
        self._changed = asyncio.Condition()
        self._watchers: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.started = 0
        """How many were ever started."""

    def running(self) -> list[int]:
        """Return the process ids of the instances."""
        return [each.process.pid for each in self._instances if each.process]

    async def start(self) -> None:
        """Start the least number of instances, without waiting for them."""
        while len(self._staying()) < self.service.least:
            self._add()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[Instance]:
        """Yield an instance for one request. Raises NoInstanceError and StartError."""
        instance = await self._chosen()
        try:
            assert instance.ready is not None  # noqa: S101 -- set when it is added
            await asyncio.shield(instance.ready)
            self._renew()
            yield instance
        finally:
            instance.active -= 1
            if not instance.active:
                loop, turns = asyncio.get_running_loop(), instance.turns
                loop.call_later(self.idle_seconds, self._retire, instance, turns)
            async with self._changed:
                self._changed.notify_all()

    async def stop(self) -> None:
        """End all: ask first, as Cloud Run does, and kill after ten seconds."""
        self._stopping = True
        for instance in self._instances:
            if instance.process and instance.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    instance.process.terminate()
        if self._watchers:
            await asyncio.wait(self._watchers, timeout=_STOP_SECONDS)
        for instance in self._instances:
            if instance.process and instance.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    instance.process.kill()
        if self._watchers:
            await asyncio.wait(self._watchers)

    async def _chosen(self) -> Instance:
        deadline = time.monotonic() + self.pending_seconds
        async with self._changed:
            while True:
                staying = self._staying()
                free = [each for each in staying if each.active < self.service.concurrency]
                if free:
                    instance = min(free, key=lambda each: each.active)
                elif len(staying) < self.service.most:
                    instance = self._add()
                else:
                    try:
                        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                            await self._changed.wait()
                    except TimeoutError as problem:
                        raise NoInstanceError from problem
                    continue
                instance.active += 1
                instance.turns += 1
                return instance

    def _staying(self) -> list[Instance]:
        return [each for each in self._instances if not each.leaving]

    def _retire(self, instance: Instance, turns: int) -> None:
        """End an instance that has had no request since it had that many."""
        idle = not instance.active and instance.turns == turns and not self._stopping
        if not idle or instance not in self._staying():
            return
        if len(self._staying()) > self.service.least and instance.process:
            instance.leaving = True
            with contextlib.suppress(ProcessLookupError):
                instance.process.terminate()

    def _add(self) -> Instance:
        instance = Instance(*free_ports(1))
        self._instances.append(instance)
        self.started += 1
        instance.ready = asyncio.create_task(self._begin(instance))
        # A failed start is told to the requests that wait for it; without any, to nobody.
        instance.ready.add_done_callback(lambda task: task.cancelled() or task.exception())
        return instance

    async def _begin(self, instance: Instance) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        log = self._folder / f"{self.service.name}.log"
        with log.open("ab") as output:
            instance.process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=SERVICES.parent,
                env={**self._environment, "PORT": str(instance.port)},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        note = record_process(self._folder, instance.process.pid)
        watcher = asyncio.create_task(self._watch(instance, note))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        if not await self._answers(instance):
            with contextlib.suppress(ProcessLookupError):
                instance.process.kill()
            raise StartError(f"an instance of {self.service.name} did not start: see {log}")

    async def _answers(self, instance: Instance) -> bool:
        probe = self.service.probe
        deadline = time.monotonic() + probe.period * probe.failures
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while time.monotonic() < deadline:
                if instance.process is None or instance.process.returncode is not None:
                    return False
                try:
                    if probe.path is None:
                        _, writer = await asyncio.open_connection("127.0.0.1", instance.port)
                        writer.close()
                        return True
                    if (await client.get(f"{instance.url}{probe.path}")).is_success:
                        return True
                except (httpx.TransportError, OSError):
                    pass
                await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def _watch(self, instance: Instance, note: Path) -> None:
        """Take a dead instance out, and start another where there must always be some."""
        assert instance.process is not None  # noqa: S101 -- begun before
        await instance.process.wait()
        note.unlink(missing_ok=True)
        async with self._changed:
            self._instances.remove(instance)
            if not self._stopping and instance.ready and not instance.ready.cancelled():
                failed = instance.ready.done() and instance.ready.exception() is not None
                # One that can't start isn't tried over and over without a request.
                if instance.ready.done() and not failed:
                    await self.start()
            self._changed.notify_all()


def base_environment(service: CloudRun) -> dict[str, str]:
    """Return what Cloud Run gives every container."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONUNBUFFERED": "1",
        "HOST": "127.0.0.1",
        "K_SERVICE": service.name,
        "K_REVISION": service.revision,
        "K_CONFIGURATION": service.name,
    }

"""Jobs of Cloud Run: executions whose tasks are local processes, started anew where they fail.

https://cloud.google.com/run/docs/create-jobs
"""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from emulator.messages.resources import seconds
from emulator.runtime.images import SERVICES
from emulator.runtime.orphans import record_process
from emulator.runtime.secrets import Secrets
from emulator.runtime.services import files_of, variable_of
from sandbox.world import CloudResource, World

JOB: Final = "gcp:cloudrunv2/job:Job"
_RETRIES, _TIMEOUT = 3, 600.0
"""Where a template says nothing."""


@dataclass(frozen=True)
class CloudRunJob:
    """A job, as its resource describes it."""

    id: str
    name: str
    project: str
    image: str
    command: tuple[str, ...]
    """In place of the image's; empty for the image's."""
    environment: Mapping[str, str] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    account: str
    tasks: int
    at_once: int
    retries: int
    timeout: float
    """Seconds of a task."""


def job_of(world: World, resource: CloudResource, by_hand: Path | None = None) -> CloudRunJob:
    """Return the job of a resource; `by_hand` is as in service_of. Raises MissingSecretError."""
    inputs = resource.inputs
    outer = inputs["template"]
    template: Mapping[str, Any] = outer["template"]
    container: Mapping[str, Any] = template["containers"][0]
    project = str(resource.project or inputs["project"])
    secrets = Secrets(world, project, by_hand)
    tasks = int(outer.get("taskCount") or 1)
    retries = template.get("maxRetries")
    return CloudRunJob(
        id=resource.id,
        name=inputs["name"],
        project=project,
        image=container["image"],
        command=(*(container.get("commands") or ()), *(container.get("args") or ())),
        environment=dict(variable_of(secrets, env) for env in container.get("envs") or ()),
        files=files_of(secrets, template, container),
        account=str(template.get("serviceAccount") or ""),
        tasks=tasks,
        at_once=int(outer.get("parallelism") or tasks),
        retries=_RETRIES if retries is None else int(retries),
        timeout=seconds(template.get("timeout"), _TIMEOUT),
    )


class Execution:
    """One run of a job. `folder` gets the log of its tasks."""

    def __init__(
        self,
        job: CloudRunJob,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        self.job = job
        self.name = name
        self._command = command
        self._environment = environment
        self._folder = folder
        self._turns = asyncio.Semaphore(job.at_once)
        self.attempts = 0
        """How many processes were ever started."""
        self.running: dict[int, asyncio.subprocess.Process] = {}
        """By task."""

    async def run(self) -> bool:
        """Run every task until it ends well or has no try left; return whether all ended well."""
        tasks = [self._task(index) for index in range(self.job.tasks)]
        try:
            return all(await asyncio.gather(*tasks))
        finally:
            for process in self.running.values():
                with suppress(ProcessLookupError):
                    process.kill()

    def kill(self) -> None:
        """Kill what runs now, as a machine that fails does."""
        for process in self.running.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)

    async def _task(self, index: int) -> bool:
        async with self._turns:
            for attempt in range(self.job.retries + 1):
                if await self._attempt(index, attempt) == 0:
                    return True
            return False

    async def _attempt(self, index: int, attempt: int) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        given = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONUNBUFFERED": "1",
            "CLOUD_RUN_JOB": self.job.name,
            "CLOUD_RUN_EXECUTION": self.name,
            "CLOUD_RUN_TASK_INDEX": str(index),
            "CLOUD_RUN_TASK_ATTEMPT": str(attempt),
            "CLOUD_RUN_TASK_COUNT": str(self.job.tasks),
        }
        with (self._folder / f"{self.job.name}.log").open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=SERVICES.parent,
                env={**self._environment, **given},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.attempts += 1
        self.running[index] = process
        note = record_process(self._folder, process.pid)
        try:
            async with asyncio.timeout(self.job.timeout):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()
        finally:
            del self.running[index]
            note.unlink(missing_ok=True)

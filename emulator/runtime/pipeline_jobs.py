"""Vertex AI's pipelines: runs of what kfp compiles, each step a local process of its image.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulator.google.caller import Caller, body_of, error
from emulator.runtime.images import SERVICES, ImageError, folder_of, local

_PLACEHOLDER: Final = re.compile(
    r"\{\{\$\.(inputs|outputs)\.(parameters|artifacts)\['([^']+)'\](?:\.(uri))?\}\}"
)
_PENDING, _RUNNING = "PIPELINE_STATE_PENDING", "PIPELINE_STATE_RUNNING"
_SUCCEEDED, _FAILED = "PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED"

# https://cloud.google.com/vertex-ai/docs/quotas#vertex-ai-pipelines
_QUOTA: Final = 300

Environments = Callable[[str], Awaitable[Mapping[str, str]]]
"""Gives the environment of a process that runs as an account."""


@dataclass
class Job:
    """A run."""

    name: str
    account: str
    tasks: Mapping[str, Any]
    executors: Mapping[str, Any]
    components: Mapping[str, Any]
    parameters: Mapping[str, str]
    root: str
    state: str = _PENDING
    steps: dict[str, str] = field(default_factory=dict[str, str])
    """What each step that ran has written, by its name."""

    def line(self, task: str) -> Sequence[str]:
        """Return the command line of a step."""
        inputs = self.tasks[task].get("inputs", {})
        component = self.components[self.tasks[task]["componentRef"]["name"]]
        container = self.executors[component["executorLabel"]]["container"]
        folder_of(container["image"])

        def value(found: re.Match[str]) -> str:
            way, kind, key, _ = found.groups()
            if kind == "parameters":
                given = inputs["parameters"][key]
                if "runtimeValue" in given:
                    return str(given["runtimeValue"]["constant"])
                return self.parameters[given["componentInputParameter"]]
            source = {"producerTask": task, "outputArtifactKey": key}
            if way == "inputs":
                source = inputs["artifacts"][key]["taskOutputArtifact"]
            return f"{self.root}/{source['producerTask']}/{source['outputArtifactKey']}"

        words = [*container.get("command", ()), *container.get("args", ())]
        return local([_PLACEHOLDER.sub(value, word) for word in words])

    async def run(self, environment: Mapping[str, str]) -> None:
        """Run the steps in their order; one that fails ends the run."""
        self.state = _RUNNING
        order = {name: task.get("dependentTasks", ()) for name, task in self.tasks.items()}
        for task in TopologicalSorter(order).static_order():
            try:
                process = await asyncio.create_subprocess_exec(
                    *self.line(task),
                    cwd=SERVICES.parent,
                    env=dict(environment),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.STDOUT,
                )
            except (ImageError, OSError) as problem:
                self.state, self.steps[task] = _FAILED, str(problem)
                return
            output, _ = await process.communicate()
            self.steps[task] = output.decode(errors="replace").strip()
            if process.returncode:
                self.state = _FAILED
                return
        self.state = _SUCCEEDED


class PipelineJobs:
    """The runs of a world, none of which outlives the emulator."""

    def __init__(self, environments: Environments, home: Path) -> None:
        self._environments = environments
        self._log = home / "instances" / "pipeline-jobs.log"
        self.jobs: dict[str, Job] = {}
        self.quota = _QUOTA
        """Runs that may be under way."""
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, name: str, body: Mapping[str, Any]) -> Job:
        """Begin a run. Raises KeyError where the specification lacks something."""
        specification, config = body["pipelineSpec"], body["runtimeConfig"]
        given: Mapping[str, str] = config.get("parameterValues", {})
        declared = specification["root"]["inputDefinitions"]["parameters"]
        wrong = sorted(given.keys() ^ declared.keys())
        if wrong:
            raise KeyError(", ".join(wrong))
        job = Job(
            name=name,
            account=body["serviceAccount"],
            tasks=specification["root"]["dag"]["tasks"],
            executors=specification["deploymentSpec"]["executors"],
            components=specification["components"],
            parameters=given,
            root=f"{config['gcsOutputDirectory']}/{name.rpartition('/')[2]}",
        )
        self.jobs[name] = job
        running = asyncio.create_task(self._run(job))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return job

    @property
    def exhausted(self) -> bool:
        """Whether no other run may begin yet."""
        return len(self._running) >= self.quota

    async def settled(self) -> None:
        """Wait until no run is under way."""
        while self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """End what runs."""
        for each in self._running:
            each.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, job: Job) -> None:
        await job.run(await self._environments(job.account))
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            log.write(f"{job.name}: {job.state}\n")
            log.writelines(f"  {name}: {output}\n" for name, output in job.steps.items())


def routes(jobs: PipelineJobs, caller: Caller) -> Sequence[Route]:
    """Return what answers a caller."""
    path = "/v1/projects/{project}/locations/{region}/pipelineJobs"

    async def create(request: Request) -> Response:
        project = f"projects/{request.path_params['project']}"
        caller.check(request, "aiplatform.pipelineJobs.create", project)
        body = await body_of(request)
        account = f"{project}/serviceAccounts/{body['serviceAccount']}"
        caller.check(request, "iam.serviceAccounts.actAs", account, project)
        place = path.format_map(request.path_params).removeprefix("/v1/")
        name = f"{place}/{request.query_params['pipelineJobId']}"
        if name in jobs.jobs:
            return error(409, "ALREADY_EXISTS", f"there is a run {name}")
        if jobs.exhausted:
            return error(
                429,
                "RESOURCE_EXHAUSTED",
                "The following quota metrics exceed quota limits: "
                "aiplatform.googleapis.com/concurrent_pipeline_jobs",
            )
        try:
            job = jobs.begin(name, body)
        except KeyError as problem:
            return error(400, "INVALID_ARGUMENT", f"the pipeline and the run differ in {problem}")
        return JSONResponse({"name": name, "state": job.state})

    async def get(request: Request) -> Response:
        project = f"projects/{request.path_params['project']}"
        caller.check(request, "aiplatform.pipelineJobs.get", project)
        name = request.url.path.removeprefix("/v1/")
        job = jobs.jobs.get(name)
        if job is None:
            return error(404, "NOT_FOUND", f"there is no run {name}")
        return JSONResponse({"name": name, "state": job.state})

    return [Route(path, create, methods=["POST"]), Route(f"{path}/{{job}}", get)]

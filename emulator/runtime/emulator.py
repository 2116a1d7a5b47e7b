"""The emulator: a world's topics, services, tables and buckets at work on this machine."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import yaml
from starlette.routing import Route

from emulator.google import models, objects, queries
from emulator.google.caller import Caller
from emulator.messages.bigquery_export import BigQueryExport
from emulator.messages.broker import Broker
from emulator.messages.clock import SkippingClock
from emulator.messages.cloud_storage_export import CloudStorageExport
from emulator.messages.push import Pusher
from emulator.messages.store import Store
from emulator.runtime.deliveries import CLOCK, Deliveries, OnEvent
from emulator.runtime.google_apis import GoogleApis
from emulator.runtime.images import ImageError, command_of, folder_of, local
from emulator.runtime.ingress import Ingress
from emulator.runtime.instances import Instances, base_environment
from emulator.runtime.jobs import JOB, CloudRunJob, Execution, job_of
from emulator.runtime.local_server import LocalServer
from emulator.runtime.model_endpoint import ModelEndpoint
from emulator.runtime.mounts import Mounts, mounted
from emulator.runtime.orphans import end_orphans
from emulator.runtime.pipeline_jobs import PipelineJobs
from emulator.runtime.pipeline_jobs import routes as pipeline_routes
from emulator.runtime.secrets import MissingSecretError
from emulator.runtime.services import CloudRun, service_of
from emulator.runtime.traffic import Traffic
from emulator.tokens import Issuer
from emulator.warehouse.storage_write import StorageWriteApi
from emulator.warehouse.store import Warehouse
from sandbox.gcp.admission import refusal
from sandbox.gcp.effects.cloud_run import SERVICE
from sandbox.world import CloudResource, World
from services.local.certificate import local_certificate
from services.local.openai_server import LocalOpenAI
from services.local.redis_server import LocalRedis

_FOLDER = Path(__file__).resolve().parents[1]
CACHE = "gcp:redis/instance:Instance"


@dataclass
class RunningService:
    """A service that runs here."""

    service: CloudRun
    folder: str
    """In services/."""
    instances: Instances
    """Of the revision that was deployed last."""
    revisions: Mapping[str, Instances]
    """Of every revision that gets requests, by its name."""
    ingress: Ingress
    url: str
    """Of its ingress on this machine."""
    storage_write: StorageWriteApi


@dataclass(frozen=True)
class RunningJob:
    """A job that runs here when it is begun."""

    job: CloudRunJob
    folder: str
    """In services/."""
    command: Sequence[str]
    environment: Mapping[str, str]
    logs: Path

    def begin(self, **variables: str) -> Execution:
        """Return a new execution with further variables, not begun yet."""
        name = f"{self.job.name}-{uuid.uuid4().hex[:5]}"
        environment = {**self.environment, **variables}
        return Execution(self.job, name, self.command, environment, self.logs)


@dataclass
class Emulator:
    """What is at work."""

    world: World
    home: Path
    broker: Broker
    clock: SkippingClock
    warehouse: Warehouse
    lake: CloudStorageExport
    issuer: Issuer
    client: httpx.AsyncClient
    deliveries: Deliveries
    model: LocalOpenAI
    objects: objects.ObjectStore
    """What buckets hold beside the archives of messages."""
    registry: models.Registry
    runs: PipelineJobs
    """Runs of Vertex AI's pipelines."""
    gateway: ModelEndpoint | None = None
    """Whom services that ask the stack's gateway ask; None for `model`."""
    apis: str = ""
    """URL of Google's APIs for callers with a token."""
    hosted: list[RunningService] = field(default_factory=list[RunningService])
    jobs: list[RunningJob] = field(default_factory=list[RunningJob])
    elsewhere: dict[str, str] = field(default_factory=dict[str, str])
    """Services and jobs that can't run here, by name, with the reason."""

    def routes(self, caller: Caller) -> Sequence[Route]:
        """Return what answers a caller of the APIs of data and models."""
        return [
            *objects.routes(self.objects, caller),
            *queries.routes(self.warehouse, caller),
            *models.routes(self.registry, caller),
            *pipeline_routes(self.runs, caller),
        ]

    def google_apis(self, account: str | None = None, project: str = "") -> GoogleApis:
        """Return Google's APIs for an account; None for callers with a token."""
        wake = self.deliveries.wake
        return GoogleApis(self.world, self.broker, self.issuer, wake, account, project, self.routes)

    def resolve(self, url: str) -> str | None:
        """Return where a URL of the world is on this machine."""
        scheme, _, host = url.partition("://")
        untagged = f"{scheme}://{host.rpartition('---')[2]}"
        for each in self.hosted:
            if {url, untagged} & {*each.service.audiences}:
                return each.url
        return None


def _silent(*_: str) -> None: ...


@asynccontextmanager
async def emulate(
    world: World,
    home: Path,
    *,
    skip: bool,
    on_event: OnEvent = _silent,
    port: int = 0,
    gateway: ModelEndpoint | None = None,
) -> AsyncGenerator[Emulator]:
    """Yield emulates a world until the block ends. Everything durable is in `home`.

    With `skip` waits are left out; `port` is that of Google's APIs. Services that ask the stack's
    gateway ask `gateway`, or else a stand-in. What a killed run left is taken up: its processes are
    ended, its unfinished deliveries begin again.
    """
    async with AsyncExitStack() as stack:
        end_orphans(home / "instances")
        store = Store(home / "messages.db")
        stack.callback(store.close)
        clock = SkippingClock(store.fact(CLOCK))
        broker = Broker(world, store, clock)
        broker.give_back()
        warehouse = Warehouse(world, home / "warehouse.db")
        stack.callback(warehouse.close)
        lake = CloudStorageExport(world, home / "lake")
        issuer = Issuer(home / "issuer")
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        client = await stack.enter_async_context(
            # Whoever calls sets the time that his own resource allows.
            httpx.AsyncClient(limits=limits, timeout=None, trust_env=False)  # noqa: S113
        )
        model, ca_file = LocalOpenAI(), local_certificate(home / "redis")
        redis = _redis(world, ca_file)
        redis.start()
        stack.callback(redis.stop)
        openai = await _serve(stack, LocalServer(model.app))
        pusher = Pusher(world, issuer, client, lambda url: emulator.resolve(url))
        export = BigQueryExport(world, warehouse)
        deliveries = Deliveries(broker, pusher, lake, export, clock, on_event, skip=skip)
        store = objects.ObjectStore(world, home / "objects.db")
        stack.callback(store.close)
        runs = PipelineJobs(lambda account: _as_account(stack, emulator, account), home)
        stack.push_async_callback(runs.stop)
        emulator = Emulator(
            world=world,
            home=home,
            broker=broker,
            clock=clock,
            warehouse=warehouse,
            lake=lake,
            issuer=issuer,
            client=client,
            deliveries=deliveries,
            model=model,
            objects=store,
            registry=models.Registry(home / "models.json"),
            runs=runs,
            gateway=gateway,
        )
        server = await _serve(stack, LocalServer(emulator.google_apis().app, port))
        emulator.apis = server.url
        addresses = {
            "openai": f"{openai.url}/v1",
            "redis": redis.url,
            "redis_ca": str(ca_file),
        }
        for resource in world.by_type(SERVICE):
            try:
                service = service_of(world, resource, home / "secrets")
                emulator.hosted.append(await _host(stack, emulator, service, addresses))
            except (ImageError, MissingSecretError) as problem:
                emulator.elsewhere[resource.inputs["name"]] = str(problem)
        for resource in world.by_type(JOB):
            try:
                emulator.jobs.append(await _batch(stack, emulator, resource, addresses))
            except (ImageError, MissingSecretError) as problem:
                emulator.elsewhere[resource.inputs["name"]] = str(problem)
        running = asyncio.create_task(deliveries.run())
        try:
            yield emulator
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


def _redis(world: World, certificate: Path) -> LocalRedis:
    """Return a stand-in for the stack's cache, with its password and TLS where it has them."""
    made = next(iter(world.by_type(CACHE)), None)
    if made is None:
        return LocalRedis()
    password = made.outputs["authString"] if made.inputs.get("authEnabled") else ""
    encrypted = made.inputs.get("transitEncryptionMode") == "SERVER_AUTHENTICATION"
    return LocalRedis(str(password), certificate if encrypted else None)


async def _host(
    stack: AsyncExitStack, emulator: Emulator, service: CloudRun, addresses: Mapping[str, str]
) -> RunningService:
    # Before anything starts: a service that can't run here leaves nothing behind.
    folders = {each.revision: folder_of(each.image) for each in (service, *service.others)}
    revisions: dict[str, Instances] = {}
    for each in service.others:
        revisions[each.revision], _ = await _revision(
            stack, emulator, each, folders[each.revision], addresses
        )
    latest, storage_write = await _revision(
        stack, emulator, service, folders[service.revision], addresses
    )
    revisions[service.revision] = latest
    ingress = Ingress(emulator.world, emulator.issuer, service, revisions, emulator.client)
    server = await _serve(stack, LocalServer(ingress))
    for name in Traffic(service.shares).revisions & revisions.keys():
        await revisions[name].start()
    return RunningService(
        service, folders[service.revision], latest, revisions, ingress, server.url, storage_write
    )


async def _revision(
    stack: AsyncExitStack,
    emulator: Emulator,
    service: CloudRun,
    folder: str,
    addresses: Mapping[str, str],
) -> tuple[Instances, StorageWriteApi]:
    """Return the instances of a revision, none of them started, and where they write rows."""
    files = emulator.home / "instances" / service.revision
    environment, storage_write = await _surroundings(stack, emulator, service, addresses, files)
    instances = Instances(
        service,
        local([*service.command]) or command_of(folder),
        {**base_environment(service), **environment},
        emulator.home / "instances",
        renew=partial(Mounts(files, service.files).renew, service.reads),
    )
    stack.push_async_callback(instances.stop)
    return instances, storage_write


async def _surroundings(
    stack: AsyncExitStack,
    emulator: Emulator,
    program: CloudRun | CloudRunJob,
    addresses: Mapping[str, str],
    folder: Path,
) -> tuple[Mapping[str, str], StorageWriteApi]:
    """Return a program's environment, with Google's APIs for its account and its mounted secrets
    in a folder of this machine, and where it writes rows."""
    storage_write = StorageWriteApi(emulator.world, emulator.warehouse, program.account)
    stack.callback(storage_write.stop)
    google = emulator.google_apis(program.account, program.project)
    apis = await _serve(stack, LocalServer(google.app))
    own = {
        **addresses,
        "storage_write": storage_write.endpoint,
        "google_apis": f"127.0.0.1:{apis.port}",
        "google_apis_url": apis.url,
    }
    mounts = stack.enter_context(mounted(folder, program.files))
    return mounts.seen_by(_environment(program, own, emulator.gateway)), storage_write


async def _batch(
    stack: AsyncExitStack,
    emulator: Emulator,
    resource: CloudResource,
    addresses: Mapping[str, str],
) -> RunningJob:
    job = job_of(emulator.world, resource, emulator.home / "secrets")
    # Before anything starts: a job that can't run here leaves nothing behind.
    if denied := refusal(emulator.world, job.project, resource.inputs, job.image):
        raise ImageError(denied)
    folder = folder_of(job.image)
    environment, _ = await _surroundings(
        stack, emulator, job, addresses, emulator.home / "instances" / f"{job.name}-job"
    )
    command = local([*job.command]) or command_of(folder)
    return RunningJob(job, folder, command, environment, emulator.home / "instances")


async def _as_account(stack: AsyncExitStack, emulator: Emulator, account: str) -> Mapping[str, str]:
    """Return the environment of a process that runs as an account."""
    project = account.partition("@")[2].partition(".")[0]
    apis = await _serve(stack, LocalServer(emulator.google_apis(account, project).app))
    host = f"127.0.0.1:{apis.port}"
    return {
        "PATH": os.environ.get("PATH", ""),
        "GCE_METADATA_HOST": host,
        "GCE_METADATA_IP": host,
        "GOOGLE_APIS_ENDPOINT": apis.url,
    }


@cache
def _endpoints() -> dict[str, Any]:
    """Return how a service's environment differs on this machine:
    `emulator/local_endpoints.yaml`."""
    return yaml.safe_load((_FOLDER / "local_endpoints.yaml").read_text(encoding="utf-8"))


def _environment(
    program: CloudRun | CloudRunJob, addresses: Mapping[str, str], gateway: ModelEndpoint | None
) -> dict[str, str]:
    endpoints = _endpoints()
    given = dict(program.environment)
    for variable in endpoints["dropped"]:
        given.pop(variable, None)
    for variable, place in endpoints["replaced"].items():
        if variable in given:
            given[variable] = addresses[place]
    for variable, place in endpoints["added"].items():
        given[variable] = addresses[place]
    if gateway is not None and gateway.is_asked_by(program):
        given |= gateway.variables()
    return given


async def _serve(stack: AsyncExitStack, server: LocalServer) -> LocalServer:
    await server.start()
    stack.push_async_callback(server.stop)
    return server

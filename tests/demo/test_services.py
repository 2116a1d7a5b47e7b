"""The services run as Cloud Run runs them, and only who may call them gets through."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from emulator.runtime.emulator import Emulator, RunningService, emulate
from emulator.runtime.images import ImageError, folder_of
from emulator.runtime.secrets import MissingSecretError
from emulator.runtime.services import service_of
from emulator.tokens import Issuer
from sandbox.gcp.effects.cloud_run import SERVICE
from sandbox.world import World
from tests.demo.worlds import add, alter, grant

INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
STRANGER = "stranger@acme-inference-dev.iam.gserviceaccount.com"
PATIENCE_SECONDS = 60


def on(home: Path, work: Callable[[Emulator, RunningService], Awaitable[None]]) -> None:
    """Run `work` with the stack's first service at work."""

    async def run() -> None:
        with World(home / "world.db") as world:
            async with emulate(world, home, skip=False) as emulator:
                await work(emulator, emulator.hosted[0])

    asyncio.run(run())


def change(home: Path, work: Callable[[World], None]) -> None:
    with World(home / "world.db") as world:
        work(world)


def template(home: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Change the services' templates."""
    change(home, lambda world: alter(world, SERVICE, lambda inputs: edit(inputs["template"])))


def push_account(world: World) -> str:
    (granted,) = world.by_type(INVOKER)
    return str(granted.inputs["member"]).removeprefix("serviceAccount:")


async def status(emulator: Emulator, hosted: RunningService, token: str | None, **more: str) -> int:
    headers = {**({} if token is None else {"authorization": f"Bearer {token}"}), **more}
    return (await emulator.client.get(f"{hosted.url}/", headers=headers)).status_code


def test_the_invoker_gets_through_and_nobody_else(home: Path) -> None:
    async def work(emulator: Emulator, hosted: RunningService) -> None:
        account, uri = push_account(emulator.world), hosted.service.uri
        sign = emulator.issuer.token
        assert await status(emulator, hosted, sign(account, uri)) == 200
        assert await status(emulator, hosted, None) == 403
        assert await status(emulator, hosted, sign(STRANGER, uri)) == 403
        assert await status(emulator, hosted, sign(account, "https://other.run.app")) == 401
        assert (
            await status(emulator, hosted, sign(account, uri, issuer="https://evil.example")) == 401
        )
        assert await status(emulator, hosted, sign(account, uri, lifetime=-60)) == 401
        token = sign(account, uri)
        forged = f"{token[:-20]}{'A' * 20}"
        assert await status(emulator, hosted, forged) == 401
        assert await status(emulator, hosted, "no token") == 401
        headers = {"authorization": "Basic YTpi"}
        assert (await emulator.client.get(f"{hosted.url}/", headers=headers)).status_code == 401
        both = await status(
            emulator, hosted, "nonsense", **{"x-serverless-authorization": f"Bearer {token}"}
        )
        assert both == 200

    on(home, work)


def test_a_key_of_another_sandbox_proves_nothing(home: Path, tmp_path: Path) -> None:
    async def work(emulator: Emulator, hosted: RunningService) -> None:
        other = Issuer(tmp_path / "other")
        token = other.token(push_account(emulator.world), hosted.service.uri)
        assert await status(emulator, hosted, token) == 401

    on(home, work)


def test_who_may_call_is_what_the_worlds_iam_says_at_that_moment(home: Path) -> None:
    async def work(emulator: Emulator, hosted: RunningService) -> None:
        (granted,) = emulator.world.by_type(INVOKER)
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        stranger = emulator.issuer.token(STRANGER, hosted.service.uri)
        assert await status(emulator, hosted, token) == 200
        emulator.world.remove(*granted.key)
        assert await status(emulator, hosted, token) == 403
        project = hosted.service.project
        grant(
            emulator.world, PROJECT_MEMBER, project, "roles/run.invoker", STRANGER, project=project,
            condition={"expression": "false"},
        )  # fmt: skip
        assert await status(emulator, hosted, stranger) == 403
        grant(
            emulator.world, PROJECT_MEMBER, project, "roles/run.invoker", STRANGER, project=project
        )
        assert await status(emulator, hosted, stranger) == 200
        developers = {**granted.inputs, "member": "group:developers@acme.com"}
        emulator.world.put(replace(granted, id="developers", inputs=developers))
        sign, uri = emulator.issuer.token, hosted.service.uri
        assert await status(emulator, hosted, sign("ada@acme.com", uri)) == 403
        in_group = sign("ada@acme.com", uri, groups=["group:developers@acme.com"])
        assert await status(emulator, hosted, in_group) == 200
        everyone = {**granted.inputs, "member": "allUsers"}
        emulator.world.put(replace(granted, id="everyone", inputs=everyone))
        assert await status(emulator, hosted, None) == 200

    on(home, work)


def test_custom_audiences_are_audiences_too(home: Path) -> None:
    def custom(inputs: dict[str, Any]) -> None:
        inputs["customAudiences"] = ["https://api.acme.example"]

    change(home, lambda world: alter(world, SERVICE, custom))

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        token = emulator.issuer.token(push_account(emulator.world), "https://api.acme.example")
        assert await status(emulator, hosted, token) == 200

    on(home, work)


def test_a_service_starts_with_the_first_request_and_again_when_it_was_killed(home: Path) -> None:
    async def work(emulator: Emulator, hosted: RunningService) -> None:
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        assert hosted.service.least == 0
        assert hosted.instances.running() == []
        assert await status(emulator, hosted, token) == 200
        (first,) = hosted.instances.running()
        psutil.Process(first).kill()
        await until(lambda: hosted.instances.running() == [])
        assert await status(emulator, hosted, token) == 200
        assert hosted.instances.running() != [first]

    on(home, work)


def test_the_least_number_of_instances_is_always_there(home: Path) -> None:
    def two(inputs: dict[str, Any]) -> None:
        inputs["scaling"] = {"minInstanceCount": 2, "maxInstanceCount": 2}

    template(home, two)

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        await until(lambda: len(hosted.instances.running()) == 2)
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        assert await status(emulator, hosted, token) == 200
        psutil.Process(hosted.instances.running()[0]).kill()
        await until(lambda: hosted.instances.started == 3)

    on(home, work)


def test_an_instance_without_requests_ends_down_to_the_least(home: Path) -> None:
    def up_to_two(inputs: dict[str, Any]) -> None:
        inputs["scaling"] = {"minInstanceCount": 1, "maxInstanceCount": 2}
        inputs["maxInstanceRequestConcurrency"] = 1

    template(home, up_to_two)

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        hosted.instances.idle_seconds = 0.2
        async with hosted.instances.turn(), hosted.instances.turn():
            assert len(hosted.instances.running()) == 2
        await until(lambda: len(hosted.instances.running()) == 1)
        await asyncio.sleep(0.5)
        assert len(hosted.instances.running()) == 1
        assert hosted.instances.started == 2
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        assert await status(emulator, hosted, token) == 200

    on(home, work)


def test_a_service_scales_to_zero_and_up_again(home: Path) -> None:
    async def work(emulator: Emulator, hosted: RunningService) -> None:
        hosted.instances.idle_seconds = 0.2
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        for started in (1, 2):
            assert await status(emulator, hosted, token) == 200
            assert hosted.instances.started == started
            await until(lambda: hosted.instances.running() == [])

    on(home, work)


def test_beyond_instances_times_concurrency_requests_get_429(home: Path) -> None:
    def narrow(inputs: dict[str, Any]) -> None:
        inputs["scaling"] = {"maxInstanceCount": 1}
        inputs["maxInstanceRequestConcurrency"] = 1

    template(home, narrow)

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        hosted.instances.pending_seconds = 0.2
        async with hosted.instances.turn():
            assert await status(emulator, hosted, token) == 429
        assert await status(emulator, hosted, token) == 200
        assert hosted.instances.started == 1

    on(home, work)


def test_more_requests_than_one_instance_takes_start_another(home: Path) -> None:
    def narrow(inputs: dict[str, Any]) -> None:
        inputs["scaling"] = {"maxInstanceCount": 2}
        inputs["maxInstanceRequestConcurrency"] = 1

    template(home, narrow)

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        async with hosted.instances.turn() as one, hosted.instances.turn() as other:
            assert one.port != other.port

    on(home, work)


def test_a_request_longer_than_the_timeout_gets_504(home: Path) -> None:
    def hurried(inputs: dict[str, Any]) -> None:
        inputs["timeout"] = "0.001s"

    template(home, hurried)

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        assert await status(emulator, hosted, token) == 504

    on(home, work)


@pytest.mark.parametrize("begun", [b"POST / HTTP/1.1", b"GET /healthz HTTP/1.1"])
def test_a_body_with_two_lengths_never_reaches_the_service(home: Path, begun: bytes) -> None:
    async def work(emulator: Emulator, hosted: RunningService) -> None:
        assert emulator.hosted
        url = httpx.URL(hosted.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        both = b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close"
        writer.write(begun + b"\r\nHost: a\r\n" + both + b"\r\n\r\n0\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        assert not hosted.ingress.answered

    on(home, work)


def test_a_service_that_cannot_start_gets_503_and_names_its_log(home: Path) -> None:
    def broken(inputs: dict[str, Any]) -> None:
        inputs["containers"][0]["envs"] = [{"name": "RESULTS_TABLE", "value": "nonsense"}]

    template(home, broken)

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        headers = {"authorization": f"Bearer {token}"}
        response = await emulator.client.get(f"{hosted.url}/", headers=headers)
        assert response.status_code == 503
        log = emulator.home / "instances" / f"{hosted.service.name}.log"
        assert str(log) in response.text
        assert "results_table" in log.read_text().lower()

    on(home, work)


ECHO = """
import http.server, json, os

class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"headers": dict(self.headers), "environment": dict(os.environ)}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Echo).serve_forever()
"""


def test_a_service_gets_what_cloud_run_gives_and_no_token_it_could_use(home: Path) -> None:
    def echo(inputs: dict[str, Any]) -> None:
        inputs["containers"][0]["commands"] = ["python", "-c", ECHO]

    template(home, echo)

    async def work(emulator: Emulator, hosted: RunningService) -> None:
        token = emulator.issuer.token(push_account(emulator.world), hosted.service.uri)
        headers = {"authorization": f"Bearer {token}", "x-own": "kept"}
        seen = (await emulator.client.get(f"{hosted.url}/", headers=headers)).json()
        given = {name.lower(): value for name, value in seen["headers"].items()}
        assert given["x-own"] == "kept"
        assert given["authorization"].endswith(".SIGNATURE_REMOVED_BY_GOOGLE")
        assert token.rpartition(".")[2] not in given["authorization"]
        environment = seen["environment"]
        assert environment["K_SERVICE"] == hosted.service.name
        assert environment["K_REVISION"] == hosted.service.revision
        for name, value in hosted.service.environment.items():
            assert environment[name] == value

    on(home, work)


VERSION = "gcp:secretmanager/secretVersion:SecretVersion"


def test_secrets_come_from_the_world_and_a_missing_one_stops_the_start(home: Path) -> None:
    def wants(version: str) -> Callable[[dict[str, Any]], None]:
        reference = {"secretKeyRef": {"secret": "key", "version": version}}

        def edit(inputs: dict[str, Any]) -> None:
            envs = inputs["containers"][0]["envs"]
            envs[:] = [each for each in envs if each["name"] != "LLM_API_KEY"]
            envs.append({"name": "LLM_API_KEY", "valueSource": reference})

        return edit

    def value(version: str) -> str:
        template(home, wants(version))
        with World(home / "world.db") as world:
            service = service_of(world, world.by_type(SERVICE)[0])
        found = service.environment["LLM_API_KEY"]
        assert found not in repr(service)
        return found

    with pytest.raises(MissingSecretError, match="LLM_API_KEY is to come from secret key"):
        value("latest")

    def put(world: World) -> None:
        project = world.by_type(SERVICE)[0].project
        for number, text in enumerate(("f1rst", "s3cond", "th1rd"), start=1):
            id_ = f"projects/{project}/secrets/key/versions/{number}"
            add(
                world, VERSION, id_,
                secret=f"projects/{project}/secrets/key", secretData=text, enabled=number != 3,
            )  # fmt: skip
            (found,) = world.find(id_)
            world.put(replace(found, project=project))

    change(home, put)
    assert value("latest") == "s3cond"
    assert value("1") == "f1rst"
    with pytest.raises(MissingSecretError, match="no version 3"):
        value("3")


@pytest.mark.parametrize("service", ["sentiment_analyzer", "llm_backend"])
def test_a_service_is_found_by_its_images_name(service: str) -> None:
    name = service.replace("_", "-")
    digest = f"sha256:{'a' * 64}"
    for tag in (":1.0.0", f"@{digest}", f":1.0.0@{digest}"):
        assert folder_of(f"us-docker.pkg.dev/acme/services/{name}{tag}") == service


def test_an_image_of_somewhere_else_is_named_with_what_can_run_here() -> None:
    with pytest.raises(ImageError, match="llm_backend or sentiment_analyzer"):
        folder_of("us-docker.pkg.dev/google-samples/containers/gke/hello-app:2.0")


async def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.02)

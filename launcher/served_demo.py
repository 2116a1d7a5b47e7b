"""What `make demo` shows of the request path to a stack's large models, where it can be run."""

import asyncio
import itertools
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final

from catalog.config_folder import make_command
from catalog.words import plural
from launcher.console import show
from launcher.gateway import PAGE, RequestPath, Wanted, followed, request_path
from launcher.locks import exclusive
from launcher.paths import StackPaths, shown_file
from launcher.problem import LaunchError

_TURNS: Final = 2
_NOWHERE: Final = "no-such-model"
_KUBERNETES: Final = "kubernetes:"
_GATEWAY: Final = ":Gateway"
_TOKENS: Final = 16
"""Of an answer that nobody reads."""
_PATIENCE_SECONDS: Final = 60.0


def show_path(places: StackPaths, answers: str = "") -> None:
    """Send requests to the stack's large models, by its consumers and by its own services; print
    the way of each, and leave a page of them. `answers` is as in `Wanted`.

    Say how to have its programs where they aren't built. Raises LaunchError if it can't be run, or
    a service gets no answer.
    """
    types = {each["type"] for each in places.recorded()}
    if not any(each.startswith(_KUBERNETES) and each.endswith(_GATEWAY) for each in types):
        return
    # These take longer to load than a preview's first line, and the rest is of no use without them.
    from emulator.gateway.serve import missing

    if lacking := missing():
        show(
            f"  left out: its large models: {', '.join(lacking)} missing; "
            f"`{make_command(f'serve STACK={places.stack}')}` builds what can be built"
        )
        return
    from emulator.demo import run
    from emulator.gateway.page import write_page
    from emulator.runtime.model_endpoint import ModelEndpoint
    from sandbox.world import World

    page, requests = places.home / PAGE, list[Mapping[str, Any]]()
    wanted = Wanted(answers=answers, explained=True)
    with exclusive(places), World(places.world) as world, request_path(places, wanted) as path:
        gateway = path.gateway
        stays = make_command(f"serve STACK={places.stack}")
        if path.answered:
            show(path.answered)
        show(f"base URL while it lasts: {gateway.url}; `{stays}` has one that stays")
        endpoint = ModelEndpoint(
            url=gateway.url,
            authority=gateway.certificate.authority,
            names=gateway.certificate.names,
            models=gateway.models,
        )
        try:
            with followed(path, requests) as look:
                show(f"requests to {plural(len(gateway.models), 'large model')} of {places.stack}:")
                for model, key in _wanted(path):
                    path.check()
                    _ask(path, model, key)
                    look()
                show("requests of its services:")
                home = places.home
                checks, replies = asyncio.run(run.ask_gateway(world, home, endpoint))
            run.conclude_requests(home, page, checks, replies, tell=show)
        except run.DemoError as problem:
            raise LaunchError(str(problem)) from problem
        finally:
            write_page(page, places.stack, requests, path.answered)
            show(f"The page of {plural(len(requests), 'request')}: {shown_file(page)}")


def _wanted(path: RequestPath) -> Iterator[tuple[str, str]]:
    """Yield the model and the key of each request: every model more than once, and one that isn't
    there."""
    keys = itertools.cycle(path.gateway.keys().values() or [path.key])
    models = (model for model in path.gateway.models for _ in range(_TURNS))
    return zip((*models, _NOWHERE), keys, strict=False)


def _ask(path: RequestPath, model: str, key: str) -> None:
    import httpx

    trust = ssl.create_default_context(cafile=path.gateway.certificate.authority)
    messages = [{"role": "user", "content": "Which way did this go?"}]
    body = {"model": model, "messages": messages, "max_tokens": _TOKENS}
    with httpx.Client(verify=trust, timeout=_PATIENCE_SECONDS, trust_env=False) as client:
        client.post(
            f"{path.gateway.url}/chat/completions",
            json=body,
            headers={"authorization": f"Bearer {key}"},
        )

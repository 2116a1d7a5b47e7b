"""Direct calls: who may invoke a service and who not, and a chat with the LLM backend."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from catalog.conventions import EVERYONE
from catalog.words import plural
from emulator.demo.checks import Check
from emulator.runtime.emulator import Emulator, RunningService
from emulator.warehouse.store import TABLE, query_of, table_id
from sandbox.gcp.access import grants_on, members_that_may

_INVOKE = "run.routes.invoke"
_STRANGER = "stranger@elsewhere.iam.gserviceaccount.com"
_TABLE = "PREDICTIONS_TABLE"
_CHAT = {"message": "Summarize this: the sandbox cloud runs the whole pipeline on one machine."}


@dataclass(frozen=True)
class Caller:
    """Who calls, and what Cloud Run answers."""

    who: str
    token: str | None
    wanted: int


async def invoker_checks(emulator: Emulator, hosted: RunningService) -> list[Check]:
    """Call the service's front page as different callers."""
    account, audience = invoker(emulator, hosted), hosted.service.uri
    token = emulator.issuer.token
    public = is_public(emulator, hosted)
    callers = [
        Caller("anyone without a token", None, 200 if public else 403),
        Caller(_STRANGER, token(_STRANGER, audience), 200 if public else 403),
    ]
    if account is not None:
        wrong = signed(emulator, account, "https://elsewhere.run.app")
        callers += [
            Caller(account, signed(emulator, account, audience), 200),
            Caller("a token for another service", wrong, 200 if public else 401),
        ]
    found: list[Check] = []
    for caller in callers:
        headers = {} if caller.token is None else {"authorization": f"Bearer {caller.token}"}
        response = await emulator.client.get(f"{hosted.url}/", headers=headers)
        what = f"status for {caller.who}"
        found.append(Check(hosted.service.name, what, response.status_code, caller.wanted))
    return found


async def share_checks(emulator: Emulator, hosted: RunningService) -> list[Check]:
    """Call a service whose requests several revisions share, a hundred times."""
    account, shares = invoker(emulator, hosted), hosted.service.shares
    if account is None or len({share.revision for share in shares}) < 2:
        return []
    wanted: Counter[str] = Counter()
    for share in shares:
        wanted[share.revision] += share.percent
    headers = {"authorization": f"Bearer {signed(emulator, account, hosted.service.uri)}"}
    before = hosted.ingress.answered.copy()
    for _ in range(sum(wanted.values())):
        await emulator.client.get(f"{hosted.url}/", headers=headers)
    found = hosted.ingress.answered - before
    return [
        Check(hosted.service.name, f"of a hundred requests to {revision}", found[revision], percent)
        for revision, percent in wanted.items()
    ]


async def chat(emulator: Emulator, hosted: RunningService) -> tuple[list[Check], list[str]]:
    """Ask the LLM backend three times: once, again, and streamed. Return checks and replies."""
    before = len(logged(emulator, hosted))
    account, name = invoker(emulator, hosted), hosted.service.name
    headers = (
        {}
        if account is None
        else {"authorization": f"Bearer {signed(emulator, account, hosted.service.uri)}"}
    )
    url, replies, checks = f"{hosted.url}/v1/chat", list[str](), list[Check]()
    caches = "REDIS_URL" in hosted.service.environment
    for turn, cached in (("first", False), ("second", caches)):
        response = await emulator.client.post(url, json=_CHAT, headers=headers)
        checks.append(Check(name, f"status of the {turn} chat", response.status_code, 200))
        if response.is_success:
            answer: dict[str, Any] = response.json()
            if turn == "second":
                checks.append(Check(name, "from the cache", answer["cached"], cached))
            replies.append(
                f"{turn} ({'cached' if answer['cached'] else 'model'}): {answer['reply']}"
            )
    pieces: list[str] = []
    body = {**_CHAT, "stream": True}
    async with emulator.client.stream("POST", url, json=body, headers=headers) as response:
        async for line in response.aiter_lines():
            pieces += [line.removeprefix("data: ")] if line.startswith("data: ") else []
    checks.append(Check(name, "streamed to its end", pieces[-1:], ["[DONE]"]))
    if _TABLE in hosted.service.environment:
        checks += _log_checks(emulator, hosted, logged(emulator, hosted)[before:])
    replies.append(f"streamed in {plural(len(pieces), 'event')}: {_joined(pieces)}")
    return checks, replies


def logged(emulator: Emulator, hosted: RunningService) -> list[dict[str, Any]]:
    """Return the rows of the service's request log; none where it keeps none."""
    table = hosted.service.environment.get(_TABLE)
    return emulator.warehouse.rows(table_id(table)) if table else []


def _log_checks(
    emulator: Emulator, hosted: RunningService, rows: list[dict[str, Any]]
) -> list[Check]:
    """Return the counts of the three chats' rows, and of what views make of all rows."""
    name = hosted.service.name
    asked = [row for row in rows if not row["metadata"].get("cached")]
    checks = [
        Check(name, "chats in the request log", len(rows), 3),
        Check(name, "of them with tokens", sum(_tokens(row) > 0 for row in rows), len(asked)),
    ]
    everything = logged(emulator, hosted)
    dataset = table_id(hosted.service.environment[_TABLE]).rpartition("/tables/")[0]
    for view in emulator.world.by_type(TABLE):
        if view.id.startswith(f"{dataset}/") and "SUM(prompt_tokens)" in query_of(view):
            days = emulator.warehouse.answer(view.id)
            what = f"tokens by day, model and consumer in {view.id.rpartition('/')[2]}"
            counted = sum(map(_tokens, days))
            checks.append(Check(name, what, counted, sum(map(_tokens, everything))))
    return checks


def _tokens(row: dict[str, Any]) -> int:
    return sum(row[key] or 0 for key in ("prompt_tokens", "completion_tokens"))


def invoker(emulator: Emulator, hosted: RunningService) -> str | None:
    """Return an account or group that may call the service, as `kind:email`."""
    return next(iter(members_that_may(emulator.world, _INVOKE, *_where(hosted))), None)


def signed(emulator: Emulator, member: str, audience: str) -> str:
    """Return a token of an account, or of somebody in a group."""
    kind, _, email = member.partition(":")
    if kind != "group":
        return emulator.issuer.token(email, audience)
    someone = f"someone@{email.partition('@')[2]}"
    return emulator.issuer.token(someone, audience, groups=[member])


def is_public(emulator: Emulator, hosted: RunningService) -> bool:
    """Return whether nobody's token is looked at."""
    everyone = any(member == EVERYONE for _, member in grants_on(emulator.world, _where(hosted)))
    return hosted.service.anyone or everyone


def _where(hosted: RunningService) -> tuple[str, str]:
    return hosted.service.id, f"projects/{hosted.service.project}"


def _joined(pieces: list[str]) -> str:
    events = [json.loads(piece) for piece in pieces if piece.startswith("{")]
    choices = [choice for event in events for choice in event.get("choices", ())]
    return "".join(str(choice["delta"].get("content") or "") for choice in choices)

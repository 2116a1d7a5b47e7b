"""Which extensions a load balancer runs for a request, and what each of them is.

Chains are tried in order and the first that matches runs, alone: its extensions in order for the
request, in reverse order for the response.
https://cloud.google.com/service-extensions/docs/lb-extensions-overview
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from catalog.conventions import API_MANAGEMENT
from request_path.cel import CelError, parse
from request_path.coverage import Truth, covers, holds
from request_path.matching import Request, Requests
from request_path.objects import Chain, Extension, Extensions, Gateway, Objects
from request_path.pods import is_guardrail_name
from resources.properties import UNKNOWN

TRAFFIC: Final = "GCPTrafficExtension"
ROUTING: Final = "GCPRoutingExtension"
MODEL_ARMOR: Final = re.compile(r"modelarmor\.(?P<region>[a-z0-9-]+)\.rep\.googleapis\.com")

API_MANAGEMENT_TITLE: Final = "API management"


@dataclass(frozen=True)
class ExtensionKind:
    """A kind of extension."""

    title: str
    recognises: Callable[[Extension], bool]
    guards: bool = False
    """Whether it screens prompts and answers."""


def _calls(kind: str) -> Callable[[Extension], bool]:
    return lambda extension: extension.backend.kind == kind and extension.backend.name is not None


def _calls_service(extension: Extension) -> bool:
    return any(_calls(kind)(extension) for kind in ("Service", "ServiceImport"))


def _ends_with(name: object, convention: str) -> bool:
    return isinstance(name, str) and f"-{name}".endswith(f"-{convention}")


KINDS: Final = (
    ExtensionKind(
        "Model Armor",
        lambda extension: (
            isinstance(extension.google_service, str)
            and MODEL_ARMOR.fullmatch(extension.google_service) is not None
        ),
        guards=True,
    ),
    ExtensionKind("API of Google", lambda extension: extension.google_service is not None),
    ExtensionKind(
        API_MANAGEMENT_TITLE,
        lambda extension: (
            _calls("ApigeeBackendService")(extension)
            or (_calls_service(extension) and _ends_with(extension.name, API_MANAGEMENT))
        ),
    ),
    ExtensionKind("Wasm plugin", _calls("GCPWasmPlugin")),
    ExtensionKind(
        "guardrail service",
        lambda extension: (
            _calls_service(extension)
            and (is_guardrail_name(extension.name) or is_guardrail_name(extension.backend.name))
        ),
        guards=True,
    ),
    ExtensionKind("callout", lambda _: True),
)
"""The first that recognises an extension is its kind."""


def kind_of(extension: Extension) -> ExtensionKind:
    """Return the kind of an extension."""
    return next(kind for kind in KINDS if kind.recognises(extension))


def region_of(extension: Extension) -> str | None:
    """Return the region in which an extension calls Model Armor."""
    service = extension.google_service
    found = MODEL_ARMOR.fullmatch(service) if isinstance(service, str) else None
    return found["region"] if found else None


def attached(gateway: Gateway, kind: str, objects: Objects) -> list[Extensions]:
    """Return the extensions of a kind on a Gateway: those in its namespace that name it."""
    return [
        extensions
        for extensions in objects.extensions
        if extensions.kind == kind
        and any(objects.refers(extensions, target, gateway) for target in extensions.targets)
    ]


def deciding(extensions: Extensions, requests: Requests) -> Iterator[tuple[Chain | None, str]]:
    """Yield each chain that may be the one to run, and None where it may be that none is.

    With each goes what makes it no certainty, empty where it is one.
    """
    doubts: list[str] = []
    for chain in extensions.chains:
        truth, doubt = _truth(chain, requests)
        if truth is not Truth.NEVER:
            yield chain, doubt
        if truth is Truth.ALWAYS:
            return
        if doubt:
            doubts.append(doubt)
    yield None, "; ".join(doubts)


def _truth(chain: Chain, requests: Requests) -> tuple[Truth, str]:
    """Return whether a chain runs. Of several conditions all must hold, or none, to be sure."""
    truths: set[Truth] = set()
    for expression in chain.conditions:
        if expression is UNKNOWN:
            return Truth.UNPROVEN, "its condition isn't known yet"
        try:
            truths.add(covers(parse(expression), requests))
        except CelError as error:
            return Truth.UNPROVEN, f"its condition can't be read: {error}"
    if len(truths) == 1:
        truth = truths.pop()
        return truth, "" if truth is not Truth.UNPROVEN else "its condition takes only some"
    if truths:
        return Truth.UNPROVEN, "its conditions disagree"
    return Truth.ALWAYS, ""


def chain_for(extensions: Extensions, request: Request) -> Chain | None:
    """Return the chain that runs for one request; a condition that can't be read counts as
    unmet."""
    for chain in extensions.chains:
        if all(_holds(expression, request) for expression in chain.conditions):
            return chain
    return None


def _holds(expression: object, request: Request) -> bool:
    try:
        return isinstance(expression, str) and holds(parse(expression), request)
    except CelError:
        return False

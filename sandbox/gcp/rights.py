"""Refuses what Google Cloud makes only once an account has been granted what it takes.

`refused` of catalog/needs.yaml says which rights an API asks for as it makes a resource.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from catalog.needs import Need, agents, kinds, needs
from sandbox.errors import google
from sandbox.gcp.access import might
from sandbox.gcp.request import Request
from sandbox.gcp.services import agent_email
from sandbox.values import as_map, values_at
from sandbox.world import EXISTING, CloudResource

_OWN_ACCOUNT: Final = "serviceAccountEmail"
"""What a block names instead of the service's agent."""


def check_rights(request: Request) -> None:
    """Raise the cloud's 403 for the first right that is missing on something of this world."""
    for need in _refusing().get(request.type.token, ()):
        if need.at and not any(values_at(request.inputs, need.at)):
            continue
        for account in _accounts(request, need):
            for target in _targets(request, need):
                held = (target.id, f"projects/{target.project}")
                for permission in need.may:
                    if not might(request.world, account, permission, *held):
                        raise google(
                            403,
                            need.refused.format(account=account, target=target.id),
                            "forbidden",
                        )


@cache
def _refusing() -> Mapping[str, tuple[Need, ...]]:
    of = {need.of for need in needs() if need.refused}
    return {
        token: tuple(need for need in needs() if need.of == token and need.refused) for token in of
    }


def _accounts(request: Request, need: Need) -> Iterator[str]:
    kind, _, named = need.who.partition(":")
    if kind == "agent":
        block = next(iter(values_at(request.inputs, need.at)), None) if need.at else None
        own = as_map(block).get(_OWN_ACCOUNT)
        yield str(own) if own else agent_email(agents()[named], request.project)
    else:
        yield from (str(each) for each in values_at(request.inputs, named) if each)


def _targets(request: Request, need: Need) -> Iterator[CloudResource]:
    """Yield what the resource names, where all that is granted on it is of this world."""
    kind = kinds()[need.on]
    for value in values_at(request.inputs, need.named):
        wanted = re.split("[.:/]", request.own_name(str(value)))[-len(kind.name) :]
        for each in request.world.by_type(kind.type):
            if (
                each.owner != EXISTING
                and [str(each.inputs.get(name)) for name in kind.name] == wanted
            ):
                yield each

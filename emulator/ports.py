"""Ports for what an emulator starts."""

import secrets
import socket
from contextlib import ExitStack, suppress
from typing import Final

_PORTS: Final = range(15_000, 32_000)
"""Below those that systems give to outgoing connections."""


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on, and that no outgoing connection is given meanwhile."""
    found: list[int] = []
    with ExitStack() as opened:
        for port in secrets.SystemRandom().sample(_PORTS, len(_PORTS)):
            if len(found) == count:
                break
            one = opened.enter_context(socket.socket())
            with suppress(OSError):
                one.bind(("", port))
                found.append(port)
    return found

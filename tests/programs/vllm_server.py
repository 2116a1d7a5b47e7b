"""The command lines of model servers, read by the parser of vLLM's own server."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import pytest

from catalog.releases import IMAGES
from components.inference.vllm import (
    COMMAND,
    MULTI_NODE_COMMAND,
    SLICE_LEADER_COMMAND,
    SLICE_WORKER_COMMAND,
)
from launcher.paths import ROOT

PYTHON = ROOT / ".engine" / "vllm" / "bin" / "python"
NEEDED = pytest.mark.skipif(
    not PYTHON.exists(),
    reason="NO ARGUMENT LIST WAS READ BY VLLM: `python3 tools/vllm_parser.py` says what is missing",
)
CONTAINER = "vllm"
IMAGES_OF_VLLM = tuple(IMAGES[each].image for each in ("vllm", "vllm_tpu"))
"""Wherever they are mirrored. Another one has options of its own."""


def refused(commands: Sequence[Sequence[str]]) -> list[str | None]:
    """Return what vLLM refuses each command line with, None where it takes it."""
    read = subprocess.run(
        [PYTHON, ROOT / "tools" / "vllm_options.py", "--refused"],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(read.stdout)


def refusals(objects: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the command lines of the model servers among objects that vLLM refuses, and why."""
    lines = {" ".join(each): each for each in commands(objects)}
    return {
        line: why
        for line, why in zip(lines, refused([*lines.values()]), strict=True)
        if why is not None
    }


def commands(objects: Iterable[Mapping[str, Any]]) -> Iterator[list[str]]:
    """Yield the command line of each model server of the catalog's images, however deep.

    Fails at one that is started in a way that is not known here.
    """
    for container in _containers([*objects]):
        if container.get("name") != CONTAINER or not container["image"].endswith(IMAGES_OF_VLLM):
            continue
        command = tuple(container["command"])
        # The kubelet puts the value of a variable there: a number, or an address.
        given = [re.sub(r"\$\(\w+\)", "1", each) for each in container["args"]]
        if command == SLICE_LEADER_COMMAND:
            yield [*MULTI_NODE_COMMAND, *given]
        elif command in (COMMAND, MULTI_NODE_COMMAND):
            yield [*command, *given]
        else:
            assert command == SLICE_WORKER_COMMAND


def _containers(waiting: list[Any]) -> Iterator[dict[str, Any]]:
    while waiting:
        found = waiting.pop()
        if isinstance(found, Mapping):
            holder = cast("Mapping[str, Any]", found)
            yield from holder.get("containers", [])
            waiting += holder.values()
        elif isinstance(found, list):
            waiting += cast("list[Any]", found)

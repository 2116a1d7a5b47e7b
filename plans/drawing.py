"""A picture as SVG, laid out by Graphviz: a box for each perimeter, region and network."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from plans.picture import NOWHERE, OUTSIDE, Node, Picture

_GRAPH: Final = (
    'rankdir=LR fontname="Helvetica" fontsize=12 bgcolor=transparent ranksep=0.6 nodesep=0.15 '
    "pad=0.2 compound=true"
)
_NODE: Final = (
    'shape=box style="rounded,filled" fontname="Helvetica" fontsize=11 margin="0.12,0.06"'
)
_EDGE: Final = 'fontname="Helvetica" fontsize=9 arrowsize=0.6'
_HEAD: Final = re.compile(r".*?(?=<svg)", re.DOTALL)
_SIZE: Final = re.compile(r'<svg width="(\d+)pt" height="(\d+)pt"')
_TITLE: Final = re.compile(r"<title>[^<]*</title>\n?")


class DrawingError(Exception):
    """Why there is no picture."""


def svg(picture: Picture, label: str) -> str:
    """Return the picture as an element of a page. Raises DrawingError where it can't be laid out.

    Graphviz runs in a process of its own: it writes warnings about fonts, and may crash.
    """
    done = subprocess.run(
        [sys.executable, "-m", "plans.graphviz"],
        input=dot(picture),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or "<svg" not in done.stdout:
        said = done.stderr.strip().splitlines()
        raise DrawingError(said[-1] if said else f"Graphviz ended with {done.returncode}")
    plain = _TITLE.sub("", _HEAD.sub("", done.stdout, count=1))
    # Smaller than this its text can't be read: a narrow screen scrolls it.
    style = "max-width:\\1pt;min-width:calc(\\1pt * 0.6)"
    named = f'<svg class="picture" role="img" aria-label="{_escaped(label)}" style="{style}"'
    return _SIZE.sub(named, plain, count=1)


def dot(picture: Picture) -> str:
    """Return the picture in Graphviz's language."""
    lines = [f"digraph {{ graph [{_GRAPH}]; node [{_NODE}]; edge [{_EDGE}];"]
    regions = picture.regions()
    lines += _networks("outside", regions.pop(OUTSIDE, []))
    inside = [line for name, nodes in regions.items() for line in _region(name, nodes)]
    lines += _box("perimeter", "VPC Service Controls perimeter", inside, drawn=picture.perimeter)
    for (start, end), label in picture.edges.items():
        a, b = picture.nodes[start].id, picture.nodes[end].id
        lines.append(f"{a} -> {b} [label={_quoted(label)}];")
    return "\n".join([*lines, "}"])


def _region(name: str, nodes: Iterable[Node]) -> Iterator[str]:
    return _box(name, name, list(_networks(name, nodes)), drawn=name != NOWHERE)


def _networks(region: str, nodes: Iterable[Node]) -> Iterator[str]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in nodes:
        label = f"{each.kind}\n{each.label}"
        found[each.network].append(
            f"{each.id} [label={_quoted(label)} class={_quoted(each.state)}];"
        )
    for network, lines in found.items():
        yield from _box(f"{region} {network}", f"VPC {network}", lines, drawn=network != "")


def _box(name: str, label: str, lines: Iterable[str], *, drawn: bool) -> Iterator[str]:
    if not drawn:
        yield from lines
        return
    yield f"subgraph {_quoted(f'cluster {name}')} {{ label={_quoted(label)}; style=rounded;"
    yield from lines
    yield "}"


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")

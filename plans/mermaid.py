"""A picture as GitHub draws it in a comment: https://mermaid.js.org/syntax/flowchart.html."""

import re
from collections.abc import Mapping
from typing import Final

from plans.picture import NOWHERE, OUTSIDE, Picture

_COLOURS: Final[Mapping[str, str]] = {
    "create": "fill:#dcfce7,stroke:#15803d,color:#14532d",
    "import": "fill:#dcfce7,stroke:#15803d,color:#14532d",
    "update": "fill:#fef3c7,stroke:#b45309,color:#78350f",
    "replace": "fill:#fee2e2,stroke:#b91c1c,color:#7f1d1d",
    "delete": "fill:#fee2e2,stroke:#b91c1c,color:#7f1d1d,stroke-dasharray:4",
}


def render(picture: Picture) -> str:
    """Return the picture as GitHub draws it in a comment; nothing where nothing is drawn."""
    if not picture.nodes:
        return ""
    lines = ["flowchart LR"]
    for region, nodes in picture.regions().items():
        inside = region not in (OUTSIDE, NOWHERE)
        if inside:
            lines.append(f'  subgraph {re.sub(r"[^a-z0-9]", "_", region)}["{region}"]')
        lines += [
            f'    {each.id}["{_words(each.kind)}<br/>{_words(each.label)}"]' for each in nodes
        ]
        if inside:
            lines.append("  end")
    for (start, end), label in picture.edges.items():
        a, b = picture.nodes[start].id, picture.nodes[end].id
        lines.append(f'  {a} -->|"{_words(label)}"| {b}' if label else f"  {a} --> {b}")
    for state, colours in _COLOURS.items():
        ids = [each.id for each in picture.nodes.values() if each.state == state]
        if ids:
            lines += [f"  classDef {state} {colours}", f"  class {','.join(ids)} {state}"]
    return "\n".join(lines)


def _words(text: str) -> str:
    return re.sub(r"[^\w .,:;/%()+*'-]", " ", text)

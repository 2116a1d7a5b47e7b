"""The examples of docs/components: what they make, and the arguments they give."""

import ast
from typing import Any

from components import pages


def source(component: str) -> str:
    """Return the program on a component's page."""
    return pages.example((pages.FOLDER / f"{component}.md").read_text(encoding="utf-8"))


def arguments(component: str) -> Any:
    """Return the arguments that a component's example gives it."""
    for node in ast.walk(ast.parse(source(component))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == component:
            return ast.literal_eval(node.args[1])
    raise ValueError(f"the page of {component} does not make it")

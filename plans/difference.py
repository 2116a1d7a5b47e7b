"""The difference of two environments, as a plan that leads from one to the other."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from catalog.config_folder import make_command
from plans.plan import Plan, Step, plan_of
from plans.words import Words
from resources.properties import is_mapping, is_sequence

_PROVIDER: Final = "pulumi:providers:gcp"
_MOST_PATHS: Final = 40


def difference(first: Path, second: Path) -> tuple[Plan, Words]:
    """Return what differs between what two plans lead to, and the words for it.

    Names of stack and project, which always differ, are taken for the same. Raises ValueError
    where a file holds no plan.
    """
    documents = [_document(file) for file in (first, second)]
    names = [str(each["stack"]) for each in documents]
    left = _alike(documents[0], documents[1])
    before, after = plan_of(left), plan_of(documents[1])
    there = {each.urn: each for each in before.steps if each.after}
    here = {each.urn: each for each in after.steps if each.after}
    steps = [_step(there.get(urn), here.get(urn)) for urn in sorted({*here, *there})]
    needs = {**before.needs, **after.needs}
    a, b = names if names[0] != names[1] else ("the first", "the second")
    words = Words(
        a,
        b,
        {
            "create": f"only in {b}",
            "delete": f"only in {a}",
            "update": "different",
            "replace": "different",
            "import": "different",
        },
        none="nothing differs",
        lost=f"only in {a}",
        found=f"Only in {b}",
    )
    return Plan(f"{a} and {b}", tuple(steps), needs), words


def _document(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        plan_of(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        told = f"{file} holds no plan ({problem}): `{make_command('report')}` writes one"
        raise ValueError(told) from problem
    return found


def _alike(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Return the left plan with the names of stack and project of the right one."""
    text = json.dumps(left)
    text = text.replace(f"urn:pulumi:{left['stack']}::", f"urn:pulumi:{right['stack']}::")
    projects = [_project(each) for each in (left, right)]
    if all(projects):
        text = text.replace(str(projects[0]), str(projects[1]))
    return json.loads(text)


def _project(document: Mapping[str, Any]) -> str | None:
    for step in document["steps"].values():
        if step["type"] == _PROVIDER and step["new"]:
            return step["new"]["inputs"].get("project")
    return None


def _step(left: Step | None, right: Step | None) -> Step:
    step = right or left
    if step is None:
        raise LookupError("a step of neither plan")
    before, after = (each.after if each else None for each in (left, right))
    changed: tuple[str, ...] = ()
    if before and after:
        changed = tuple(_paths("", before.inputs, after.inputs))[:_MOST_PATHS]
        operation = "update" if changed else "same"
    else:
        operation = "create" if after else "delete"
    return replace(step, operation=operation, changed=changed, before=before, after=after)


def _paths(path: str, left: object, right: object) -> Iterator[str]:
    if is_mapping(left) and is_mapping(right):
        for key in sorted({*left, *right}):
            if not key.startswith("__"):
                yield from _paths(f"{path}.{key}".lstrip("."), left.get(key), right.get(key))
    elif is_sequence(left) and is_sequence(right) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _paths(f"{path}[{index}]", one, other)
    elif left != right:
        yield path

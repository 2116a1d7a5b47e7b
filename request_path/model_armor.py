"""Which Model Armor templates screen a model name, as an extension's settings say."""

import json
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from catalog.conventions import DEFAULT_MODEL
from request_path.fields import items, text
from request_path.objects import Extension, Template
from resources.properties import UNKNOWN, get
from resources.selectors import may_equal

SIDES: Final = {
    "prompts": "user_prompt_template_id",
    "answers": "model_response_template_id",
}


class Problem(NamedTuple):
    """What is wrong with the settings; `unscreened` are the names it leaves without a guardrail."""

    name: str
    """Of its sentence in findings.yaml."""
    values: tuple[object, ...]
    unscreened: frozenset[str] = frozenset()


def entries(guard: Extension) -> dict[str, object] | None:
    """Return the entry of each model name; None where the settings can't be read."""
    if not isinstance(guard.settings, str):
        return None
    try:
        settings = json.loads(guard.settings)
    except ValueError:
        return None
    return {str(get(each, "model")): each for each in items(settings)}


def screening(
    guard: Extension,
    models: frozenset[str],
    region: str | None,
    templates: Iterable[Template],
) -> Iterator[Problem]:
    """Yield what is wrong with the templates of some model names, of any name where there are none.

    Templates are to be in the region and in the stack, and to screen something.
    """
    found = entries(guard)
    if found is None:
        known = guard.settings is not UNKNOWN
        yield Problem("no-settings/unreadable" if known else "no-settings/unknown", (guard.name,))
        return
    for model in sorted(models) or [DEFAULT_MODEL]:
        entry = found.get(model, found.get(DEFAULT_MODEL))
        if entry is None:
            yield Problem("no-entry", (model, guard.name), frozenset({model}))
            continue
        for side, key in SIDES.items():
            yield from _template(model, side, text(entry, key), region, templates)


def template_of(reference: object, templates: Iterable[Template]) -> Template | None:
    """Return the template that a full name is of."""
    parts = reference.split("/") if isinstance(reference, str) else []
    if len(parts) != 6 or parts[0::2] != ["projects", "locations", "templates"]:
        return None
    for template in templates:
        named = (template.project, template.location, template.name)
        if all(may_equal(one, other) for one, other in zip(parts[1::2], named, strict=True)):
            return template
    return None


def _template(
    model: str, side: str, reference: object, region: str | None, templates: Iterable[Template]
) -> Iterator[Problem]:
    one = frozenset({model})
    if not isinstance(reference, str):
        yield Problem("no-template", (side, model), one)
        return
    template = template_of(reference, templates)
    if template is None:
        yield Problem("template-missing", (reference, side, model))
    elif region is not None and not may_equal(template.location, region):
        where = (template.location, region)
        yield Problem("template-elsewhere", (template, side, model, *where))
    elif not template.screens:
        yield Problem("unscreened", (side, model, template), one)

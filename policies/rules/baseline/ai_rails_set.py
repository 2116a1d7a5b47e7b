"""A guardrail's own settings screen prompts and answers.

https://docs.nvidia.com/nemo/guardrails/latest/configure-rails/yaml-schema/index.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from pulumi_policy import EnforcementLevel, Severity

from catalog import strict_yaml
from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import get, is_mapping
from resources.resource import Resource

_CONFIG_MAP: Final = "core/ConfigMap"
_SIDES: Final = {"input": "prompts", "output": "answers"}


def _rails(document: object) -> Mapping[str, Any] | None:
    """Return the rails of a text, None for one that has none."""
    if not isinstance(document, str) or "rails:" not in document:
        return None
    try:
        found: object = strict_yaml.load(document)
    except strict_yaml.YamlError:
        return None
    rails = cast("dict[str, Any]", found).get("rails") if isinstance(found, dict) else None
    return cast("dict[str, Any]", rails) if isinstance(rails, dict) else None


def _flows(rails: Mapping[str, Any], side: str) -> object:
    found: object = rails.get(side)
    return cast("dict[str, Any]", found).get("flows") if isinstance(found, dict) else None


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    for each in objects(resource.type, resource.props):
        data = get(each, "data")
        for name in list(data) if is_mapping(data) else ():
            rails = _rails(get(data, name))
            for side, what in _SIDES.items() if rails is not None else ():
                if not _flows(rails or {}, side):
                    yield f"{name} has no rails for {what}: rails.{side}.flows is empty"


RULE: Final = ResourceRule(
    id="ai-rails-set",
    display_name="Guardrails of one's own screen",
    description="The settings of NeMo Guardrails name flows for prompts and for answers.",
    why="A guardrail without rails passes everything, and looks as if it did not.",
    remediation="name the flows that screen in rails.input.flows and rails.output.flows.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://docs.nvidia.com/nemo/guardrails/latest/configure-rails/yaml-schema/index.html",
    applies=lambda resource_type: kind_of(resource_type) == _CONFIG_MAP,
    check=_check,
)

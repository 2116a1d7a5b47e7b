"""A stand-in of Model Armor: the stack's own templates, with the detectors of `detectors.yaml`."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import yaml

from catalog.conventions import DEFAULT_MODEL, MODEL_ARMOR_SETTINGS
from emulator.gateway.processors import Processor, Refusal
from sandbox.world import World

TEMPLATE: Final = "gcp:modelarmor/template:Template"
_INSPECT: Final = "gcp:dataloss/preventionInspectTemplate:PreventionInspectTemplate"
_DETECTORS: Final = Path(__file__).with_name("detectors.yaml")
_ASKED: Final = ("messages", "prompt", "input")
"""Where a request has what a person wrote."""
_EVENT: Final = "data: "

Change = Callable[[str], str]


class _FoundError(Exception):
    """The filter that found something."""


class ModelArmor(Processor):
    """Screens prompts and answers by the templates that an extension's settings name."""

    name = "Model Armor"

    def __init__(self, metadata: Mapping[str, str], cloud: World) -> None:
        entries: list[dict[str, str]] = json.loads(metadata[MODEL_ARMOR_SETTINGS])
        self._entries = {each["model"]: each for each in entries}
        self._templates = {each.id: each.inputs for each in cloud.by_type(TEMPLATE)}
        self._inspected = {each.id: each.inputs for each in cloud.by_type(_INSPECT)}

    def request(self, headers: Mapping[str, str], body: bytes) -> bytes | Refusal:
        """Refuse a prompt, or redact what it must not have."""
        del headers
        try:
            document: Any = json.loads(body)
        except ValueError:
            return body
        if not isinstance(document, dict):
            return body
        asked = cast("dict[str, Any]", document)
        template = self._template(asked.get("model", ""), "user_prompt_template_id")
        change = self._change(template)
        try:
            screened = {
                key: _mapped(value, change) if key in _ASKED else value
                for key, value in asked.items()
            }
        except _FoundError as found:
            return _refusal(template, "Prompt", str(found))
        return body if screened == asked else json.dumps(screened).encode()

    def answer(self, model: str, body: bytes) -> bytes | Refusal:
        """Hold an answer back, or redact it, a streamed one as a whole."""
        template = self._template(model, "model_response_template_id")
        change = self._change(template)
        try:
            if body.startswith(_EVENT.encode()):
                return _streamed(body.decode(), change).encode()
            document: Any = json.loads(body)
            if not isinstance(document, dict) or "choices" not in document:
                return body
            answered = cast("dict[str, Any]", document)
            screened = {**answered, "choices": _mapped(answered["choices"], change)}
        except ValueError:
            return body
        except _FoundError as found:
            return _refusal(template, "LlmResponse", str(found))
        return body if screened == answered else json.dumps(screened).encode()

    def undetected(self) -> list[str]:
        """Return the kinds of sensitive data that no detector here finds."""
        named = {
            each["name"]
            for template in self._inspected.values()
            for each in template["inspectConfig"].get("infoTypes", ())
        }
        return sorted(named - _detectors()["info_types"].keys())

    def _template(self, model: str, side: str) -> Mapping[str, Any]:
        entry = self._entries.get(model) or self._entries[DEFAULT_MODEL]
        return self._templates[entry[side]]

    def _change(self, template: Mapping[str, Any]) -> Change:
        """Return what redacts a text. It raises _FoundError at what a template does not let
        pass."""
        filters = template["filterConfig"]
        blocking = dict(_blocking(filters))
        blocks = template.get("templateMetadata", {}).get("enforcementType") != "INSPECT_ONLY"
        kinds = self._sensitive(filters.get("sdpSettings", {}))
        redacts = "deidentifyTemplate" in filters.get("sdpSettings", {}).get("advancedConfig", {})

        def change(text: str) -> str:
            for name, patterns in blocking.items():
                if blocks and any(each.search(text) for each in patterns):
                    raise _FoundError(name)
            for kind in kinds:
                for pattern in _patterns("info_types", kind):
                    if not redacts and blocks and pattern.search(text):
                        raise _FoundError(kind)
                    text = pattern.sub(f"[{kind}]", text) if redacts else text
            return text

        return change

    def _sensitive(self, settings: Mapping[str, Any]) -> Sequence[str]:
        if "advancedConfig" in settings:
            template = self._inspected[settings["advancedConfig"]["inspectTemplate"]]
            return [each["name"] for each in template["inspectConfig"].get("infoTypes", ())]
        basic = settings.get("basicConfig", {}).get("filterEnforcement") == "ENABLED"
        return _detectors()["basic_info_types"] if basic else ()


@cache
def _detectors() -> dict[str, Any]:
    return yaml.safe_load(_DETECTORS.read_text(encoding="utf-8"))


@cache
def _patterns(*keys: str) -> Sequence[re.Pattern[str]]:
    found: Any = _detectors()
    for key in keys:
        found = found.get(key, ())
    return [re.compile(each, re.IGNORECASE) for each in found]


def _blocking(filters: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[re.Pattern[str]]]]:
    """Yield each filter that is on and blocks, with its patterns."""
    for settings, name in (
        ("piAndJailbreakFilterSettings", "prompt_injection"),
        ("maliciousUriFilterSettings", "malicious_uris"),
    ):
        if filters.get(settings, {}).get("filterEnforcement") == "ENABLED":
            yield name, _patterns(name)
    for each in filters.get("raiSettings", {}).get("raiFilters", ()):
        yield each["filterType"].lower(), _patterns("harms", each["filterType"])


def _mapped(value: Any, change: Change) -> Any:
    """Return the value with each text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(each, change) for each in cast("list[Any]", value)]
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: _mapped(each, change) for key, each in fields.items()}
    return value


def _streamed(body: str, change: Change) -> str:
    """Return the events of an answer; what is redacted comes whole with the first."""
    events = [event.removeprefix(_EVENT) for event in body.strip().split("\n\n")]
    chunks: list[Any] = [json.loads(each) if each.startswith("{") else each for each in events]
    deltas: dict[int, list[dict[str, Any]]] = {}
    for chunk in chunks:
        for choice in () if isinstance(chunk, str) else chunk.get("choices", ()):
            if isinstance(choice.get("delta", {}).get("content"), str):
                deltas.setdefault(choice["index"], []).append(choice["delta"])
    redacted = False
    for parts in deltas.values():
        text = "".join(part["content"] for part in parts)
        screened = change(text)
        if screened != text:
            redacted = True
            for part in parts:
                part["content"] = ""
            parts[0]["content"] = screened
    if not redacted:
        return body
    return "".join(
        f"{_EVENT}{chunk if isinstance(chunk, str) else json.dumps(chunk)}\n\n" for chunk in chunks
    )


def _refusal(template: Mapping[str, Any], side: str, found: str) -> Refusal:
    said = template.get("templateMetadata", {})
    status = int(said.get(f"custom{side}SafetyErrorCode", 403))
    message = said.get(f"custom{side}SafetyErrorMessage", "refused by Model Armor")
    document = {"error": {"code": status, "message": message}}
    return Refusal(status, document, f"model_armor_{found.lower()}")

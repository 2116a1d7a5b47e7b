"""Arguments of ModelArmorGuardrail, and what is allowed in them."""

from collections.abc import Mapping, Sequence
from typing import Final, NotRequired, TypedDict

import pulumi

from components.checks import check_between, check_labels
from components.inference.extensions import DEFAULT_TIMEOUT_SECONDS
from components.inference.model_armor_filters import (
    DEFAULT_LEVEL,
    LEVELS,
    UNSCREENED,
    check_responsible_ai,
)
from components.validation import Problems

BLOCK: Final = "block"
REDACT: Final = "redact"


class Guardrail(TypedDict):
    """What is screened. Whatever is not said is screened with the defaults."""

    prompt_injection: NotRequired[str]
    """Prompt injection and jailbreaks, in prompts: none, low, medium (default) or high."""
    malicious_urls: NotRequired[bool]
    """Malicious URLs, in prompts and responses (default true)."""
    responsible_ai: NotRequired[Mapping[str, str]]
    """dangerous, harassment, hate_speech, sexually_explicit: none, low, medium (default), high."""
    sensitive_data: NotRequired[str]
    """Sensitive data in prompts and responses: none, block (default) or redact."""
    info_types: NotRequired[Sequence[str]]
    """What counts as sensitive, such as `IBAN_CODE`. Default: Google's basic set for block, a
    wider one for redact. https://cloud.google.com/sensitive-data-protection/docs/infotypes-reference
    """


class ModelArmorGuardrailArgs(TypedDict):
    """Arguments of `ModelArmorGuardrail`."""

    project: pulumi.Input[str]
    """Project id: `ModelArmorAccess.project_id`, so that calls are granted before they start."""
    region: str
    """Region of the Gateway; the templates are there too."""
    guardrails: Mapping[str, Guardrail]
    """Guardrails by name: 1 to 54 lowercase letters, digits or hyphens, not `none`."""
    default: str
    """Guardrail of requests for any other model, or for none."""
    models: Mapping[str, str]
    """Guardrail by the name clients send, for every model and adapter; `none` is unscreened."""
    fail_open: NotRequired[bool]
    """Without an answer of Model Armor, let requests and responses pass (default false)."""
    timeout_seconds: NotRequired[int]
    """Longest wait for Model Armor: 1 to 10 (default 10)."""
    labels: NotRequired[Mapping[str, str]]
    """Labels of the templates."""


def validate_model_armor_guardrail(args: ModelArmorGuardrailArgs) -> Problems:
    """Check the plain arguments of a `ModelArmorGuardrail`."""
    problems = Problems()
    problems.check_not_empty("guardrails", args["guardrails"], "a guardrail")
    problems.check_not_empty("models", args["models"], "the guardrail of each model")
    for name, guardrail in args["guardrails"].items():
        _check_guardrail(problems, name, guardrail)
    problems.check_one_of("default", args["default"], args["guardrails"])
    for model, guardrail_name in args["models"].items():
        allowed = {*args["guardrails"], UNSCREENED}
        problems.check_one_of(f"models.{model}", guardrail_name, allowed)
    check_between(
        problems,
        "timeout_seconds",
        args.get("timeout_seconds", DEFAULT_TIMEOUT_SECONDS),
        1,
        DEFAULT_TIMEOUT_SECONDS,
        "seconds",
    )
    check_labels(problems, "labels", args.get("labels", {}))
    return problems


def _check_guardrail(problems: Problems, name: str, guardrail: Guardrail) -> None:
    path = f"guardrails.{name}"
    problems.check_name(path, f"{name}-response")
    if name == UNSCREENED:
        problems.add(path, f"found {name!r}, which means no guardrail; rename it")
    injection = guardrail.get("prompt_injection", DEFAULT_LEVEL)
    problems.check_one_of(f"{path}.prompt_injection", injection, {*LEVELS, UNSCREENED})
    check_responsible_ai(problems, f"{path}.responsible_ai", guardrail.get("responsible_ai", {}))
    treatment = guardrail.get("sensitive_data", BLOCK)
    problems.check_one_of(f"{path}.sensitive_data", treatment, {UNSCREENED, BLOCK, REDACT})
    if "info_types" in guardrail:
        problems.check_not_empty(f"{path}.info_types", guardrail["info_types"], "an info type")
        if treatment == UNSCREENED:
            problems.add(
                f"{path}.info_types",
                "found some although sensitive_data is 'none'; block or redact them, or give none",
            )

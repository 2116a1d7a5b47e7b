"""Arguments of ModelArmorGuardrail, and what is allowed in them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi

from catalog.limits import Choice, Entries
from catalog.limits import guardrails as limits
from catalog.limits.inference import EXTENSION_TIMEOUT_SECONDS
from components.inference.model_armor_filters import ResponsibleAi
from components.validation import Problems


class Guardrail(TypedDict):
    """What is screened. Whatever is not said is screened with the defaults."""

    prompt_injection: NotRequired[Annotated[str, limits.LEVEL]]
    """Prompt injection and jailbreaks, in prompts."""
    malicious_urls: NotRequired[bool]
    """Malicious URLs, in prompts and responses (default true)."""
    responsible_ai: NotRequired[ResponsibleAi]
    """From which confidence on each harm is refused (default medium)."""
    sensitive_data: NotRequired[Annotated[str, limits.SENSITIVE_DATA]]
    """Sensitive data in prompts and responses."""
    info_types: NotRequired[
        Annotated[Sequence[Annotated[str, limits.INFO_TYPE]], Entries("an info type")]
    ]
    """What counts as sensitive, such as `IBAN_CODE`. Default: Google's basic set for block, a
    wider one for redact. https://cloud.google.com/sensitive-data-protection/docs/infotypes-reference
    """


class ModelArmorGuardrailArgs(TypedDict):
    """Arguments of `ModelArmorGuardrail`."""

    project: pulumi.Input[str]
    """Project id: `ModelArmorAccess.project_id`, so that calls are granted before they start."""
    region: str
    """Region of the Gateway; the templates are there too."""
    guardrails: Annotated[Mapping[str, Guardrail], Entries("a guardrail")]
    """Guardrails by name: 1 to 54 lowercase letters, digits or hyphens, not `none`."""
    default: str
    """Guardrail of requests for any other model, or for none."""
    models: Annotated[Mapping[str, str], Entries("the guardrail of each model")]
    """Guardrail by the name clients send, for every model and adapter; `none` is unscreened."""
    fail_open: NotRequired[bool]
    """Without an answer of Model Armor, let requests and responses pass (default false)."""
    timeout_seconds: NotRequired[Annotated[float, EXTENSION_TIMEOUT_SECONDS]]
    """Longest wait for Model Armor."""


def validate_model_armor_guardrail(args: ModelArmorGuardrailArgs) -> Problems:
    """Check the plain arguments of a `ModelArmorGuardrail`."""
    problems = Problems.of(ModelArmorGuardrailArgs, args)
    for name, guardrail in args["guardrails"].items():
        problems.check_name(f"{name}-response", "guardrails", name)
        if name == limits.UNSCREENED:
            problems.add(f"guardrails.{name}", f"found {name!r}, which means none; rename it")
        problems.extend(limits.info_types(guardrail), "guardrails", name)
    guardrails = Choice(sorted(args["guardrails"]))
    problems.check_limit(guardrails, args["default"], "default")
    for_models = Choice(sorted({*args["guardrails"], limits.UNSCREENED}))
    for model, guardrail_name in args["models"].items():
        problems.check_limit(for_models, guardrail_name, "models", model)
    return problems

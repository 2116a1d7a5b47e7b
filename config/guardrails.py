"""Guardrails: what is screened in prompts and responses, and what then happens."""

from typing import Annotated, Final, Literal

from pydantic import Field

from catalog.limits import guardrails as limits
from catalog.limits import label
from config.callouts import Callout
from config.fields import Settings

DEFAULT: Final = "default"
"""The guardrail of every model that names none: there is one even where the config has none."""
REPLICA: Final = "replica"

GuardrailName = Annotated[str, label(30, "it becomes part of the names of templates")]


class ResponsibleAi(Settings):
    """From which confidence on harmful content is blocked: low blocks most, none nothing."""

    dangerous: limits.Level = limits.LEVEL.default
    """Dangerous content."""
    harassment: limits.Level = limits.LEVEL.default
    """Harassment."""
    hate_speech: limits.Level = limits.LEVEL.default
    """Hate speech."""
    sexually_explicit: limits.Level = limits.LEVEL.default
    """Sexually explicit content."""


class Guardrail(Settings):
    """What Model Armor, or a service instead of it, screens for the models that name it."""

    service: Callout | None = None
    """A guardrail server instead of Model Armor, such as NVIDIA NeMo Guardrails. At the gateway
    it speaks Envoy's ext_proc protocol; at the replica it's an HTTP proxy."""
    at: Literal["gateway", "replica"] = "gateway"
    """Where requests pass the service: at the gateway, which sends it those of all models, or
    in the pod of each replica of the models that name this guardrail."""

    prompt_injection: limits.Level = limits.LEVEL.default
    """From which confidence on prompt injection and jailbreaks are blocked: low blocks most,
    none nothing."""
    malicious_urls: bool = True
    """Whether malicious URLs are blocked."""
    responsible_ai: ResponsibleAi = ResponsibleAi()
    """Harmful content, by kind."""
    sensitive_data: limits.SensitiveData = limits.SENSITIVE_DATA.default
    """Whether prompts and responses with sensitive data are blocked, or the data is replaced by
    its kind."""
    info_types: tuple[Annotated[str, limits.INFO_TYPE], ...] | None = Field(
        default=None, min_length=1
    )
    """What counts as sensitive data, as info types of Sensitive Data Protection. Default: Model
    Armor's basic set to block, a wider one to redact."""
    fail_open: bool = False
    """Whether requests pass unscreened while Model Armor doesn't answer. The same for all
    guardrails, as they share the gateway's one extension."""

    @property
    def is_model_armor(self) -> bool:
        """Whether Model Armor screens."""
        return self.service is None


class GuardrailFloor(Settings):
    """What every Model Armor template of the project screens at least, also those made by hand.

    Prompt injection and sensitive data are left to guardrails: a floor binds responses too, in
    which no injection is looked for, and it cannot name what is redacted.
    """

    enforce: bool = True
    """Refuse templates below the floor; else it is only written down."""
    malicious_urls: bool = True
    """Whether malicious URLs are blocked."""
    responsible_ai: ResponsibleAi = ResponsibleAi()
    """Harmful content, by kind."""

"""Guardrails: what is screened in prompts and responses, and what then happens."""

from typing import Annotated, Final, Literal

from pydantic import Field

from config.callouts import Callout
from config.fields import Matching, Settings, label

DEFAULT: Final = "default"
"""The guardrail of every model that names none: there is one even where the config has none."""
UNSCREENED: Final = "none"
REPLICA: Final = "replica"

GuardrailName = Annotated[str, label(30, "it becomes part of the names of templates")]
Level = Literal["none", "low", "medium", "high"]
InfoType = Annotated[
    str,
    Matching(
        "[A-Z][A-Z0-9_]{0,63}",
        "an info type of Sensitive Data Protection: capital letters, digits and underscores",
        "write it like IBAN_CODE",
    ),
]


class ResponsibleAi(Settings):
    """From which confidence on harmful content is blocked: low blocks most, none nothing."""

    dangerous: Level = Field(default="medium", description="Dangerous content.")
    harassment: Level = Field(default="medium", description="Harassment.")
    hate_speech: Level = Field(default="medium", description="Hate speech.")
    sexually_explicit: Level = Field(default="medium", description="Sexually explicit content.")


class Guardrail(Settings):
    """What Model Armor, or a service instead of it, screens for the models that name it."""

    service: Callout | None = Field(
        default=None,
        description="A guardrail server instead of Model Armor, such as NVIDIA NeMo Guardrails. At"
        " the gateway it speaks Envoy's ext_proc protocol; at the replica it's an HTTP proxy.",
    )
    at: Literal["gateway", "replica"] = Field(
        default="gateway",
        description="Where requests pass the service: at the gateway, which sends it those of all"
        " models, or in the pod of each replica of the models that name this guardrail.",
    )

    prompt_injection: Level = Field(
        default="medium",
        description="From which confidence on prompt injection and jailbreaks are blocked: low"
        " blocks most, none nothing.",
    )
    malicious_urls: bool = Field(default=True, description="Whether malicious URLs are blocked.")
    responsible_ai: ResponsibleAi = Field(
        default=ResponsibleAi(), description="Harmful content, by kind."
    )
    sensitive_data: Literal["none", "block", "redact"] = Field(
        default="block",
        description="Whether prompts and responses with sensitive data are blocked, or the data is"
        " replaced by its kind.",
    )
    info_types: tuple[InfoType, ...] | None = Field(
        default=None,
        min_length=1,
        description="What counts as sensitive data, as info types of Sensitive Data Protection."
        " Default: Model Armor's basic set to block, a wider one to redact.",
    )
    fail_open: bool = Field(
        default=False,
        description="Whether requests pass unscreened while Model Armor doesn't answer. The same"
        " for all guardrails, as they share the gateway's one extension.",
    )

    @property
    def is_model_armor(self) -> bool:
        """Whether Model Armor screens."""
        return self.service is None


class GuardrailFloor(Settings):
    """What every Model Armor template of the project screens at least, also those made by hand.

    Prompt injection and sensitive data are left to guardrails: a floor binds responses too, in
    which no injection is looked for, and it cannot name what is redacted.
    """

    enforce: bool = Field(
        default=True, description="Refuse templates below the floor; else it is only written down."
    )
    malicious_urls: bool = Field(default=True, description="Whether malicious URLs are blocked.")
    responsible_ai: ResponsibleAi = Field(
        default=ResponsibleAi(), description="Harmful content, by kind."
    )

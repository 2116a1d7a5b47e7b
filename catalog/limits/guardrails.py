"""Limits of guardrails, as Model Armor has them.

https://cloud.google.com/security-command-center/docs/manage-model-armor-templates
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

from catalog.limits import Choice, Text
from catalog.problems import Problem

Level = Literal["none", "low", "medium", "high"]
SensitiveData = Literal["none", "block", "redact"]
UNSCREENED: Final = "none"
"""Switches a filter off; as the guardrail of a model, all of them."""

LEVEL: Final = Choice(get_args(Level), default="medium")
SENSITIVE_DATA: Final = Choice(get_args(SensitiveData), default="block")
HARM: Final = Choice(("dangerous", "harassment", "hate_speech", "sexually_explicit"))
INFO_TYPE: Final = Text(
    "[A-Z][A-Z0-9_]{0,63}",
    "an info type of Sensitive Data Protection: capital letters, digits and underscores",
    "write it like IBAN_CODE",
)


def info_types(guardrail: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield info types of a guardrail that looks for none."""
    treatment = guardrail.get("sensitive_data", SENSITIVE_DATA.default)
    if guardrail.get("info_types") is not None and treatment == UNSCREENED:
        yield Problem(
            ("info_types",),
            "a list",
            "nothing where sensitive_data is 'none'",
            "remove it, or block or redact sensitive data",
        )

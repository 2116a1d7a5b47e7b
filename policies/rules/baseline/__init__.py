"""The rules of the baseline pack."""

from typing import Final

from policies.rules.baseline import (
    ai_guardrail_on_every_path,
    ai_models_reachable,
    ai_routes_unambiguous,
)
from policies.rules.rule import AnyRule

RULES: Final[tuple[AnyRule, ...]] = (
    ai_guardrail_on_every_path.RULE,
    ai_routes_unambiguous.RULE,
    ai_models_reachable.RULE,
)

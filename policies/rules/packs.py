"""The packs: which folder holds which rules, and what starts them."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.rules.baseline import RULES as BASELINE
from policies.rules.config import PolicyConfigError, check_file
from policies.rules.inputs import MEMORY
from policies.rules.least_privilege import RULES as LEAST_PRIVILEGE
from policies.rules.rule import AnyRule, to_policy
from policies.rules.scale_limits import RULES as SCALE_LIMITS

PACKS: Final[Mapping[str, tuple[AnyRule, ...]]] = {
    "baseline": BASELINE,
    "least-privilege": LEAST_PRIVILEGE,
    "scale-limits": SCALE_LIMITS,
}


def check_config(path: Path) -> None:
    """Check a policy config file beside a pack; raises `PolicyConfigError`."""
    check_file(path, {rule.id: rule.limits for rule in PACKS[path.parent.name]})


def start(folder: Path) -> None:
    """Serve the pack of a folder to the engine, until the engine ends it.

    Ends with an error when a config beside the pack cannot be used: a deployment without its
    limits must not go ahead.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            check_config(path)
        except PolicyConfigError as error:
            sys.exit(str(error))
    PolicyPack(
        name=folder.name,
        policies=[MEMORY, *(to_policy(rule) for rule in PACKS[folder.name])],
        enforcement_level=EnforcementLevel.MANDATORY,
    )

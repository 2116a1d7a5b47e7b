"""The packs: which folder holds which rules, and what starts them."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from policies.rules.baseline import RULES as BASELINE
from policies.rules.config import PolicyConfigError, check_file
from policies.rules.journal import Journal
from policies.rules.least_privilege import RULES as LEAST_PRIVILEGE
from policies.rules.rule import AnyRule
from policies.rules.scale_limits import RULES as SCALE_LIMITS
from policies.rules.server import remediable, serve

PACKS: Final[Mapping[str, tuple[AnyRule, ...]]] = {
    "baseline": BASELINE,
    "least-privilege": LEAST_PRIVILEGE,
    "scale-limits": SCALE_LIMITS,
}
ALL: Final = "all"
"""The folder that starts the rules of every pack in one process: one start, one conversion."""


def rules_of(folder: str) -> tuple[AnyRule, ...]:
    """The rules that a folder's pack serves."""
    if folder == ALL:
        return tuple(rule for pack in PACKS.values() for rule in pack)
    return PACKS[folder]


def check_config(path: Path) -> None:
    """Check a policy config file beside a pack; raises `PolicyConfigError`."""
    rules = rules_of(path.parent.name)
    check_file(path, {rule.id: rule.limits for rule in rules}, remediable=remediable(rules))


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
    serve(folder.name, rules_of(folder.name), Journal.of_environment(), version_of(folder))


def version_of(folder: Path) -> str:
    """The version that a pack's PulumiPolicy.yaml states."""
    text = (folder / "PulumiPolicy.yaml").read_text(encoding="utf-8")
    return str(yaml.safe_load(text)["version"])

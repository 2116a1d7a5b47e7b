"""An environment: a YAML file that says what the rules' defaults do not fit.

`environments/<stack>.yaml` has the levels and limits that differ, which rules remediate and which
findings are exempted. It stands in the folder of an organisation's own config, where there is one.
A file elsewhere is named by the variable POLICY_ENVIRONMENT.
"""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from catalog import strict_yaml
from catalog.config_folder import config_folder
from catalog.problems import did_you_mean, shown
from policies.engine.config import (
    EXEMPTIONS,
    LEVEL,
    REMEDIATE,
    PolicyConfigError,
    Settings,
    effective,
    problems_of,
    read_settings,
    unknown_rules,
)
from policies.engine.exemptions import exemption_problems
from policies.engine.packs import ALL, rules_of

VARIABLE: Final = "POLICY_ENVIRONMENT"
ENVIRONMENTS: Final = Path(__file__).resolve().parents[1] / "environments"
KEYS: Final = ("rules", "remediate", "exemptions")


def folder() -> Path:
    """Return where the files of environments are. Raises NotADirectoryError for no folder."""
    return config_folder() / "policies" / "environments"


def environments() -> list[str]:
    """Return the names of the environments that are shipped."""
    return sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml"))


def file_of(stack: str) -> Path:
    """Return the file of a stack's environment, which may not be there."""
    own = os.environ.get(VARIABLE)
    # The engine starts packs in their own folders: a relative path would mean another file there.
    if own and not Path(own).is_absolute():
        raise PolicyConfigError(f"{VARIABLE}: found {own!r}, allowed: an absolute path; add $PWD/")
    try:
        return Path(own) if own else folder() / f"{stack}.yaml"
    except NotADirectoryError as problem:
        raise PolicyConfigError(str(problem)) from problem


def load(path: Path, today: dt.date | None = None) -> dict[str, dict[str, object]]:
    """Return every rule's config by an environment's file, defaults included.

    Raises `PolicyConfigError` that names every problem.
    """
    if path.parent.name == ENVIRONMENTS.name and not path.exists():
        there = sorted(each.stem for each in path.parent.glob("*.yaml"))
        raise PolicyConfigError(
            f"no environment named {path.stem!r}, there are: {', '.join(there) or 'none yet'}; "
            f"copy policies/environments/dev.yaml to {path} and edit it, or set {VARIABLE} to a "
            "file of your own"
        )
    try:
        document: object = strict_yaml.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, strict_yaml.YamlError) as error:
        raise PolicyConfigError(f"{path}: cannot be read: {error}") from error
    config: dict[str, dict[str, object]] = {}
    found = list(_problems(document, config, today))
    if found:
        raise PolicyConfigError("\n".join(f"{path}: {problem}" for problem in found))
    return config


def settings_of(path: Path, today: dt.date | None = None) -> dict[str, Settings]:
    """Return the settings of every rule by an environment's file; raises `PolicyConfigError`."""
    return read_settings(rules_of(ALL), load(path, today), today)


def _problems(
    document: object, config: dict[str, dict[str, object]], today: dt.date | None
) -> Iterator[str]:
    """Yield what is wrong in a file; fills `config` with what it says, over the defaults."""
    if not isinstance(document, dict):
        allowed = f"a mapping with {', '.join(KEYS)}"
        yield f"found {shown(document)}, allowed: {allowed}; begin with rules:"
        return
    given = cast("dict[str, object]", document)
    for key in [key for key in given if key not in KEYS]:
        yield f"{key}: no such key, allowed: {', '.join(KEYS)}; correct or remove it"
    entries = given.get("rules")
    if not isinstance(entries, dict):
        allowed = "a mapping from rules to levels or limits"
        remedy = "write such as `rel-pdb: advisory`"
        yield f"rules: found {shown(entries)}, allowed: {allowed}; {remedy}"
        return
    rules = rules_of(ALL)
    config |= effective(rules, {})
    yield from (
        f"rules.{each}" for each in unknown_rules(cast("dict[str, object]", entries), rules)
    )
    for rule_id, value in cast("dict[str, object]", entries).items():
        if rule_id not in config:
            continue
        if isinstance(value, dict):
            config[rule_id] |= cast("dict[str, object]", value)
        else:
            config[rule_id][LEVEL] = value
    yield from _add_remediations(config, given.get("remediate"))
    yield from _add_exemptions(config, given.get("exemptions"), today or dt.date.today())
    for rule in rules:
        yield from (f"rules.{each}" for each in problems_of(rule, config[rule.id], today))


def _add_remediations(config: dict[str, dict[str, object]], value: object) -> Iterator[str]:
    able = sorted(rule.id for rule in rules_of(ALL) if rule.remediable)
    allowed = f"allowed: rules that can remediate, {', '.join(able)}"
    if not (value is None or isinstance(value, list)):
        yield f"remediate: found {shown(value)}, {allowed}; write a list of them"
        return
    for index, rule_id in enumerate(cast("list[object]", value or [])):
        if rule_id in able:
            config[str(rule_id)][LEVEL] = REMEDIATE
        else:
            yield f"remediate[{index}]: found {shown(rule_id)}, {allowed}; remove it"


def _add_exemptions(
    config: dict[str, dict[str, object]], value: object, today: dt.date
) -> Iterator[str]:
    if not (value is None or isinstance(value, list)):
        yield f"exemptions: found {shown(value)}, allowed: a list; begin each with a dash"
        return
    rules = {rule.id: rule for rule in rules_of(ALL)}
    for index, each in enumerate(cast("list[object]", value or [])):
        path = f"exemptions[{index}]"
        if not isinstance(each, dict):
            yield f"{path}: found {shown(each)}, allowed: a mapping; write rule: and the rest"
            continue
        entry = dict(cast("dict[str, object]", each))
        rule_id = entry.pop("rule", None)
        if not isinstance(rule_id, str) or rule_id not in rules:
            remedy = did_you_mean(rule_id, rules, "name one")
            yield f"{path}.rule: found {shown(rule_id)}, allowed: a rule; {remedy}"
            continue
        problems = [*exemption_problems(rules[rule_id], entry, today)]
        yield from (f"{path}.{problem}" for problem in problems)
        if not problems:
            cast("list[Any]", config[rule_id].setdefault(EXEMPTIONS, [])).append(entry)

"""The environments: one file each, from which every pack's config is made.

`environments/<name>.yaml` holds the level and limits of every rule, what may be mended by itself
and what is exempted. `python -m policies.check --write` makes `<pack>/<name>.json` from it, which
is what `--policy-pack-config` takes; `python -m policies.check` says when they differ.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from catalog import strict_yaml
from policies.rules.config import (
    EXEMPTIONS,
    LEVEL,
    REMEDIATE,
    PolicyConfigError,
    Settings,
    problems_in,
    read_settings,
)
from policies.rules.packs import ALL, PACKS, rules_of
from policies.rules.server import remediable

FOLDER: Final = Path(__file__).resolve().parent
ENVIRONMENTS: Final = FOLDER / "environments"
_KEYS: Final = ("rules", "remediate", "exemptions")


def environments() -> list[str]:
    """The names of the environments that have a file."""
    return sorted(path.stem for path in ENVIRONMENTS.glob("*.yaml"))


def load(path: Path, today: dt.date | None = None) -> dict[str, dict[str, Any]]:
    """Every rule's config of an environment's file, as the engine takes it.

    Raises `PolicyConfigError` that names every problem.
    """
    try:
        document: object = strict_yaml.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, strict_yaml.YamlError) as error:
        raise PolicyConfigError(f"{path}: cannot be read: {error}") from error
    config: dict[str, dict[str, Any]] = {}
    found = list(_problems(document, config, today))
    if found:
        raise PolicyConfigError("\n".join(f"{path}: {problem}" for problem in found))
    return config


def settings(name: str, today: dt.date | None = None) -> dict[str, Settings]:
    """The settings of every rule in an environment; raises `PolicyConfigError`."""
    path = ENVIRONMENTS / f"{name}.yaml"
    if not path.exists():
        raise PolicyConfigError(
            f"no environment named {name!r}, there are: {', '.join(environments())}; "
            f"copy {ENVIRONMENTS.name}/dev.yaml to {ENVIRONMENTS.name}/{name}.yaml and edit it"
        )
    return settings_of(path, today)


def settings_of(path: Path, today: dt.date | None = None) -> dict[str, Settings]:
    """The settings of every rule by an environment's file; raises `PolicyConfigError`."""
    rules = rules_of(ALL)
    return read_settings(
        {rule.id: rule.limits for rule in rules},
        load(path, today),
        remediable=remediable(rules),
        today=today,
    )


def config_files(name: str) -> dict[Path, str]:
    """The config file of each pack in an environment, as it must be."""
    return configs_of(ENVIRONMENTS / f"{name}.yaml", FOLDER)


def configs_of(environment: Path, folder: Path) -> dict[Path, str]:
    """The config file of each pack, under `folder`, that an environment's file makes."""
    config = load(environment)
    return {
        folder / pack / f"{environment.stem}.json": _json(
            {rule.id: config[rule.id] for rule in rules_of(pack)}
        )
        for pack in (*PACKS, ALL)
    }


def _json(config: Mapping[str, object]) -> str:
    return json.dumps(config, indent=2) + "\n"


def _problems(
    document: object, config: dict[str, dict[str, Any]], today: dt.date | None
) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"found {document!r}; write {', '.join(_KEYS)}"
        return
    given = cast("dict[str, object]", document)
    for key in [key for key in given if key not in _KEYS]:
        yield f"{key}: no such key, allowed: {', '.join(_KEYS)}"
    rules = given.get("rules")
    if not isinstance(rules, dict):
        yield "rules: not set; give each rule its level, such as `iam-no-sa-keys: mandatory`"
        return
    for rule_id, value in cast("dict[str, object]", rules).items():
        config[rule_id] = _entry(value)
        if isinstance(value, dict) and LEVEL in value:
            yield f"{rule_id}.{LEVEL}: no such key here, write `level`"
    yield from _add_remedies(config, given.get("remediate"))
    yield from _add_exemptions(config, given.get("exemptions"))
    all_rules = rules_of(ALL)
    limits = {rule.id: rule.limits for rule in all_rules}
    found = problems_in(config, limits, remediable=remediable(all_rules), today=today)
    yield from (problem.replace(LEVEL, "level") for problem in found)


def _entry(value: object) -> Any:
    """A rule's entry: a level alone, or an object with a level and limits."""
    if isinstance(value, str):
        return {LEVEL: value}
    if not isinstance(value, dict):
        return value
    entry = dict(cast("dict[str, object]", value))
    if "level" in entry:
        # First, as in the files that are made of it.
        entry = {LEVEL: entry.pop("level"), **entry}
    return entry


def _add_remedies(config: dict[str, dict[str, Any]], value: object) -> Iterator[str]:
    if not isinstance(value, list | None):
        yield f"remediate: found {value!r}; write a list of rules"
        return
    able = remediable(rules_of(ALL))
    for rule_id in cast("list[object]", value or []):
        if not isinstance(rule_id, str) or rule_id not in able:
            allowed = ", ".join(sorted(able)) or "none"
            yield f"remediate: found {rule_id!r}, rules that can mend: {allowed}"
        elif isinstance(config.get(rule_id), dict):
            config[rule_id][LEVEL] = REMEDIATE


def _add_exemptions(config: dict[str, dict[str, Any]], value: object) -> Iterator[str]:
    if not isinstance(value, list | None):
        yield f"exemptions: found {value!r}; write a list of objects"
        return
    for index, each in enumerate(cast("list[object]", value or [])):
        entry = dict(cast("dict[str, object]", each)) if isinstance(each, dict) else {}
        rule_id = entry.pop("rule", None)
        target = config.get(rule_id) if isinstance(rule_id, str) else None
        if not isinstance(target, dict):
            yield f"exemptions[{index}].rule: found {rule_id!r}; name one of the rules above"
            continue
        if isinstance(entry.get("expires"), dt.date):
            entry["expires"] = str(entry["expires"])
        target.setdefault(EXEMPTIONS, []).append(entry)

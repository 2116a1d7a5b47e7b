"""Exemptions: findings that an environment accepts for a while, with a reason and an owner.

They stand in the file of the environment, never in the program. An exemption names the rule, the
resource and the finding, so that it hides nothing else; after its day the finding counts again.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from catalog.problems import shown
from policies.shared.rule import AnyRule
from resources.properties import is_mapping

STACK: Final = "stack"
MOST_DAYS: Final = 180
_SHORTEST_REASON: Final = 20
_SHORTEST_FINDING: Final = 8
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{16}")
_RESOURCE: Final = re.compile(r"stack|urn:pulumi:.+|[a-zA-Z0-9.*/-]+:[^:]+:[A-Za-z0-9*]+::.+")
_OWNER: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_KEYS: Final = ("resource", "finding", "reason", "owner", "expires")
SCHEMAS: Final[Mapping[str, Mapping[str, object]]] = {
    "resource": {
        "description": f"A URN, TYPE::NAME with * for any text, or {STACK} for the whole.",
        "pattern": f"^({_RESOURCE.pattern})$",
        "examples": ["kubernetes:apps/v1:Deployment::preview-*"],
    },
    "finding": {
        "description": "A part of the finding's text, or its fingerprint.",
        "minLength": _SHORTEST_FINDING,
    },
    "reason": {
        "description": "Why the finding is accepted.",
        "minLength": _SHORTEST_REASON,
    },
    "owner": {
        "description": "The e-mail address of who answers for it.",
        "pattern": f"^{_OWNER.pattern}$",
        "examples": ["ml-platform@acme.com"],
    },
    "expires": {
        "description": f"The last day it holds, at most {MOST_DAYS} days ahead.",
        "pattern": r"^\d{4}-\d{2}-\d{2}$",
        "examples": ["2027-01-31"],
    },
}
"""The keys of an exemption for editors, as JSON schemas of texts."""


@dataclass(frozen=True)
class Exemption:
    """One accepted finding.

    `resource` is a URN, or TYPE::NAME with `*` for any text, or `stack` for a finding about the
    whole stack. `finding` is a part of the finding's text, or its fingerprint. It holds until the
    end of the day `expires`.
    """

    rule: str
    resource: str
    finding: str
    reason: str
    owner: str
    expires: dt.date

    def covers(self, urn: str, resource_type: str, name: str, text: str, fingerprint: str) -> bool:
        """Return whether the finding is the one this exemption speaks of."""
        if not urn:
            is_resource = self.resource == STACK
        elif self.resource.startswith("urn:"):
            is_resource = self.resource == urn
        else:
            is_resource = fnmatchcase(f"{resource_type}::{name}", self.resource)
        return is_resource and (self.finding == fingerprint or self.finding in text)

    def expired(self, today: dt.date) -> bool:
        """Return whether its last day is past."""
        return today > self.expires


def exemption(rule_id: str, value: Mapping[str, object]) -> Exemption:
    """Return the exemption out of an entry that `exemption_problems` finds nothing wrong with."""
    return Exemption(
        rule=rule_id,
        expires=dt.date.fromisoformat(str(value["expires"])),
        **{key: str(value[key]) for key in _KEYS[:-1]},
    )


def exemption_problems(rule: AnyRule, value: object, today: dt.date) -> Iterator[str]:
    """Yield what is wrong with one entry: the key and what to do."""
    if not is_mapping(value):
        yield f"found {shown(value)}; write an object with {', '.join(_KEYS)}"
        return
    if rule.never_exempt:
        yield f"{rule.id} has no exemptions ({rule.never_exempt}); change the resource"
    for key in value:
        if key not in _KEYS:
            yield f"{key}: an exemption has no such key, allowed: {', '.join(_KEYS)}"
    for key in _KEYS:
        if key not in value:
            yield f"{key}: not set; an exemption has all of {', '.join(_KEYS)}"
        else:
            problem = _problem(key, value[key], today)
            if problem:
                yield f"{key}: found {shown(value[key])}, allowed: {problem}"


def _problem(key: str, value: object, today: dt.date) -> str | None:
    text = str(value).strip() if isinstance(value, str | dt.date) else ""
    if key == "resource" and (not _RESOURCE.fullmatch(text) or text.strip("*:") == ""):
        return f"a URN, TYPE::NAME with * for any text, or {STACK}"
    if key == "finding" and not (_FINGERPRINT.fullmatch(text) or len(text) >= _SHORTEST_FINDING):
        return (
            f"a part of the finding of at least {_SHORTEST_FINDING} characters, or its fingerprint"
        )
    if key == "reason" and len(text) < _SHORTEST_REASON:
        return f"a reason of at least {_SHORTEST_REASON} characters"
    if key == "owner" and not _OWNER.fullmatch(text):
        return "the e-mail address of who answers for it"
    if key == "expires":
        return _date_problem(text, today)
    return None


def _date_problem(text: str, today: dt.date) -> str | None:
    allowed = f"a day such as 2026-12-31, at most {MOST_DAYS} days ahead"
    try:
        expires = dt.date.fromisoformat(text)
    except ValueError:
        return allowed
    return allowed if expires > today + dt.timedelta(days=MOST_DAYS) else None

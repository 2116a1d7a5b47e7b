"""What a run of the packs found, written down as it happens, a JSON object a line.

The engine ends the packs without a word, and skips the stack rules when an update fails, so a
report cannot wait for the end. Set POLICY_EVENT_LOG to a file and every pack of the run appends.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from policies.engine.config import Settings
from policies.engine.judge import Finding, Note, Result
from policies.shared.rule import AnyRule, StackRule
from resources.resource import Stack

VARIABLE: Final = "POLICY_EVENT_LOG"


class EventLog:
    """Appends records to a file; several packs may do so at once."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @classmethod
    def of_environment(cls) -> "EventLog | None":
        """Return the log that the variable asks for."""
        path = os.environ.get(VARIABLE)
        return cls(Path(path)) if path else None

    def _write(self, record: Mapping[str, Any]) -> None:
        # One write a record: appends of one call are never mixed with another's.
        os.write(self._file, json.dumps(record).encode() + b"\n")

    def pack(self, name: str, rules: Sequence[AnyRule], settings: Mapping[str, Settings]) -> None:
        """Append a pack, its rules and their levels."""
        self._write(pack_record(name, rules, settings))

    def resource(self, urn: str, token: str, name: str, results: Sequence[Result]) -> None:
        """Append what the rules say of a resource."""
        self._write(resource_record(urn, token, name, results))

    def stack(
        self,
        stack: Stack,
        rules: Sequence[StackRule],
        results: Sequence[Result],
        notes: Sequence[Note],
    ) -> None:
        """Append what the stack rules say, the exemptions and the tables."""
        self._write(stack_record(stack, rules, results, notes))

    def wiring(self, needs: Mapping[str, Sequence[str]], stack: Stack) -> None:
        """Append what each resource needs, and what each of its properties comes from."""
        named = {each.urn: each.dependencies for each in stack if each.dependencies}
        self._write({"kind": "wiring", "needs": needs, "properties": named})


def pack_record(
    name: str, rules: Sequence[AnyRule], settings: Mapping[str, Settings]
) -> dict[str, Any]:
    """Return the pack, its rules and their levels."""
    return {
        "kind": "pack",
        "pack": name,
        "rules": [
            {
                "id": rule.id,
                "name": rule.display_name,
                "description": rule.description,
                "why": rule.why,
                "remediation": rule.remediation,
                "severity": rule.severity.value,
                "level": settings[rule.id].level,
                "url": rule.url,
                "references": [f"{each.framework} {each.control}" for each in rule.references],
                "stack": isinstance(rule, StackRule),
            }
            for rule in rules
        ],
    }


def resource_record(urn: str, token: str, name: str, results: Sequence[Result]) -> dict[str, Any]:
    """Return what the rules say of a resource."""
    return {
        "kind": "resource",
        "urn": urn,
        "type": token,
        "name": name,
        "results": list(_results(results)),
    }


def stack_record(
    stack: Stack, rules: Sequence[StackRule], results: Sequence[Result], notes: Sequence[Note]
) -> dict[str, Any]:
    """Return what the stack rules say, the exemptions and the tables."""
    return {
        "kind": "stack",
        "results": list(_results(results)),
        "exemptions": [{"rule": note.exemption.rule, "text": note.text} for note in notes],
        "tables": [rule.table(stack) for rule in rules if rule.table],
    }


def _results(results: Iterable[Result]) -> Iterable[dict[str, Any]]:
    for result in results:
        yield {
            "rule": result.rule.id,
            "outcome": result.outcome.value,
            "unread": result.unread,
            "findings": [_finding(each) for each in result.findings],
        }


def _finding(finding: Finding) -> dict[str, Any]:
    exemption = finding.exempted_by
    return {
        "text": finding.text,
        "urn": finding.urn,
        "fingerprint": finding.fingerprint,
        "exempted": f"{exemption.reason} ({exemption.owner}, until {exemption.expires})"
        if exemption
        else "",
    }

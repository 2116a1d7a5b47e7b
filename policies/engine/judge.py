"""Judges resources by rules: the one place where rules run, whoever asks.

The engine's server, the report on an exported state and the tests all come here. Nothing that a
rule does ends a run: an error inside a rule is a finding, so it fails closed.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pulumi_policy.proxy import UnknownValueError

from policies.engine.config import DISABLED, REMEDIATE, Settings
from policies.engine.exemptions import Exemption
from policies.shared.limits import Limits
from policies.shared.rule import AnyRule, ResourceRule, StackRule
from resources.properties import UnreadableError, forget_unknowns, met_unknowns
from resources.resource import Resource, Stack, stack_of


class Outcome(Enum):
    """What came of one rule on one resource, or of a stack rule on the stack."""

    PASSED = "passed"
    FAILED = "failed"
    EXEMPTED = "exempted"
    UNKNOWN = "unknown"
    """Nothing was found, but not all it looked at is known in this preview."""


@dataclass(frozen=True)
class Finding:
    """One finding. `urn` is empty for one about the whole stack."""

    text: str
    message: str
    urn: str
    fingerprint: str
    exempted_by: Exemption | None = None


@dataclass(frozen=True)
class Result:
    """What one rule says. `unread` is set when it could not run in this preview."""

    rule: AnyRule
    level: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    unread: str = ""

    @property
    def violations(self) -> Iterator[Finding]:
        """The findings that no exemption covers."""
        return (each for each in self.findings if each.exempted_by is None)


@dataclass(frozen=True)
class Note:
    """What is to be said of an exemption at the end."""

    exemption: Exemption
    text: str


class Judge:
    """Rules with their settings. Keeps in mind which exemptions were used."""

    def __init__(
        self,
        rules: Sequence[AnyRule],
        settings: Mapping[str, Settings],
        today: dt.date | None = None,
    ) -> None:
        self._settings = settings
        self._today = today or dt.date.today()
        enabled = [rule for rule in rules if settings[rule.id].level != DISABLED]
        self._resource_rules = [rule for rule in enabled if isinstance(rule, ResourceRule)]
        self.not_remediating = [
            rule for rule in self._resource_rules if settings[rule.id].level != REMEDIATE
        ]
        self.remediates = len(self.not_remediating) < len(self._resource_rules)
        self.stack_rules = [rule for rule in enabled if isinstance(rule, StackRule)]
        self._by_type: dict[str, tuple[ResourceRule, ...]] = {}
        self._used: dict[Exemption, int] = {}

    def applicable(self, token: str) -> tuple[ResourceRule, ...]:
        """Return the rules that speak of resources of a type."""
        found = self._by_type.get(token)
        if found is None:
            found = tuple(rule for rule in self._resource_rules if rule.applies(token))
            self._by_type[token] = found
        return found

    def not_applicable(self, token: str) -> Iterator[ResourceRule]:
        """Return the rules that do not."""
        wanted = self.applicable(token)
        return (rule for rule in self._resource_rules if rule not in wanted)

    def level(self, rule: AnyRule) -> str:
        """Return the level of a rule's findings."""
        level = self._settings[rule.id].level
        return "mandatory" if level == REMEDIATE else level

    def resource(self, resource: Resource) -> list[Result]:
        """Return what each applicable rule says of a resource."""
        return [self._judge(rule, resource) for rule in self.applicable(resource.type)]

    def stack(self, resources: Sequence[Resource]) -> list[Result]:
        """Return what each stack rule says of all resources."""
        stack = stack_of(resources)
        stack.today = self._today
        return [self._judge(rule, stack) for rule in self.stack_rules]

    def may_remediate(self, token: str) -> bool:
        """Return whether a rule may change resources of a type."""
        return any(self._settings[rule.id].level == REMEDIATE for rule in self.applicable(token))

    def remediations(
        self, resource: Resource
    ) -> Iterator[tuple[ResourceRule, Mapping[str, object]]]:
        """Yield what to change in a resource, where the config says so rather than to fail."""
        for rule in self.applicable(resource.type):
            settings = self._settings[rule.id]
            if settings.level != REMEDIATE or rule.remediate is None:
                continue
            if any(self._judge(rule, resource).violations):
                yield rule, rule.remediate(resource, settings.limits)

    def notes(self) -> list[Note]:
        """Return the exemptions that were applied, that are expired, and that nothing needed."""
        notes: list[Note] = []
        for settings in self._settings.values():
            for each in settings.exemptions:
                count = self._used.get(each, 0)
                if each.expired(self._today):
                    said = f"expired on {each.expires}: change the resource, or remove the entry"
                elif count:
                    said = f"covers {count} until {each.expires}: {each.reason}"
                else:
                    said = "covers nothing: remove the entry"
                notes.append(Note(each, f"exemption of {each.resource} by {each.owner} {said}"))
        return notes

    def _judge(self, rule: AnyRule, judged: Resource | Stack) -> Result:
        forget_unknowns()
        findings: list[Finding] = []
        unread = ""
        try:
            # One by one: what was found before an error counts.
            findings.extend(
                self._finding(rule, resource, text)
                for resource, text in _found(rule, judged, self._settings[rule.id].limits)
            )
        except UnknownValueError as error:
            unread = str(error.message)
        except Exception as error:
            resource = judged if isinstance(judged, Resource) else None
            findings.append(self._finding(rule, resource, _error_text(error)))
        return self._result(rule, findings, unread)

    def _result(self, rule: AnyRule, findings: list[Finding], unread: str) -> Result:
        if any(each.exempted_by is None for each in findings):
            outcome = Outcome.FAILED
        elif findings:
            outcome = Outcome.EXEMPTED
        else:
            outcome = Outcome.UNKNOWN if unread or met_unknowns() else Outcome.PASSED
        return Result(rule, self.level(rule), outcome, tuple(findings), unread)

    def _finding(self, rule: AnyRule, resource: Resource | None, text: str) -> Finding:
        urn, kind, name = (resource.urn, resource.type, resource.name) if resource else ("", "", "")
        fingerprint = hashlib.sha256(f"{rule.id}|{urn}|{text}".encode()).hexdigest()[:16]
        note = ""
        exempted_by = None
        for each in self._settings[rule.id].exemptions:
            if not each.covers(urn, kind, name, text, fingerprint):
                continue
            if each.expired(self._today):
                note = f" (exempted by {each.owner} until {each.expires}, which is past)"
            else:
                self._used[each] = self._used.get(each, 0) + 1
                exempted_by = each
                break
        return Finding(text, rule.message(resource, f"{text}{note}"), urn, fingerprint, exempted_by)


def _found(
    rule: AnyRule, judged: Resource | Stack, limits: Limits
) -> Iterator[tuple[Resource | None, str]]:
    """Yield what a rule finds, each with the resource it is about."""
    if isinstance(rule, StackRule) and isinstance(judged, Stack):
        for found in rule.check(judged, limits):
            yield found.resource, found.text
    if isinstance(rule, ResourceRule) and isinstance(judged, Resource):
        for text in rule.check(judged, limits):
            yield judged, text


def _error_text(error: Exception) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    # The error's own text may hold a value, and a policy sees secrets decrypted.
    return f"could not be checked, the rule raised {type(error).__name__}"

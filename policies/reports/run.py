"""A run of the packs: what was checked on what, and what came of it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

OUTCOMES: Final = ("passed", "failed", "exempted", "unknown", "not applicable")


@dataclass(frozen=True)
class Finding:
    """One finding: the rule's record, the resource (empty for the stack) and what was found."""

    rule: dict[str, Any]
    urn: str
    text: str
    fingerprint: str
    exempted: str

    @property
    def level(self) -> str:
        """`advisory` or `mandatory`."""
        return "advisory" if self.rule["level"] == "advisory" else "mandatory"

    @property
    def subject(self) -> str:
        """The resource as `name (type)`, or the stack."""
        if not self.urn:
            return "the stack"
        kind, _, name = self.urn.rpartition("::")
        return f"{name} ({kind.rpartition('::')[2].rpartition('$')[2]})"


@dataclass
class Run:
    """Everything a report shows. `counts` holds the outcomes by rule id."""

    packs: list[str] = field(default_factory=list[str])
    rules: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    counts: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    resources: int = 0
    found: list[Finding] = field(default_factory=list[Finding])
    unread: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    exemptions: list[str] = field(default_factory=list[str])
    tables: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    needs: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What each resource of a preview needs, by URN; `wired` says it for each property."""
    wired: dict[str, dict[str, list[str]]] = field(default_factory=dict[str, dict[str, list[str]]])
    whole: bool = False
    """Whether the stack rules ran: the engine leaves them out when an update fails before."""

    @property
    def violations(self) -> list[Finding]:
        """What stops the deployment."""
        return [each for each in self.found if each.level == "mandatory" and not each.exempted]

    @property
    def advice(self) -> list[Finding]:
        """What does not."""
        return [each for each in self.found if each.level == "advisory" and not each.exempted]

    @property
    def exempted(self) -> list[Finding]:
        """What is accepted for a while."""
        return [each for each in self.found if each.exempted]

    def totals(self) -> Counter[str]:
        """Return the outcomes of all rules together."""
        return sum(self.counts.values(), Counter[str]())


def of_event_log(path: Path) -> Run:
    """Return the run that an event log tells of; an empty one if nothing was written."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return of_records(json.loads(line) for line in lines)


def of_records(records: Iterable[dict[str, Any]]) -> Run:
    """Return the run that the records tell of."""
    run = Run()
    resource_rules: set[str] = set()
    urns: set[str] = set()
    for record in records:
        if record["kind"] == "pack":
            run.packs.append(record["pack"])
            for rule in record["rules"]:
                run.rules[rule["id"]] = rule
                run.counts[rule["id"]] = Counter()
                if not rule["stack"] and rule["level"] != "disabled":
                    resource_rules.add(rule["id"])
        elif record["kind"] == "resource":
            urns.add(record["urn"])
            spoken = set(_take(run, record, record["urn"]))
            for rule_id in resource_rules - spoken:
                run.counts[rule_id]["not applicable"] += 1
        elif record["kind"] == "wiring":
            run.needs, run.wired = record["needs"], record["properties"]
        else:
            run.whole = True
            for _ in _take(run, record, ""):
                pass
            run.exemptions += [f"{each['rule']}: {each['text']}" for each in record["exemptions"]]
            run.tables += record["tables"]
    run.resources = len(urns)
    return run


def _take(run: Run, record: dict[str, Any], urn: str) -> Iterator[str]:
    for result in record["results"]:
        rule = run.rules[result["rule"]]
        run.counts[rule["id"]][result["outcome"]] += 1
        if result["unread"]:
            run.unread.append((rule["id"], urn, result["unread"]))
        run.found += [
            Finding(rule, each["urn"], each["text"], each["fingerprint"], each["exempted"])
            for each in result["findings"]
        ]
        yield rule["id"]

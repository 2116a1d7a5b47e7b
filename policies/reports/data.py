"""The whole run as JSON."""

import json
from typing import Any

from policies.reports.run import OUTCOMES, Finding, Run


def render(run: Run) -> str:
    """Return everything that the other forms show, for programs."""
    document: dict[str, Any] = {
        "packs": run.packs,
        "resources": run.resources,
        "complete": run.whole,
        "passed": not run.violations,
        "totals": {name: run.totals()[name] for name in OUTCOMES},
        "rules": [
            {**rule, "outcomes": {name: run.counts[rule_id][name] for name in OUTCOMES}}
            for rule_id, rule in run.rules.items()
        ],
        "findings": [_finding(each) for each in run.found],
        "unread": [{"rule": rule_id, "urn": urn, "why": why} for rule_id, urn, why in run.unread],
        "exemptions": run.exemptions,
        "tables": run.tables,
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(found: Finding) -> dict[str, Any]:
    return {
        "rule": found.rule["id"],
        "severity": found.rule["severity"],
        "level": found.level,
        "urn": found.urn,
        "found": found.text,
        "remediation": found.rule["remediation"],
        "fingerprint": found.fingerprint,
        "exempted": found.exempted,
    }

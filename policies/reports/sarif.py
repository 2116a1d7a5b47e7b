"""The findings as SARIF 2.1.0, which code scanning services read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from typing import Any, Final

from policies.reports.run import Finding, Run

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: Final = {"mandatory": "error", "advisory": "warning"}
# The scale that code scanning sorts by.
_SCORES: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0"}
_PROGRAM: Final = "Pulumi.yaml"


def render(run: Run) -> str:
    """Return one SARIF log of one run. A resource has no line of code, so its URN says where."""
    places = {rule_id: index for index, rule_id in enumerate(run.rules)}
    log: dict[str, Any] = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "policies",
                        "informationUri": "https://www.pulumi.com/docs/insights/policy/",
                        "rules": [_rule(rule) for rule in run.rules.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": run.whole}],
                "results": [_result(each, places) for each in run.found],
            }
        ],
    }
    return json.dumps(log, indent=2) + "\n"


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    level = _LEVELS["advisory" if rule["level"] == "advisory" else "mandatory"]
    return {
        "id": rule["id"],
        "name": rule["name"],
        "shortDescription": {"text": rule["description"]},
        "fullDescription": {"text": rule["why"]},
        "help": {"text": f"Remediation: {rule['remediation']}"},
        "helpUri": rule["url"],
        "defaultConfiguration": {"enabled": rule["level"] != "disabled", "level": level},
        "properties": {
            "security-severity": _SCORES[rule["severity"]],
            "tags": ["security", *rule["references"]],
        },
    }


def _result(found: Finding, places: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": found.rule["id"],
        "ruleIndex": places[found.rule["id"]],
        "level": _LEVELS[found.level],
        "message": {"text": f"{found.subject}: {found.text}. {found.rule['why']}"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _PROGRAM}},
                "logicalLocations": [
                    {
                        "name": found.subject,
                        "fullyQualifiedName": found.urn or "stack",
                        "kind": "resource",
                    }
                ],
            }
        ],
        "partialFingerprints": {"finding/v1": found.fingerprint},
    }
    if found.exempted:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": found.exempted}
        ]
    return result

"""What `make policy` prints and writes: a real preview of a stack, judged by every pack."""

import json
from collections.abc import Callable

import pytest

from launcher.policy_report import policy
from launcher.problem import LaunchError
from tests.engine.conftest import Rehearsal


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_first_preview_passes_with_its_report(
    stack: str, rehearsal_of: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    places = rehearsal_of(stack).places
    policy(places, "sandbox", "json", None)
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] is True
    assert report["complete"] is True
    assert report["resources"] > 100
    assert report["totals"]["passed"] > 100
    assert report["totals"]["failed"] == 0
    (table,) = report["tables"]
    named = {"dev": "serviceAccount:sentiment-run@", "prod": "group:ml-apps@acme.com"}
    assert any(row[0].startswith(named[stack]) for row in table["rows"])
    written = {path.name for path in (places.home / "policy").iterdir()}
    assert written >= {"report.txt", "report.json", "report.sarif", "report.md"}


def test_a_state_with_a_violation_fails_with_its_report(
    rehearsal_of: Callable[[str], Rehearsal], capsys: pytest.CaptureFixture[str]
) -> None:
    places = rehearsal_of("dev").places
    export = places.config.with_name("export.json")
    grant = {
        "type": "gcp:projects/iAMMember:IAMMember",
        "urn": "urn:pulumi:dev::inference::gcp:projects/iAMMember:IAMMember::owner",
        "inputs": {"role": "roles/owner", "member": "user:dev@acme.example"},
    }
    export.write_text(json.dumps({"deployment": {"manifest": {}, "resources": [grant]}}))
    with pytest.raises(LaunchError, match="violations: `make up` would be refused"):
        policy(places, "sandbox", "markdown", export)
    assert capsys.readouterr().out.startswith("## Policy stops this change")

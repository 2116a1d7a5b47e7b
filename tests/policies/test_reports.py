"""A run of the packs as text, JSON, SARIF and Markdown; from an event log or an exported state."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import report
from policies.access.reach import table
from policies.engine.environment import file_of, settings_of
from policies.engine.event_log import EventLog
from policies.engine.packs import ALL, rules_of
from policies.reports import data, markdown, sarif, state, text
from policies.reports.run import OUTCOMES, Run, of_event_log
from tests.policies.cases import CASES
from tests.policies.harness import RULES, TODAY, UNKNOWN, resource, urn
from tests.policies.test_properties import SECRET, cases

BUCKET = "gcp:storage/bucket:Bucket"
MEMBER = "gcp:projects/iAMMember:IAMMember"
SECRET_SIGN = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def exported(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"urn": urn(token, name), "type": token, "inputs": inputs, "outputs": inputs}


STATE = [
    exported(MEMBER, "owner", {"role": "roles/owner", "member": "user:dev@acme.example"}),
    exported(
        BUCKET,
        "models",
        {"uniformBucketLevelAccess": False, "labels": {"x": {**SECRET_SIGN, "ciphertext": "v1:"}}},
    ),
    {**exported(MEMBER, "gone", {"role": "roles/editor"}), "delete": True},
    exported("gcp:serviceaccount/key:Key", "key", {"privateKey": {**SECRET_SIGN, "value": SECRET}}),
]


@pytest.fixture(scope="module")
def run() -> Run:
    return state.judge(STATE, rules_of(ALL), settings_of(file_of("prod")), TODAY)


def test_every_rule_counts_every_resource_once(run: Run) -> None:
    for rule_id, rule in run.rules.items():
        counts = run.counts[rule_id]
        assert set(counts) <= set(OUTCOMES)
        asked = 1 if rule["stack"] else run.resources
        assert sum(counts.values()) == (0 if rule["level"] == "disabled" else asked), rule_id
    assert run.resources == 3
    assert run.whole


def test_what_is_one_is_named_in_the_singular() -> None:
    rules = [RULES["iam-no-basic-roles"]]
    one = text.summary(state.judge(STATE[:1], rules, settings_of(file_of("prod")), TODAY))
    assert one.startswith("1 rule x 1 resource: ")
    assert one.endswith("; 1 violation, 0 advisories.")


def test_findings_are_there_and_secrets_are_not(run: Run) -> None:
    found = {(each.rule["id"], each.urn) for each in run.violations}
    assert ("iam-no-basic-roles", urn(MEMBER, "owner")) in found
    assert ("data-gcs-private", urn(BUCKET, "models")) in found
    assert not any(urn(MEMBER, "gone") == where for _, where in found)
    for _, render in report.FORMATS.values():
        assert SECRET not in render(run)


def test_text_names_resource_finding_reason_and_cure(run: Run) -> None:
    printed = text.render(run)
    assert f"iam-no-basic-roles [critical] owner ({MEMBER})" in printed
    assert "found: grants the basic role roles/owner" in printed
    assert "why: A basic role holds" in printed
    assert "remediation: grant the narrowest predefined role" in printed
    assert f"{len(run.rules)} rules x 3 resources: " in printed
    assert "user:dev@acme.example" in printed.partition("Effective access")[2]


def test_markdown_says_the_verdict_first(run: Run) -> None:
    printed = markdown.render(run)
    assert printed.startswith("## Policy stops this change\n")
    rows = [line for line in printed.splitlines() if line.startswith("| critical |")]
    assert any("grants the basic role roles/owner" in row for row in rows)
    assert all(row.count(" | ") == 4 for row in rows)
    assert markdown.render(Run(whole=True)).startswith("## Policy lets this change pass\n")


def test_json_holds_everything(run: Run) -> None:
    document = json.loads(data.render(run))
    assert document["passed"] is False
    assert document["complete"] is True
    assert len(document["rules"]) == len(run.rules)
    assert sum(document["totals"].values()) == sum(
        sum(rule["outcomes"].values()) for rule in document["rules"]
    )


def test_sarif_has_what_the_standard_demands(run: Run) -> None:
    log = json.loads(sarif.render(run))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (only,) = log["runs"]
    driver = only["tool"]["driver"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    assert all(rule["helpUri"].startswith("https://") for rule in driver["rules"])
    assert len(only["results"]) == len(run.found)
    for result in only["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        (place,) = result["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == "Pulumi.yaml"
        assert place["logicalLocations"][0]["fullyQualifiedName"]
        assert len(result["partialFingerprints"]["finding/v1"]) == 16


def test_an_event_log_tells_of_a_run_that_was_cut_short(tmp_path: Path) -> None:
    file = tmp_path / "event_log"
    EventLog(file).pack("all", rules_of(ALL), settings_of(file_of("dev")))
    EventLog(file).resource(urn(BUCKET), BUCKET, "it", [])
    run = of_event_log(file)
    assert run.resources == 1
    assert not run.whole
    assert "did not run" in text.render(run)
    assert "did not run" in markdown.render(run)


def test_command_judges_an_exported_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "export.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}, "resources": STATE}}))
    arguments = ["--state", str(file), "--environment", "dev", "--output", str(tmp_path / "out")]
    assert report.main(arguments) == 1
    assert "grants the basic role roles/owner" in capsys.readouterr().out
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"report.txt", "report.json", "report.sarif", "report.md"}
    file.write_text(json.dumps({"version": 3, "deployment": {"manifest": {}}}))
    assert report.main(arguments) == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"deployment": 3}'])
def test_a_file_that_is_no_state_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = tmp_path / "export.json"
    file.write_text(content)
    assert report.main(["--state", str(file), "--environment", "dev"]) == 2
    assert "pulumi stack export" in capsys.readouterr().err


def test_the_table_shows_whom_everyone_can_become() -> None:
    (case,) = (case for case in CASES if case.name == "two links, wired and not known yet")
    stack = [
        resource(row["type"], row["props"], row["name"], wired_of(row, case.resources))
        for row in case.resources
    ]
    rows = {row[0]: row[1:] for row in table(stack)["rows"]}
    holds, becomes, may = rows["pods of inference/web"]
    assert holds == "roles/iam.workloadIdentityUser on service account middle"
    assert becomes == "service account middle; service account admin"
    assert "administer" in may


def wired_of(row: dict[str, Any], rows: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    made = {each["name"]: resource(each["type"], {}, each["name"]) for each in rows}
    return {prop: [made[name] for name in names] for prop, names in row.get("wired", {}).items()}


def test_a_role_that_no_table_knows_is_unknown_and_not_harmless() -> None:
    member = "user:dev@acme.example"
    for role in ("roles/made.up", UNKNOWN, "projects/acme/roles/elsewhere"):
        (row,) = table([resource(MEMBER, {"role": role, "member": member})])["rows"]
        assert row[3] == "unknown"
        run = state.judge(
            [exported(MEMBER, "it", {"role": role, "member": member})],
            rules_of(ALL),
            settings_of(file_of("dev")),
            TODAY,
        )
        assert run.counts["iam-no-escalation-chain"]["unknown"] == 1


@settings(max_examples=200)
@given(st.lists(cases(), max_size=6))
def test_the_table_stands_anything(some: list[tuple[str, str, dict[str, Any]]]) -> None:
    stack = [resource(kind, props, f"r{index}") for index, (_, kind, props) in enumerate(some)]
    assert SECRET not in json.dumps(table(stack))


def test_the_owners_of_a_dataset_are_named_and_roles_come_in_order() -> None:
    dataset = resource(
        "gcp:bigquery/dataset:Dataset",
        {
            "accesses": [
                {"role": role, "specialGroup": "projectOwners"} for role in ("WRITER", "READER")
            ]
        },
    )
    ((who, holds, *_),) = table([dataset])["rows"]
    assert who.startswith("projectOwner:")
    assert holds == "READER on dataset it; WRITER on dataset it"

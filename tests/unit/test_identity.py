"""Who pipelines are on Google Cloud: the runs they stand for, and rights that the packs pass."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from identity.pipelines import TABLE, Pipelines, make
from policies.engine.environment import settings_of
from policies.engine.packs import ALL, rules_of
from policies.reports import state
from policies.reports.run import Run
from tests.unit.harness import Cloud, Deploy

FOLDER = Path(__file__).parents[2] / "identity"
GIVEN = Pipelines(
    environment="dev",
    project="acme-inference-test",
    project_number="1234567890",
    repository="acme/inference",
    repository_id="42",
    branch="main",
    approvers="group:platform@acme.com",
    state_bucket="acme-state",
    state_key="projects/acme-inference-test/locations/us-central1/keyRings/pulumi/cryptoKeys/state",
)
ACCOUNT = "gcp:serviceaccount/account:Account"
ON_ACCOUNT = "gcp:serviceaccount/iAMMember:IAMMember"
ON_PROJECT = "gcp:projects/iAMMember:IAMMember"
PROVIDER = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
TODAY = dt.date(2026, 11, 29)


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(lambda: make(GIVEN))


@pytest.fixture
def run(cloud: Cloud, tmp_path: Path) -> Run:
    """Return what the packs say, in the project that accounts have under mocks."""
    file = tmp_path / "policies.yaml"
    text = (FOLDER / "policies.yaml").read_text()
    file.write_text(text.replace("acme-inference-dev", GIVEN.project))
    exported: list[dict[str, Any]] = [
        {
            "urn": each.urn,
            "type": each.type,
            "inputs": each.inputs,
            "outputs": each.outputs,
            "propertyDependencies": {
                name: sorted(urns) for name, urns in each.property_dependencies.items()
            },
        }
        for each in cloud.resources
    ]
    return state.judge(exported, rules_of(ALL), settings_of(file, TODAY), TODAY)


def roles_of(cloud: Cloud, account: str) -> set[str]:
    member = cloud.one(ACCOUNT, account).outputs["member"]
    return {
        each.inputs["role"] for each in cloud.all(ON_PROJECT) if each.inputs["member"] == member
    }


def test_the_packs_find_nothing_but_what_is_exempted(run: Run):
    assert run.whole
    assert [(each.rule["id"], each.subject) for each in run.found if not each.exempted] == []
    assert [each.rule["id"] for each in run.exempted] == [
        "iam-no-toxic-pair",
        "iam-separation-of-duties",
    ]
    assert run.totals()["passed"] > 400


def test_only_runs_of_the_repositorys_environments_come_in_and_only_the_branch_deploys(
    cloud: Cloud,
):
    condition = cloud.one(PROVIDER).inputs["attributeCondition"]
    preview, deployment = condition.split(" || ")
    for each in (preview, deployment):
        assert "assertion.repository_id == '42'" in each
    assert "assertion.sub == 'repo:acme/inference:environment:preview-dev'" in preview
    assert "assertion.sub == 'repo:acme/inference:environment:dev'" in deployment
    assert "assertion.ref == 'refs/heads/main'" in deployment


def test_each_account_stands_for_the_runs_of_one_environment(cloud: Cloud):
    found = {
        each.name: each.inputs["member"].partition("/subject/")[2] for each in cloud.all(ON_ACCOUNT)
    }
    assert found == {
        "preview-from-github": "repo:acme/inference:environment:preview-dev",
        "deploy-from-github": "repo:acme/inference:environment:dev",
    }


def test_a_preview_reads_no_data_and_changes_nothing(cloud: Cloud):
    for role in roles_of(cloud, "preview"):
        assert re.search(r"[vV]iewer|[rR]eader|[rR]eviewer|auditor|UsageConsumer", role), role
        assert not re.search(r"\.dataViewer|objectViewer|secretAccessor", role), role


def test_the_deployers_roles_are_lent_for_hours_with_somebodys_consent(cloud: Cloud):
    lent = cloud.one("gcp:privilegedaccessmanager/entitlement:entitlement").inputs
    assert lent["maxRequestDuration"] == "14400s"
    (step,) = lent["approvalWorkflow"]["manualApprovals"]["steps"]
    assert step["approvers"] == {"principals": ["group:platform@acme.com"]}
    assert lent["eligibleUsers"] == [
        {"principals": [cloud.one(ACCOUNT, "deploy").outputs["member"]]}
    ]
    assert roles_of(cloud, "deploy") == {
        "roles/serviceusage.serviceUsageConsumer",
        f"projects/{GIVEN.project}/roles/pipelinesEnableApis",
    }


def test_the_deployer_grants_what_the_platform_grants_and_no_more(cloud: Cloud):
    lent = cloud.one("gcp:privilegedaccessmanager/entitlement:entitlement").inputs
    bindings = lent["privilegedAccess"]["gcpIamAccess"]["roleBindings"]
    (limited,) = (each for each in bindings if "conditionExpression" in each)
    assert limited["role"] == "roles/resourcemanager.projectIamAdmin"
    assert re.findall(r"'(roles/[^']+)'", limited["conditionExpression"]) == TABLE["grants"]
    assert len(TABLE["grants"]) <= 10
    assert not {"roles/owner", "roles/editor"} & {each["role"] for each in bindings}


def test_no_account_has_a_key(cloud: Cloud):
    assert not [each for each in cloud.resources if "key:Key" in each.type]


def test_the_config_of_the_program_names_what_it_reads():
    declared = yaml.safe_load((FOLDER / "Pulumi.yaml").read_text())["config"]
    read = set(
        re.findall(r'config\.(?:require|get)\("(\w+)"\)', (FOLDER / "__main__.py").read_text())
    )
    assert set(declared) == read
    given = yaml.safe_load((FOLDER / "Pulumi.dev.yaml").read_text())["config"]
    assert {key.partition(":")[2] for key in given if key.startswith("inference-identity:")} == read

"""Who pipelines are on Google Cloud: the runs they stand for, and rights that the packs pass."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from catalog.services import SERVICES
from config import examples
from config.load import from_mapping
from identity.pipelines import TABLE, Pipelines, make
from identity.settings import LIMITS, read
from policies.engine.environment import settings_of
from policies.engine.packs import ALL, rules_of
from policies.reports import state
from policies.reports.run import Run
from stacks.platform import build_platform
from tests.unit import harness
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
def cloud(deploy: Deploy, request: pytest.FixtureRequest) -> Cloud:
    given: Pipelines = getattr(request, "param", GIVEN)
    return deploy(lambda: make(given))


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
    assert [
        (each.rule["id"], each.subject, each.text) for each in run.found if not each.exempted
    ] == []
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
    assert not {"roles/owner", "roles/editor"} & {each["role"] for each in bindings}


EVERY: Pipelines = replace(GIVEN, also=", ".join(TABLE["also"]))
SHIPPED = sorted(FOLDER.parent.glob("Pulumi.*.yaml"))


def test_what_few_stacks_have_is_lent_where_it_is_named(deploy: Deploy) -> None:
    lent = (
        deploy(lambda: make(EVERY))
        .one("gcp:privilegedaccessmanager/entitlement:entitlement")
        .inputs
    )
    bindings = lent["privilegedAccess"]["gcpIamAccess"]["roleBindings"]
    assert {"roles/apigee.admin", "roles/iap.admin"} <= {each["role"] for each in bindings}
    condition = next(
        each["conditionExpression"] for each in bindings if "conditionExpression" in each
    )
    lists = [re.findall(r"'(roles/[^']+)'", part) for part in condition.split(" || ")]
    assert [len(each) for each in lists] == [10, 1]
    assert {role for each in lists for role in each} > {*TABLE["grants"]}


@pytest.mark.parametrize("cloud", [EVERY], indirect=True)
def test_the_packs_allow_all_that_may_be_lent(run: Run) -> None:
    assert run.violations == []


def test_every_api_has_the_roles_that_make_what_is_in_it() -> None:
    lent = {role.removeprefix("roles/").partition(".")[0] for role in TABLE["lent"]}
    told = (lent, {*TABLE["also"]}, {*TABLE["none"]})
    apis = {each.removesuffix(".googleapis.com") for each in SERVICES}
    assert apis - set().union(*told) == set()
    assert set().union(*told) - apis == {"cloudbuild"}
    assert sum(map(len, told)) == len(set().union(*told))


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_a_stack_grants_no_other_role_of_googles_on_its_project(file: Path) -> None:
    config = {key: each for key, each in examples.read(file).items() if ":" not in key}
    platform = from_mapping(config, file.name)
    made = harness.run(lambda: build_platform(platform))
    granted = {
        each.inputs["role"]
        for each in made.resources
        if each.type == ON_PROJECT and each.inputs["project"] == platform.project.id
    }
    assert {each for each in granted if each.startswith("roles/")} <= {*EVERY.roles("grants")}


def test_the_builder_pushes_scans_and_signs_with_the_one_key_and_no_more(cloud: Cloud) -> None:
    builder = cloud.one(ACCOUNT, "build").outputs["member"]
    on_one = {
        each.type.rpartition(":")[2]: each.inputs["role"]
        for each in cloud.resources
        if each.type != ON_PROJECT and each.inputs.get("member") == builder
    }
    assert on_one == {
        "CryptoKeyIAMMember": "roles/cloudkms.signerVerifier",
        "AttestorIamMember": "roles/binaryauthorization.attestorsViewer",
        "NoteIamMember": "roles/containeranalysis.notes.attacher",
    }
    assert roles_of(cloud, "build") == {*TABLE["accounts"]["build"], "roles/storage.objectViewer"}
    key = cloud.one("gcp:kms/cryptoKey:CryptoKey").inputs
    assert (key["purpose"], key["deletionPolicy"]) == ("ASYMMETRIC_SIGN", "PREVENT")


def test_no_account_has_a_key(cloud: Cloud):
    assert not [each for each in cloud.resources if "key:Key" in each.type]


def test_the_config_of_the_program_names_what_it_reads():
    declared = yaml.safe_load((FOLDER / "Pulumi.yaml").read_text())["config"]
    assert {*declared} == {*LIMITS}
    given = yaml.safe_load((FOLDER / "Pulumi.dev.yaml").read_text())["config"]
    assert {f"inference-identity:{name}" for name in declared} <= {*given}


SETTINGS: dict[str, str] = {
    key.removeprefix("inference-identity:"): value
    for key, value in yaml.safe_load((FOLDER / "Pulumi.dev.yaml").read_text())["config"].items()
    if key.startswith("inference-identity:")
}


def settings(**changed: str | None) -> pulumi.Config:
    given = {**SETTINGS, **changed}
    pulumi.runtime.set_all_config(
        {f"inference-identity:{key}": value for key, value in given.items() if value is not None}
    )
    return pulumi.Config("inference-identity")


def test_the_settings_as_shipped_are_read() -> None:
    assert read(settings()) == SETTINGS


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("gcp_project", "Acme", "a project id"),
        ("project_number", "acme-inference", "a number in quotes"),
        ("repository", "https://github.com/acme/inference", "owner/name"),
        ("repository_id", "acme", "a number in quotes"),
        ("branch", "refs/heads/main", "a branch's name"),
        ("approvers", "platform@acme.com", "user: or group: and an e-mail address"),
        ("approvers", "allUsers", "user: or group: and an e-mail address"),
        ("state_bucket", "gs://acme-state", "a bucket's name"),
        ("state_key", "state", "a key of Cloud KMS"),
        ("also", "spanner", "some of aiplatform, apigateway, apigee,"),
        ("repository_id", None, "a number in quotes"),
    ],
)
def test_a_wrong_setting_is_told(name: str, value: str | None, allowed: str) -> None:
    found = "nothing" if value is None else f"'{value}'"
    where = re.escape(f'config["inference-identity:{name}"]') + "|config.inference-identity:" + name
    with pytest.raises(pulumi.RunError, match=f"({where}): found {found}; allowed: {allowed}"):
        read(settings(**{name: value}))

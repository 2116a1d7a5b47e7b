"""The parts of a pipeline, each used alone."""

from typing import Any

import pulumi
import pytest

from components.serverless.cloud_run_arguments import (
    CloudRunServiceArgs,
    validate_cloud_run_service,
)
from components.serverless.cloud_run_service import CloudRunService
from components.serverless.dead_letter import DeadLetter, DeadLetterArgs, validate_dead_letter
from components.serverless.message_archive import (
    MessageArchive,
    MessageArchiveArgs,
    validate_message_archive,
)
from components.serverless.results_table import (
    ResultsTable,
    ResultsTableArgs,
    validate_results_table,
)
from tests.unit import examples
from tests.unit.cloud_answers import PROJECT_ID
from tests.unit.harness import Deploy

AGENT = "service-1@gcp-sa-pubsub.iam.gserviceaccount.com"

SERVICE_ARGS: CloudRunServiceArgs = examples.arguments("CloudRunService")
DEAD_LETTER_ARGS: DeadLetterArgs = examples.arguments("DeadLetter")
ARCHIVE_ARGS: MessageArchiveArgs = examples.arguments("MessageArchive")
RESULTS_ARGS: ResultsTableArgs = examples.arguments("ResultsTable")


def test_service_is_called_by_the_named_accounts_only(deploy: Deploy):
    def program() -> Any:
        return CloudRunService("it", SERVICE_ARGS).uri

    cloud = deploy(program)
    grants = cloud.all("gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
    assert {(g.name, g.inputs["role"], g.inputs["member"]) for g in grants} == {
        ("it-invoke-one", "roles/run.invoker", "serviceAccount:one@acme.iam.gserviceaccount.com"),
        ("it-invoke-two", "roles/run.invoker", "serviceAccount:two@acme.com"),
    }
    assert cloud.value == "https://service-uc.a.run.app"


def test_uri_is_usable_by_the_invokers(deploy: Deploy):
    def program() -> Any:
        async def waited_for(output: pulumi.Output[str]) -> set[str]:
            return {type(resource).__name__ for resource in await output.resources()}

        return waited_for(CloudRunService("it", SERVICE_ARGS).uri)

    assert deploy(program).value == {"Service", "ServiceIamMember"}


def test_dead_letters_wait_as_long_as_asked(deploy: Deploy):
    cloud = deploy(lambda: DeadLetter("it", {**DEAD_LETTER_ARGS, "retention_days": 31}))
    subscription = cloud.one("gcp:pubsub/subscription:Subscription")
    assert subscription.inputs["messageRetentionDuration"] == "2678400s"
    assert subscription.protect


def test_archive_bucket_has_the_projects_name_in_its_own(deploy: Deploy):
    cloud = deploy(lambda: MessageArchive("texts-archive", ARCHIVE_ARGS))
    assert cloud.one("gcp:storage/bucket:Bucket").inputs["name"] == f"{PROJECT_ID}-texts-archive"


def test_several_accounts_may_write_results(deploy: Deploy):
    writers = {"run": "run@acme.com", "replay": "replay@acme.com"}

    def program() -> Any:
        return ResultsTable("it-results", {**RESULTS_ARGS, "writers": writers}).table

    cloud = deploy(program)
    grants = cloud.all("gcp:bigquery/iamMember:IamMember")
    assert {g.inputs["member"] for g in grants} == {
        "serviceAccount:run@acme.com",
        "serviceAccount:replay@acme.com",
    }
    assert cloud.value == f"{PROJECT_ID}.it_results.results"


@pytest.mark.parametrize(
    ("problems", "path"),
    [
        (validate_cloud_run_service("S", SERVICE_ARGS), "name"),
        (validate_cloud_run_service("s" * 50, SERVICE_ARGS), "name"),
        (validate_dead_letter("D", DEAD_LETTER_ARGS), "name"),
        (validate_dead_letter("d", {**DEAD_LETTER_ARGS, "retention_days": 0}), "retention_days"),
        (validate_message_archive("A", ARCHIVE_ARGS), "name"),
        (validate_message_archive("a-google", ARCHIVE_ARGS), "name"),
        (
            validate_message_archive("a", {**ARCHIVE_ARGS, "retention_days": 32}),
            "retention_days",
        ),
        (validate_results_table("r.r", RESULTS_ARGS), "name"),
        (
            validate_results_table("r", {**RESULTS_ARGS, "results": {"cluster_by": ["x"]}}),
            "results.cluster_by[0]",
        ),
    ],
)
def test_each_part_checks_its_own_arguments(problems: Any, path: str):
    assert [problem["property_path"] for problem in problems.found] == [path]


@pytest.mark.parametrize(
    "program",
    [
        lambda: CloudRunService("I", SERVICE_ARGS),
        lambda: DeadLetter("I", DEAD_LETTER_ARGS),
        lambda: MessageArchive("I", ARCHIVE_ARGS),
        lambda: ResultsTable("I.", RESULTS_ARGS),
    ],
)
def test_a_wrong_part_is_not_made(deploy: Deploy, program: Any):
    with pytest.raises(pulumi.InputPropertiesError, match="name: found 'I"):
        deploy(program)

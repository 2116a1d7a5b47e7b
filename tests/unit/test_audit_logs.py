"""Audit logs: of what, to where, kept how long, and read by whom."""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from catalog.services import AUDITED_SERVICES
from components.operations.audit_logs import AuditLogs, AuditLogsArgs
from stacks.audit import NAME
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

ARGS: AuditLogsArgs = examples.arguments("AuditLogs")
SINK = "gcp:logging/projectSink:ProjectSink"
DAY = 24 * 3600
PAGE = Path(__file__).parents[2] / "docs" / "tasks" / "who-did-what.md"
# Columns of the tables that a sink makes, as far as the page names them:
# https://cloud.google.com/logging/docs/export/bigquery#naming
# https://cloud.google.com/logging/docs/reference/audit/auditlog/rest/Shared.Types/AuditLog
_ENTRY = {
    "timestamp": "TIMESTAMP",
    "protopayload_auditlog": (
        "STRUCT<serviceName STRING, methodName STRING, resourceName STRING,"
        " status STRUCT<code INT64, message STRING>,"
        " authenticationInfo STRUCT<principalEmail STRING>,"
        " requestMetadata STRUCT<callerIp STRING>>"
    ),
}


@pytest.fixture
def cloud(deploy: Deploy) -> Cloud:
    return deploy(lambda: AuditLogs("audit-logs", ARGS))


def test_reads_and_writes_of_each_api_are_logged_for_everyone(cloud: Cloud):
    found = {
        each.inputs["service"]: [log["logType"] for log in each.inputs["auditLogConfigs"]]
        for each in cloud.all("gcp:projects/iAMAuditConfig:IAMAuditConfig")
    }
    assert set(found) == {*ARGS["services"]}
    for kinds in found.values():
        assert kinds == ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]


def test_nobody_shortens_what_the_bucket_keeps(cloud: Cloud):
    bucket = cloud.one("gcp:storage/bucket:Bucket")
    assert bucket.inputs["retentionPolicy"] == {
        "retentionPeriod": str(400 * DAY),
        "isLocked": True,
    }
    assert bucket.protect


def test_an_entry_can_be_queried_for_its_days(cloud: Cloud):
    dataset = cloud.one("gcp:bigquery/dataset:Dataset")
    assert dataset.inputs["defaultPartitionExpirationMs"] == 90 * DAY * 1000
    assert cloud.one(SINK, "audit-logs-queried").inputs["bigqueryOptions"] == {
        "usePartitionedTables": True
    }


def test_each_sink_has_what_audits_and_its_own_destination(cloud: Cloud):
    sinks = cloud.all(SINK)
    assert [each.inputs["destination"] for each in sinks] == [
        "storage.googleapis.com/acme-inference-test-audit-logs-kept",
        "bigquery.googleapis.com/projects/acme-inference-test/datasets/audit_logs",
    ]
    for sink in sinks:
        logs = re.findall(r'log_id\("cloudaudit\.googleapis\.com/(\w+)"\)', sink.inputs["filter"])
        assert logs == ["activity", "data_access", "system_event", "policy"]


def test_sinks_write_to_their_destination_and_readers_only_read(cloud: Cloud):
    granted = {
        (each.type.rpartition(":")[2], each.inputs["role"], each.inputs["member"].split("@")[-1])
        for each in cloud.resources
        if "role" in each.inputs
    }
    agent, readers = "gcp-sa-logging.iam.gserviceaccount.com", "acme.com"
    assert granted == {
        ("BucketIAMMember", "roles/storage.objectCreator", agent),
        ("BucketIAMMember", "roles/storage.objectViewer", readers),
        ("DatasetIamMember", "roles/bigquery.dataEditor", agent),
        ("DatasetIamMember", "roles/bigquery.dataViewer", readers),
    }


def test_the_query_of_the_page_reads_columns_that_sinks_make():
    text = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    dataset = NAME.replace("-", "_")
    tables = dict.fromkeys(
        [f"cloudaudit_googleapis_com_{log}" for log in ("data_access", "activity")], _ENTRY
    )
    schema: dict[str, Any] = {"acme-inference-prod": {dataset: tables}}
    assert len(text) == 1
    query = qualify(
        sqlglot.parse_one(text[0], dialect="bigquery"), schema=schema, dialect="bigquery"
    )
    fields = set(re.findall(r"protopayload_auditlog[`.]*((?:`?\w+`?\.)*`?\w+`?)", text[0]))
    known = re.sub(r"STRUCT<|>", " ", _ENTRY["protopayload_auditlog"])
    assert {name for field in fields for name in field.split(".")} <= {*re.findall(r"\w+", known)}
    assert isinstance(query, exp.Query)
    assert query.named_selects == ["timestamp", "who", "api", "did", "what", "came_from", "refused"]


def test_what_holds_data_and_secrets_is_audited():
    assert {"storage", "pubsub", "secretmanager", "cloudkms"} <= {
        name.partition(".")[0] for name in AUDITED_SERVICES
    }

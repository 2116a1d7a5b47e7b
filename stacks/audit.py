"""Audit logs of the project."""

from collections.abc import Mapping

from components.operations.audit_logs import AuditLogs, AuditLogsArgs
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation
from stacks.principals import members

NAME = "audit-logs"


def build_audit(
    platform: Platform,
    foundation: Foundation,
    pipelines: Mapping[str, PubSubCloudRunPipeline],
) -> AuditLogs | None:
    """Make what keeps the audit logs; None where the config has none."""
    if platform.audit is None:
        return None
    return AuditLogs(
        NAME,
        to_args(
            AuditLogsArgs,
            platform.audit,
            project=foundation.services.project_for("logging", "storage", "bigquery"),
            services=platform.audited_apis,
            readers=members(platform.audit.readers, pipelines),
            deletion_protection=platform.deletion_protection,
        ),
        foundation.google,
    )

"""Pipelines: a topic, a Cloud Run service and a table of results each."""

from collections.abc import Mapping

import pulumi

from components.serverless.message_archive import Archive
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.serverless.pubsub_cloud_run_pipeline_arguments import MessageSchema
from components.serverless.results_table import Results
from config.pipelines import Pipeline
from config.platform import Platform
from stacks.foundation import Foundation

PUBSUB = "pubsub.googleapis.com"


def build_serverless(
    platform: Platform, foundation: Foundation
) -> Mapping[str, PubSubCloudRunPipeline]:
    """Makes every pipeline of the config; no pipeline depends on another."""
    return {
        name: _pipeline(platform, foundation, name, pipeline)
        for name, pipeline in platform.pipelines.items()
    }


def _pipeline(
    platform: Platform, foundation: Foundation, name: str, pipeline: Pipeline
) -> PubSubCloudRunPipeline:
    services = foundation.services
    return PubSubCloudRunPipeline(
        name,
        {
            "project": services.project_for("iam", "pubsub", "run", "bigquery", "storage"),
            "region": pipeline.region,
            "pubsub_service_agent": services.service_agents[PUBSUB],
            "image": pipeline.image,
            "cpu": pipeline.cpu,
            "memory_mib": pipeline.memory_mib,
            "min_instances": pipeline.min_instances,
            "max_instances": pipeline.max_instances,
            "concurrency": pipeline.concurrency,
            "timeout_seconds": pipeline.timeout_seconds,
            "ack_deadline_seconds": pipeline.ack_deadline_seconds,
            "max_delivery_attempts": pipeline.max_delivery_attempts,
            "retry": {
                "minimum_seconds": pipeline.retry.minimum_seconds,
                "maximum_seconds": pipeline.retry.maximum_seconds,
            },
            "retention_days": pipeline.retention_days,
            "message_schema": _message_schema(pipeline),
            "results": _results(pipeline),
            "archive": _archive(pipeline),
            "deletion_protection": platform.deletion_protection,
        },
        pulumi.ResourceOptions(provider=foundation.provider),
    )


def _message_schema(pipeline: Pipeline) -> MessageSchema | None:
    schema = pipeline.message_schema
    if schema is None:
        return None
    return {"type": schema.type, "definition": schema.definition}


def _results(pipeline: Pipeline) -> Results:
    results = pipeline.results
    return {
        "fields": [
            {"name": column.name, "type": column.type, "mode": column.mode}
            for column in results.fields
        ],
        "partition_field": results.partition_field,
        "partition_expiration_days": results.partition_expiration_days,
        "cluster_by": results.cluster_by,
    }


def _archive(pipeline: Pipeline) -> Archive | None:
    archive = pipeline.archive
    if archive is None:
        return None
    return {"storage_class": archive.storage_class, "retention_days": archive.retention_days}

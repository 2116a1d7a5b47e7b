"""Pipelines: a topic, a Cloud Run service and a table of results each."""

from collections.abc import Mapping

from components.data.table_shape import Field
from components.serverless.dataflow_job import Dataflow
from components.serverless.message_archive import Archive
from components.serverless.message_table import BigQueryExport
from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.serverless.pubsub_cloud_run_pipeline_arguments import (
    MessageSchema,
    PubSubCloudRunPipelineArgs,
)
from components.serverless.results_table import Results
from config.pipelines import Pipeline, ResultField
from config.platform import Platform
from stacks.foundation import Foundation
from stacks.images import Images

PUBSUB = "pubsub.googleapis.com"


def build_serverless(
    platform: Platform, foundation: Foundation, images: Images
) -> Mapping[str, PubSubCloudRunPipeline]:
    """Make every pipeline of the config; no pipeline depends on another."""
    return {
        name: _pipeline(platform, foundation, images, name, pipeline)
        for name, pipeline in platform.pipelines.items()
    }


def _pipeline(
    platform: Platform, foundation: Foundation, images: Images, name: str, pipeline: Pipeline
) -> PubSubCloudRunPipeline:
    services = foundation.services
    apis = ["iam", "pubsub", "run", "bigquery", "storage"]
    if pipeline.dataflow is not None:
        apis.append("dataflow")
    args: PubSubCloudRunPipelineArgs = {
        "project": services.project_for(*apis),
        "region": pipeline.region,
        "pubsub_service_agent": services.service_agents[PUBSUB],
        "image": images.reference(pipeline.image),
        "cpu": pipeline.cpu,
        "memory_mib": pipeline.memory_mib,
        "gpu": pipeline.gpu,
        "min_instances": pipeline.min_instances,
        "max_instances": pipeline.max_instances,
        "concurrency": pipeline.concurrency,
        "timeout_seconds": pipeline.timeout_seconds,
        "port": pipeline.port,
        "health_path": pipeline.liveness_path,
        "ready_path": pipeline.ready_path,
        "environment": pipeline.environment,
        "ack_deadline_seconds": pipeline.ack_deadline_seconds,
        "max_delivery_attempts": pipeline.max_delivery_attempts,
        "retry": {
            "minimum_seconds": pipeline.retry.minimum_seconds,
            "maximum_seconds": pipeline.retry.maximum_seconds,
        },
        "filter": pipeline.filter,
        "ordering": pipeline.ordering,
        "retention_days": pipeline.retention_days,
        "message_schema": _message_schema(pipeline),
        "results": _results(pipeline),
        "archive": _archive(pipeline),
        "bigquery_export": _bigquery_export(pipeline),
        "exactly_once_pull": pipeline.exactly_once_pull,
        "dataflow": _dataflow(pipeline),
        "deletion_protection": platform.deletion_protection,
    }
    subnetwork = foundation.vpc.node_subnetwork_ids[pipeline.region]
    if pipeline.dataflow is not None:
        args["subnetwork"] = subnetwork
    cache = platform.data.cache
    if cache is not None and name in cache.readers:
        # The cache is in the network; its password goes nowhere else.
        args["vpc"] = {
            "network": foundation.vpc.network_id,
            "subnetwork": subnetwork,
            "egress": "all",
        }
    return PubSubCloudRunPipeline(name, args, foundation.google)


def _message_schema(pipeline: Pipeline) -> MessageSchema | None:
    schema = pipeline.message_schema
    if schema is None:
        return None
    return {"type": schema.type, "definition": schema.definition, "encoding": schema.encoding}


def _results(pipeline: Pipeline) -> Results:
    results = pipeline.results
    return {
        "fields": [_column(column) for column in results.fields],
        "partition_field": results.partition_field,
        "partition_expiration_days": results.partition_expiration_days,
        "cluster_by": results.cluster_by,
    }


def _column(column: ResultField) -> Field:
    return {"name": column.name, "type": column.type, "mode": column.mode}


def _archive(pipeline: Pipeline) -> Archive | None:
    archive = pipeline.archive
    if archive is None:
        return None
    return {
        "storage_class": archive.storage_class,
        "retention_days": archive.retention_days,
        "format": archive.format,
        "max_seconds": archive.max_seconds,
        "max_bytes": archive.max_bytes,
    }


def _bigquery_export(pipeline: Pipeline) -> BigQueryExport | None:
    export = pipeline.bigquery_export
    if export is None:
        return None
    return {
        "use_topic_schema": export.use_topic_schema,
        "partition_expiration_days": export.partition_expiration_days,
        "filter": export.filter,
    }


def _dataflow(pipeline: Pipeline) -> Dataflow | None:
    dataflow = pipeline.dataflow
    if dataflow is None:
        return None
    return {
        "template": dataflow.template,
        "parameters": dataflow.parameters,
        "fields": [_column(column) for column in dataflow.fields],
        "machine_type": dataflow.machine_type,
        "max_workers": dataflow.max_workers,
    }

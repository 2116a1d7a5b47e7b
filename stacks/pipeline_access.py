"""Who may publish to a pipeline's topic, and read what it keeps: each on that one thing alone."""

from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from config.platform import Platform
from stacks.foundation import Foundation
from stacks.principals import members

_PUBLISHER = "roles/pubsub.publisher"
_TABLE_READER = "roles/bigquery.dataViewer"
_BUCKET_READER = "roles/storage.objectViewer"


def build_pipeline_access(
    platform: Platform, foundation: Foundation, pipelines: Mapping[str, PubSubCloudRunPipeline]
) -> None:
    """Grant what the config says; apart from the pipelines, since one may publish to another."""
    for name, pipeline in pipelines.items():
        for key, principals in platform.pipelines[name].granted.items():
            for who, member in members(principals, pipelines).items():
                _grant(f"{name}-{'-'.join(key)}-{who}", key[0], pipeline, member, foundation.google)


def _grant(
    name: str,
    what: str,
    pipeline: PubSubCloudRunPipeline,
    member: pulumi.Input[str],
    options: pulumi.ResourceOptions,
) -> None:
    if what == "publishers":
        gcp.pubsub.TopicIAMMember(
            name, topic=pipeline.topic_id, role=_PUBLISHER, member=member, opts=options
        )
    elif what == "archive":
        bucket = pipeline.archive_bucket.apply(str)
        gcp.storage.BucketIAMMember(
            name, bucket=bucket, role=_BUCKET_READER, member=member, opts=options
        )
    else:
        table = pipeline.results_table if what == "results" else pipeline.messages_table
        parts = table.apply(lambda full: str(full).split("."))
        gcp.bigquery.IamMember(
            name,
            project=parts[0],
            dataset_id=parts[1],
            table_id=parts[2],
            role=_TABLE_READER,
            member=member,
            opts=options,
        )

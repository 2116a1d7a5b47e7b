"""Pipelines: a topic, a Cloud Run service and a table of results each."""

from collections.abc import Mapping

from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.serverless.pubsub_cloud_run_pipeline_arguments import PubSubCloudRunPipelineArgs
from config.pipelines import Pipeline
from config.platform import Platform
from stacks.arguments import to_args
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
    args = to_args(
        PubSubCloudRunPipelineArgs,
        pipeline,
        project=services.project_for(*apis),
        pubsub_service_agent=services.service_agents[PUBSUB],
        image=images.reference(pipeline.image),
        deletion_protection=platform.deletion_protection,
    )
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

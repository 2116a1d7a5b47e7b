"""Pipelines: a topic, a Cloud Run service and a table of results each."""

from collections.abc import Mapping

import pulumi

from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.serverless.pubsub_cloud_run_pipeline_arguments import PubSubCloudRunPipelineArgs
from components.training.model_retraining import model_store
from config.pipelines import Pipeline
from config.platform import Platform
from stacks.arguments import set_fields, to_args
from stacks.foundation import Foundation
from stacks.gateway_access import GatewayAccess, network
from stacks.images import Images
from stacks.pipeline_access import build_pipeline_access
from stacks.secrets import Secrets, secret_arguments

PUBSUB = "pubsub.googleapis.com"


def build_serverless(
    platform: Platform,
    foundation: Foundation,
    gateway: GatewayAccess | None,
    images: Images,
    secrets: Secrets,
) -> Mapping[str, PubSubCloudRunPipeline]:
    """Make every pipeline of the config; those on the topic of another come after it."""
    pipelines: dict[str, PubSubCloudRunPipeline] = {}
    for name, pipeline in sorted(
        platform.pipelines.items(), key=lambda each: each[1].topic_of is not None
    ):
        topic = None if pipeline.topic_of is None else pipelines[pipeline.topic_of].topic_id
        pipelines[name] = _pipeline(
            platform, foundation, gateway, images, secrets, name, pipeline, topic
        )
    build_pipeline_access(platform, foundation, pipelines)
    return pipelines


def _pipeline(
    platform: Platform,
    foundation: Foundation,
    gateway: GatewayAccess | None,
    images: Images,
    secrets: Secrets,
    name: str,
    pipeline: Pipeline,
    topic: pulumi.Output[str] | None,
) -> PubSubCloudRunPipeline:
    services = foundation.services
    apis = ["iam", "pubsub", "run", "bigquery", "storage"]
    if pipeline.dataflow is not None:
        apis.append("dataflow")
    if pipeline.secret_names or pipeline.models:
        apis.append("secretmanager")
    asks = platform.binary_authorization is not None
    if asks:
        apis.append("binaryauthorization")
    args = to_args(
        PubSubCloudRunPipelineArgs,
        pipeline,
        project=services.project_for(*apis),
        pubsub_service_agent=services.service_agents[PUBSUB],
        image=images.reference(pipeline.image),
        binary_authorization=asks,
        deletion_protection=platform.deletion_protection,
        **secret_arguments(pipeline, secrets),
        **set_fields(pipeline.existing),
    )
    if topic is not None:
        args["topic"] = topic
    if name in platform.training:
        store = model_store(platform.project.id, name)
        args["environment"] = {**args.get("environment", {}), "MODEL_STORE": store}
    if pipeline.dataflow is not None:
        args["subnetwork"] = foundation.node_subnetwork_ids[pipeline.region]
    if platform.data.needs_network(name, pipeline):
        args["vpc"] = network(foundation, pipeline.region, "all")
    if pipeline.models and gateway is not None:
        gateway.tell(name, args, pipeline.models)
    return PubSubCloudRunPipeline(name, args, foundation.google)

"""Training: the loops of the pipelines that the config trains models for."""

from collections.abc import Mapping, Sequence

import pulumi

from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from components.training.model_retraining import ModelRetraining, ModelRetrainingArgs
from config.platform import Platform
from stacks.arguments import to_args
from stacks.foundation import Foundation
from stacks.images import Images
from stacks.principals import members
from stacks.serverless import PUBSUB


def build_training(
    platform: Platform,
    foundation: Foundation,
    images: Images,
    pipelines: Mapping[str, PubSubCloudRunPipeline],
    channels: Sequence[pulumi.Input[str]],
) -> Mapping[str, ModelRetraining]:
    """Make the loop of each pipeline that has one; `channels` are told of drift too."""
    services = foundation.services
    apis = ("iam", "pubsub", "run", "bigquery", "storage", "aiplatform", "cloudscheduler")
    return {
        name: ModelRetraining(
            name,
            to_args(
                ModelRetrainingArgs,
                training,
                project=services.project_for(*apis, "monitoring"),
                project_number=services.project_number,
                region=platform.pipelines[name].region,
                image=images.reference(training.image),
                pubsub_service_agent=services.service_agents[PUBSUB],
                watched_table=pipelines[name].results_table,
                watched_account=pipelines[name].runtime_service_account,
                labellers=members(training.labellers, pipelines),
                channels=channels,
                deletion_protection=platform.deletion_protection,
            ),
            foundation.google,
        )
        for name, training in platform.training.items()
    }

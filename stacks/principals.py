"""Principals of the config as IAM writes them."""

from collections.abc import Mapping, Sequence

import pulumi

from components.serverless.pubsub_cloud_run_pipeline import PubSubCloudRunPipeline
from config.principals import is_pipeline


def members(
    principals: Sequence[str], pipelines: Mapping[str, PubSubCloudRunPipeline]
) -> Mapping[str, pulumi.Input[str]]:
    """Return the members that principals stand for, by what the config calls them."""
    return {
        each: pulumi.Output.concat("serviceAccount:", pipelines[each].runtime_service_account)
        if is_pipeline(each)
        else each
        for each in principals
    }

"""Services of the cluster that requests pass, as the config describes them."""

import pulumi

from catalog.limits.images import ARTIFACT_REGISTRY
from components.cluster.image_mirror import ImageMirror
from components.inference.callout_service import CalloutService, CalloutServiceArgs
from components.inference.extensions import Extension
from components.inference.model_server_arguments import ReplicaGuardrail
from config.callouts import Callout
from config.platform import Platform
from stacks.arguments import to_args
from stacks.clusters import RegionCluster


def build_callout(
    platform: Platform,
    extension_name: str,
    callout: Callout,
    failure: tuple[bool, float],
    cluster: RegionCluster,
) -> Extension:
    """Run a service, or take the one that is there, and return its place in the chain.

    `failure` says whether requests pass without its answer, and the seconds to wait for it.
    """
    fail_open, timeout_seconds = failure
    if callout.service is not None:
        return {
            "name": extension_name,
            "service": {"name": callout.service, "port": callout.port},
            "whole_bodies": True,
            "fail_open": fail_open,
            "timeout_seconds": timeout_seconds,
        }
    args = to_args(
        CalloutServiceArgs,
        callout,
        namespace=cluster.namespace,
        extension_name=extension_name,
        image=_image(platform, callout, cluster.images),
        fail_open=fail_open,
        timeout_seconds=timeout_seconds,
    )
    return CalloutService(f"{cluster.name}-{extension_name}", args, cluster.options).extension


def replica_guardrail(
    platform: Platform, callout: Callout, images: ImageMirror
) -> ReplicaGuardrail:
    """Return the guardrail of a model server's pods."""
    return to_args(ReplicaGuardrail, callout, image=_image(platform, callout, images))


def _image(platform: Platform, callout: Callout, images: ImageMirror) -> pulumi.Input[str]:
    image = platform.pinned(callout.image or "")
    # Artifact Registry is reached without a mirror.
    return image if ARTIFACT_REGISTRY in image else images.reference(image)

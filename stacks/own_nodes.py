"""Pods in a cluster of others: on the platform's own nodes, which may pull its images."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi

_DEPLOYMENT = "kubernetes:apps/v1:Deployment"
_RELEASE = "kubernetes:helm.sh/v3:Release"

Transformation = Callable[
    [pulumi.ResourceTransformationArgs], pulumi.ResourceTransformationResult | None
]


def on_nodes(selector: Mapping[str, str]) -> Transformation:
    """Return what has pods that choose no nodes choose those of `selector`, and those of charts."""

    def choose(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        props = cast("dict[str, Any]", args.props)
        if args.type_ == _DEPLOYMENT:
            spec = props["spec"]
            template = spec["template"]
            pod = {"node_selector": dict(selector), **template["spec"]}
            spec = {**spec, "template": {**template, "spec": pod}}
            return pulumi.ResourceTransformationResult({**props, "spec": spec}, args.opts)
        if args.type_ == _RELEASE:
            values = {"nodeSelector": dict(selector), **(props["values"] or {})}
            return pulumi.ResourceTransformationResult({**props, "values": values}, args.opts)
        return None

    return choose

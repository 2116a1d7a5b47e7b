"""LeaderWorkerSets: the controller of replicas that span nodes.

Owns its Helm release in one cluster. Does not own the LeaderWorkerSets (ModelServer).
"""

from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from catalog import releases
from catalog.limits.images import IMAGE
from components.ready import after
from components.validation import component_type, register

NAMESPACE = "lws-system"


class LeaderWorkerSetsArgs(TypedDict):
    """Arguments of `LeaderWorkerSets`."""

    image: NotRequired[Annotated[pulumi.Input[str], IMAGE]]
    """Container image with its tag (default: the catalog's)."""


class LeaderWorkerSets(pulumi.ComponentResource):
    """Installs LeaderWorkerSet from its chart; whoever deploys must reach registry.k8s.io.

    Source: https://lws.sigs.k8s.io/docs/installation
    """

    api_version: pulumi.Output[str]
    """API version of the kind, known once its controller runs."""

    def __init__(
        self, name: str, args: LeaderWorkerSetsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(LeaderWorkerSets), name, {}, opts)
        image = pulumi.Output.from_input(args.get("image", releases.LEADER_WORKER_SET_IMAGE))
        chart = releases.LEADER_WORKER_SET_CHART
        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            name="lws",
            namespace=NAMESPACE,
            create_namespace=True,
            chart=chart.chart,
            version=chart.version,
            values={
                "replicaCount": 2,
                "image": {
                    "manager": {
                        "repository": image.apply(lambda value: value.rpartition(":")[0]),
                        "tag": image.apply(lambda value: value.rpartition(":")[2]),
                        "pullPolicy": "IfNotPresent",
                    }
                },
                "resources": {
                    "requests": {"cpu": "250m", "memory": "512Mi"},
                    "limits": {"memory": "512Mi"},
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        kind = releases.CUSTOM_RESOURCES["LeaderWorkerSet"]
        self.api_version = after(kind.api_version, release.id)
        register(self)


__all__ = ["LeaderWorkerSets", "LeaderWorkerSetsArgs"]

"""ComputeClass: an order of node pools, of which GKE takes the first that has nodes to give.

Owns the class. Does not own the node pools, which say that they are of it, nor the pods.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from catalog import releases
from catalog.conventions import COMPUTE_CLASS_LABEL
from catalog.limits import gpu_pools as limits
from components.validation import Problems, component_type, register

KIND = "ComputeClass"


class ComputeClassArgs(TypedDict):
    """Arguments of ComputeClass."""

    node_pools: Sequence[pulumi.Input[str]]
    """Names of the node pools, the best first; each with `compute_class`, the name of this one."""


def validate_compute_class(name: str, args: ComputeClassArgs) -> Problems:
    """Check the plain values of the arguments, and that the name is allowed."""
    problems = Problems.of(ComputeClassArgs, args)
    problems.check_limit(limits.COMPUTE_CLASS, name, "name")
    if not args["node_pools"]:
        problems.add("node_pools", "found none; allowed: one or more; add the best first")
    return problems


class ComputeClass(pulumi.ComponentResource):
    """A GKE compute class of node pools that are there, the best first.

    Where GKE gets no node of a pool, for want of machines or quota, pods wait for one of the next;
    once the better has nodes again, GKE moves them back, one node after the other and as disruption
    budgets allow. No nodes come beside those pools: what they may have at most bounds all. The
    class's name is the component's.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kubernetes-engine/docs/concepts/about-custom-compute-classes
    """

    class_name: pulumi.Output[str]
    """Name of the class."""
    node_selector: Mapping[str, str]
    """Puts a pod on the nodes of the class."""

    def __init__(
        self, name: str, args: ComputeClassArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ComputeClass), name, {}, opts)
        validate_compute_class(name, args).raise_if_any(f"ComputeClass {name}")
        # The pools of one entry have no order among themselves, so each has an entry of its own.
        made = CustomResource(
            f"{name}-class",
            releases.CUSTOM_RESOURCES[KIND].api_version,
            KIND,
            metadata={"name": name},
            spec={
                "priorities": [{"nodepools": [each]} for each in args["node_pools"]],
                "activeMigration": {"optimizeRulePriority": True},
                "nodePoolAutoCreation": {"enabled": False},
                # Its default depends on GKE's version.
                "whenUnsatisfiable": "DoNotScaleUp",
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.class_name = made.id.apply(lambda _: name)
        self.node_selector = {COMPUTE_CLASS_LABEL: name}
        register(self)

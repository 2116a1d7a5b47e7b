"""ApigeeBackend: the way from a cluster's Gateway to Apigee.

Owns the Apigee operator of the cluster and the ApigeeBackendService it makes the way for. Does not
own the operator's rights (ApigeeOperatorAccess), the API (ApigeeApi) nor the Gateway's extension:
it gives its place in the chain (TrafficExtension).
"""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from catalog import releases
from catalog.conventions import API_MANAGEMENT
from catalog.limits.inference import EXTENSION_TIMEOUT_SECONDS
from components.api_management.apigee_operator_access import NAMESPACE
from components.inference.custom_resources import (
    APIGEE_BACKEND_SERVICE,
    Identity,
    custom_resource,
)
from components.inference.extensions import Extension
from components.names import dns_label
from components.ready import after
from components.validation import component_type, register

CREATED = {"pulumi.com/waitFor": "jsonpath={.status.currentState}=CREATED"}


class ApigeeBackendArgs(TypedDict):
    """Arguments of `ApigeeBackend`."""

    project: pulumi.Input[str]
    """Project id of the cluster."""
    region: str
    """Region of the cluster and of an instance of Apigee."""
    namespace: pulumi.Input[str]
    """Kubernetes namespace of the Gateway."""
    network: pulumi.Input[str]
    """Full name of the network of the Gateway."""
    subnetwork: pulumi.Input[str]
    """Full name of the subnetwork the connection to Apigee takes its address from."""
    organization: pulumi.Input[str]
    """Name of the Apigee organization."""
    environment: pulumi.Input[str]
    """Name of its environment."""
    proxy: pulumi.Input[str]
    """Name of the proxy that decides on requests: `ApigeeApi.proxy`."""
    service_account: pulumi.Input[str]
    """Email of the operator's account: `ApigeeOperatorAccess.service_account`."""
    fail_open: NotRequired[bool]
    """Without an answer of Apigee, let requests pass unidentified and uncounted (default
    false)."""
    timeout_seconds: NotRequired[float]
    """Longest wait for Apigee: 0.01 to 10 (default 10)."""


class ApigeeBackend(pulumi.ComponentResource):
    """Installs the Apigee operator and connects the Gateway to Apigee by Private Service Connect.

    GKE 1.34 or later. The operator would deploy a proxy of its own and check keys in it; the
    extension names the platform's proxy instead, and the other stays closed. Apigee is sent headers
    and bodies, as its documentation has it.
    https://cloud.google.com/apigee/docs/api-platform/apigee-kubernetes/apigee-apim-operator-apigeebackendservice

    Unverified: Google's page lists as a limitation that all resources of the Gateway are in the
    namespace `default`, while its own sample for the inference gateway uses another one.
    https://github.com/GoogleCloudPlatform/apigee-samples/tree/main/llm-inference-gateway
    """

    extension: Extension
    """Apigee's place in a chain; what uses it waits until the connection is made."""

    def __init__(
        self, name: str, args: ApigeeBackendArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ApigeeBackend), name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "baseline"},
            },
            opts=child,
        )
        definitions = self._release(
            f"{name}-definitions", "apigee-apim-crds", "apigee_operator_crds", {}, [namespace]
        )
        operator = self._release(
            f"{name}-operator",
            "apigee-apim-operator",
            "apigee_operator",
            {
                "projectId": args["project"],
                "serviceAccount": args["service_account"],
                "apigeeOrg": args["organization"],
                "generateEnv": False,
            },
            [definitions],
        )
        physical_name = dns_label(name)
        backend = custom_resource(
            f"{name}-backend",
            APIGEE_BACKEND_SERVICE,
            Identity(physical_name, args["namespace"]),
            {
                "apigeeEnv": args["environment"],
                "defaultSecurityEnabled": True,
                "locations": [
                    {
                        "name": args["region"],
                        "network": args["network"],
                        "subnetwork": args["subnetwork"],
                    }
                ],
            },
            pulumi.ResourceOptions(parent=self, depends_on=[operator]),
            CREATED,
        )
        self.extension = {
            "name": API_MANAGEMENT,
            "apigee_backend": after(physical_name, backend.id),
            "whole_bodies": True,
            "fail_open": args.get("fail_open", False),
            "timeout_seconds": args.get("timeout_seconds", EXTENSION_TIMEOUT_SECONDS.default),
            "metadata": pulumi.Output.from_input(args["proxy"]).apply(
                lambda proxy: {
                    "apigee-extension-processor": proxy,
                    "apigee-request-body": "true",
                    "apigee-response-body": "true",
                }
            ),
        }
        register(self)

    def _release(
        self,
        resource_name: str,
        release: str,
        chart: str,
        values: dict[str, pulumi.Input[str | bool]],
        needed: list[pulumi.Resource],
    ) -> kubernetes.helm.v3.Release:
        found = releases.CHARTS[chart]
        return kubernetes.helm.v3.Release(
            resource_name,
            name=release,
            chart=found.chart,
            version=found.version,
            namespace=NAMESPACE,
            values=values,
            atomic=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )


__all__ = ["ApigeeBackend", "ApigeeBackendArgs"]

"""InferenceGateway: one private address for all models, routed by the model name in the request.

Owns the address, the Gateway, its pools with their pickers, the body-based router and the routes.
Does not own the replicas (ModelServer), the certificate (PrivateCertificate), the publication to
other networks (PscEndpoint), nor guardrails (ModelArmorGuardrail) and API management: those are a
GCPTrafficExtension on `gateway_name`, in the same namespace, and need no change here.
"""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from catalog import releases
from catalog.limits.inference import REQUEST_TIMEOUT_SECONDS
from components.inference.body_based_router import BodyBasedRouter
from components.inference.custom_resources import (
    GATEWAY,
    GATEWAY_POLICY,
    HTTP_ROUTE,
    Identity,
    custom_resource,
)
from components.inference.inference_crds import API_GROUP
from components.inference.inference_gateway_arguments import (
    InferenceGatewayArgs,
    hostnames,
    validate_inference_gateway,
)
from components.inference.inference_pool import InferencePool, InferencePoolArgs, Pool
from components.inference.model_routes import allowed_routes, route_name, route_spec
from components.names import dns_label
from components.network.https import HTTPS_PORT, TLS
from components.ready import after
from components.validation import component_type, register

GATEWAY_CLASS = "gke-l7-rilb"
"""Regional internal Application Load Balancer: reachable from no public address."""
CERTIFICATE_OPTION = "networking.gke.io/cert-manager-certs"
PROGRAMMED = {"pulumi.com/waitFor": "condition=Programmed"}
RECONCILED = {
    "pulumi.com/waitFor": (
        'jsonpath={.status.parents[0].conditions[?(@.type=="Reconciled")].status}=True'
    )
}


class InferenceGateway(pulumi.ComponentResource):
    """Makes a GKE Inference Gateway: a private HTTPS endpoint for OpenAI API requests.

    A request's model name selects a pool by exact match, weights split it among pools, and the
    pool's picker chooses the replica by prefix, queue, cache and adapter. Paths outside /v1 and
    names without a route get 404. The listener takes routes of its own namespace and of those
    that its routes name, and of no other. Follows "Networking for AI inference model serving on
    GKE"; API:
    https://cloud.google.com/kubernetes-engine/docs/concepts/about-gke-inference-gateway
    """

    address: pulumi.Output[str]
    """IP address."""
    forwarding_rule: pulumi.Output[str]
    """Self link of the forwarding rule, which a service attachment publishes."""
    gateway_name: pulumi.Output[str]
    """Name of the Gateway, known once it is programmed."""

    def __init__(
        self,
        name: str,
        args: InferenceGatewayArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(InferenceGateway), name, {}, opts)
        validate_inference_gateway(name, args).raise_if_any(name)
        physical_name = dns_label(name)
        identity = Identity(physical_name, args["namespace"])

        address = self._address(name, args, physical_name)
        gateway = self._gateway(name, args, identity, address)
        pools = {pool["name"]: self._pool(name, args, pool) for pool in args["pools"]}
        externals = {external["name"]: external for external in args.get("external", ())}
        router = BodyBasedRouter(
            f"{name}-router",
            {
                "namespace": args["namespace"],
                "physical_name": f"{physical_name}-bbr",
                "gateway_name": physical_name,
                "image": args.get("router_image", releases.BODY_BASED_ROUTER_IMAGE),
            },
            pulumi.ResourceOptions(parent=self),
        )
        for route in args["routes"]:
            custom_resource(
                f"{name}-{route_name(route)}-route",
                HTTP_ROUTE,
                Identity(route_name(route), route.get("namespace", args["namespace"])),
                route_spec(route, identity, hostnames(args), externals),
                # A route to a pool without a picker answers 500 until the pool is whole.
                pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[
                        *(gateway, router),
                        *(
                            pools[backend["pool"]]
                            for backend in route["backends"]
                            if backend["pool"] in pools
                        ),
                    ],
                ),
                RECONCILED,
            )

        self.address = address.address
        self.gateway_name = after(physical_name, gateway.id)
        self.forwarding_rule = self._forwarding_rule(args, address, gateway)
        register(self)

    def _address(
        self, name: str, args: InferenceGatewayArgs, physical_name: str
    ) -> gcp.compute.Address:
        return gcp.compute.Address(
            f"{name}-address",
            name=physical_name,
            project=args["project"],
            region=args["region"],
            subnetwork=args["subnetwork"],
            address_type="INTERNAL",
            # One HTTPS listener is one forwarding rule, so the address need not be shared; a
            # shared one (SHARED_LOADBALANCER_VIP) is not known to work with a service attachment.
            purpose="GCE_ENDPOINT",
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _gateway(
        self,
        name: str,
        args: InferenceGatewayArgs,
        identity: Identity,
        address: gcp.compute.Address,
    ) -> pulumi.CustomResource:
        tls_policy = gcp.compute.RegionSslPolicy(
            f"{name}-tls",
            name=identity.name,
            project=args["project"],
            region=args["region"],
            **TLS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = custom_resource(
            f"{name}-policy",
            GATEWAY_POLICY,
            identity,
            {
                "targetRef": GATEWAY.reference(identity.name),
                "default": {"allowGlobalAccess": True, "sslPolicy": tls_policy.name},
            },
            pulumi.ResourceOptions(parent=self),
        )
        listener: dict[str, Any] = {
            "name": "https",
            "protocol": "HTTPS",
            "port": HTTPS_PORT,
            "tls": {"mode": "Terminate", "options": {CERTIFICATE_OPTION: args["certificate"]}},
            "allowedRoutes": allowed_routes(args["routes"], args["namespace"]),
        }
        # With several names the one listener takes all and the routes say which: each listener more
        # would show the certificate again.
        if not args.get("additional_hostnames"):
            listener["hostname"] = args["hostname"]
        return custom_resource(
            f"{name}-gateway",
            GATEWAY,
            identity,
            {
                "gatewayClassName": GATEWAY_CLASS,
                "addresses": [
                    {
                        "type": "NamedAddress",
                        "value": after(address.name, args.get("proxy_only_subnetwork")),
                    }
                ],
                "listeners": [listener],
            },
            # Global access turned on later recreates the load balancer, and a service attachment
            # made before never gets it.
            pulumi.ResourceOptions(parent=self, depends_on=[policy]),
            PROGRAMMED,
        )

    def _pool(self, name: str, args: InferenceGatewayArgs, pool: Pool) -> InferencePool:
        pool_args: InferencePoolArgs = {
            "namespace": args["namespace"],
            "pool": pool,
            "request_timeout_seconds": args.get(
                "request_timeout_seconds", REQUEST_TIMEOUT_SECONDS.default
            ),
            "picker_image": args.get("picker_image", releases.ENDPOINT_PICKER_IMAGE),
            "extension_api_group": args.get("extension_api_group", API_GROUP),
        }
        if "security_policy" in args:
            pool_args["security_policy"] = args["security_policy"]
        return InferencePool(
            f"{name}-{pool['name']}", pool_args, pulumi.ResourceOptions(parent=self)
        )

    def _forwarding_rule(
        self, args: InferenceGatewayArgs, address: gcp.compute.Address, gateway: pulumi.Resource
    ) -> pulumi.Output[str]:
        found = gcp.compute.get_forwarding_rules_output(
            project=args["project"],
            region=args["region"],
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=[gateway]),
        )
        return pulumi.Output.all(found.rules, address.address, args["project"]).apply(
            lambda known: find_forwarding_rule(known[0], known[1], args["region"], known[2])
        )


def find_forwarding_rule(rules: Sequence[Any], address: str, region: str, project: str) -> str:
    """Return the self link of the HTTPS forwarding rule of an address.

    Raises LookupError where there is none.
    """
    for rule in rules:
        if rule["ip_address"] == address and rule["port_range"].startswith(f"{HTTPS_PORT}-"):
            return rule["self_link"]
    raise LookupError(
        f"forwarding_rule: found no rule of region {region} at {address}:{HTTPS_PORT}, although "
        "the Gateway says it is programmed; see its events (kubectl describe gateway) and `gcloud "
        f"compute forwarding-rules list --project {project} --regions {region}`, then repeat "
        "`pulumi up`"
    )


__all__ = [
    "InferenceGateway",
    "InferenceGatewayArgs",
    "find_forwarding_rule",
    "validate_inference_gateway",
]

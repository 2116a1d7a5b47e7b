"""PscEndpoint: a service published through Private Service Connect, and its consumers' endpoints.

Owns service attachments, endpoint addresses and forwarding rules, and the consumers' DNS names.
Does not own the load balancer it publishes, nor the networks on either side.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi
import pulumi_gcp as gcp

from components.network.consumer_names import TTL_SECONDS, nearest, nearest_healthy, private_zone
from components.network.cross_region_frontend import CrossRegionFrontend
from components.network.psc_arguments import (
    AcceptedConsumer,
    Consumer,
    Frontend,
    PscEndpointArgs,
    PublishedService,
    validate_psc_endpoint,
)
from components.validation import component_type, register

DEFAULT_CONNECTION_LIMIT = 10


class _Endpoint(NamedTuple):
    address: pulumi.Output[str]
    rule: gcp.compute.ForwardingRule


class PscEndpoint(pulumi.ComponentResource):
    """Publishes an internal load balancer, and connects consumers' networks to it.

    Per region: a service attachment that accepts those named only. Per consumer and region: an
    internal address and an endpoint. Per consumer: a private zone for its DNS name; with endpoints
    in several regions, clients get the nearest, with a frontend the nearest that works. Everything
    is destroyed in the order record, endpoint, attachment, and all of it before the load balancer,
    which cannot go while attached. When an attachment is replaced its endpoints are too: they would
    stay closed.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vpc/docs/configure-private-service-connect-producer
    https://cloud.google.com/vpc/docs/configure-private-service-connect-services
    """

    service_attachment_uris: Mapping[str, pulumi.Output[str]]
    """Self link of the attachment by region."""
    endpoint_ips: Mapping[str, Mapping[str, pulumi.Output[str]]]
    """Address of the endpoint by consumer and region."""
    psc_connection_statuses: Mapping[str, Mapping[str, pulumi.Output[str]]]
    """ACCEPTED, PENDING, REJECTED or CLOSED, by consumer and region."""

    def __init__(
        self, name: str, args: PscEndpointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(PscEndpoint), name, {}, opts)
        validate_psc_endpoint(args).raise_if_any(f"PscEndpoint {name}")
        self._prefix = name
        self._args = args

        attachments = {
            region: self._publish(region, service) for region, service in args["publish"].items()
        }
        self.service_attachment_uris = {
            region: attachment.self_link for region, attachment in attachments.items()
        }

        addresses: dict[str, dict[str, pulumi.Output[str]]] = {}
        statuses: dict[str, dict[str, pulumi.Output[str]]] = {}
        for consumer_name, consumer in args.get("consume", {}).items():
            endpoints = {
                region: self._connect(consumer_name, consumer, region, attachments[region])
                for region in consumer["subnetworks"]
            }
            addresses[consumer_name] = {
                region: endpoint.address for region, endpoint in endpoints.items()
            }
            statuses[consumer_name] = {
                region: endpoint.rule.psc_connection_status
                for region, endpoint in endpoints.items()
            }
            if "dns_name" in consumer:
                self._resolve(consumer_name, consumer, consumer["dns_name"], endpoints)
        self.endpoint_ips = addresses
        self.psc_connection_statuses = statuses
        register(self)

    def _publish(self, region: str, service: PublishedService) -> gcp.compute.ServiceAttachment:
        return gcp.compute.ServiceAttachment(
            f"{self._prefix}-{region}-attachment",
            name=self._args["service_name"],
            project=self._args["project"],
            region=region,
            target_service=service["target_service"],
            nat_subnets=[service["nat_subnetwork"]],
            connection_preference="ACCEPT_MANUAL",
            consumer_accept_lists=[_accept_list(entry) for entry in self._args["accept"]],
            # An endpoint already accepted is cut off when its project leaves the list.
            reconcile_connections=True,
            propagated_connection_limit=self._args.get("propagated_connection_limit"),
            # The load balancer's HTTP proxies do not read the PROXY protocol.
            enable_proxy_protocol=False,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _connect(
        self,
        consumer_name: str,
        consumer: Consumer,
        region: str,
        attachment: gcp.compute.ServiceAttachment,
    ) -> _Endpoint:
        project = consumer.get("project", self._args["project"])
        physical_name = f"{self._args['service_name']}-{consumer_name}"
        address = gcp.compute.Address(
            f"{self._prefix}-{consumer_name}-{region}-address",
            name=physical_name,
            project=project,
            region=region,
            address_type="INTERNAL",
            subnetwork=consumer["subnetworks"][region],
            opts=pulumi.ResourceOptions(parent=self),
        )
        rule = gcp.compute.ForwardingRule(
            f"{self._prefix}-{consumer_name}-{region}-endpoint",
            name=physical_name,
            project=project,
            region=region,
            network=consumer["network"],
            ip_address=address.self_link,
            target=self.service_attachment_uris[region],
            # An endpoint has no scheme; left out, the provider would fill in EXTERNAL.
            load_balancing_scheme="",
            allow_psc_global_access=self._args.get("allow_psc_global_access", False),
            recreate_closed_psc=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                # A new attachment keeps its name, so nothing in the endpoint's inputs changes.
                replace_with=[attachment],
            ),
        )
        return _Endpoint(address.address, rule)

    def _resolve(
        self,
        consumer_name: str,
        consumer: Consumer,
        dns_name: str,
        endpoints: Mapping[str, _Endpoint],
    ) -> None:
        prefix = f"{self._prefix}-{consumer_name}"
        project = consumer.get("project", self._args["project"])
        zone = private_zone(
            prefix,
            f"{self._args['service_name']}-{consumer_name}",
            project,
            dns_name,
            [consumer["network"], *consumer.get("shared_with", ())],
            self,
        )
        rules = pulumi.ResourceOptions(
            parent=self, depends_on=[endpoint.rule for endpoint in endpoints.values()]
        )
        addresses = {region: endpoint.address for region, endpoint in endpoints.items()}
        policy = nearest(addresses) if len(addresses) > 1 else None
        if "frontend" in consumer:
            frontend = self._front(consumer_name, consumer, consumer["frontend"])
            policy = nearest_healthy(frontend.addresses, project, consumer["network"])
        gcp.dns.RecordSet(
            f"{prefix}-record",
            name=zone.dns_name,
            project=project,
            managed_zone=zone.name,
            type="A",
            ttl=TTL_SECONDS,
            rrdatas=None if policy else list(addresses.values()),
            routing_policy=policy,
            opts=rules,
        )
        for region in endpoints if consumer.get("regional_names") else ():
            gcp.dns.RecordSet(
                f"{prefix}-{region}-record",
                name=zone.dns_name.apply(lambda domain, region=region: f"{region}.{domain}"),
                project=project,
                managed_zone=zone.name,
                type="A",
                ttl=TTL_SECONDS,
                rrdatas=[addresses[region]],
                opts=pulumi.ResourceOptions(parent=self, depends_on=[endpoints[region].rule]),
            )

    def _front(
        self, consumer_name: str, consumer: Consumer, frontend: Frontend
    ) -> CrossRegionFrontend:
        published = self._args["publish"]
        regions = consumer["subnetworks"]
        return CrossRegionFrontend(
            f"{self._prefix}-{consumer_name}-frontend",
            {
                "project": consumer.get("project", self._args["project"]),
                "physical_name": f"{self._args['service_name']}-{consumer_name}-any",
                "network": consumer["network"],
                "subnetworks": regions,
                "service_attachments": {
                    region: self.service_attachment_uris[region] for region in regions
                },
                "generations": {region: published[region]["target_service"] for region in regions},
                "certificate": frontend["certificate"],
                "proxy_only_subnetworks": frontend.get("proxy_only_subnetworks", ()),
                "request_timeout_seconds": frontend["request_timeout_seconds"],
                "outlier_detection": frontend.get("outlier_detection", True),
            },
            pulumi.ResourceOptions(parent=self),
        )


def _accept_list(
    entry: AcceptedConsumer,
) -> gcp.compute.ServiceAttachmentConsumerAcceptListArgsDict:
    limit = entry.get("connection_limit", DEFAULT_CONNECTION_LIMIT)
    if "network" in entry:
        return {"network_url": entry["network"], "connection_limit": limit}
    return {"project_id_or_num": entry.get("project"), "connection_limit": limit}

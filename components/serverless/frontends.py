"""What a load balancer before a serverless backend is made of, in a region or everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.names import label_of
from components.network.https import HTTPS_PORT, LOG_EVERY_REQUEST, TLS, global_https_proxy
from components.ready import after


@dataclass(frozen=True)
class Frontend:
    """What is asked for; `backend` is the link of the endpoint group."""

    project: pulumi.Input[str]
    region: str
    internal: bool
    scheme: str
    hostname: str
    backend: pulumi.Input[str]
    rules: Sequence[Any]
    """Of Cloud Armor; none for no policy."""
    network: pulumi.Input[str] | None
    subnetwork: pulumi.Input[str] | None
    proxy_only_subnetwork: pulumi.Input[str]
    certificate: pulumi.Input[str]


def global_frontend(
    name: str, front: Frontend, child: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Make it; return its address, known once all of it is there."""
    project = front.project
    policy = None
    if front.rules:
        policy = gcp.compute.SecurityPolicy(
            f"{name}-armor",
            name=name,
            project=project,
            type="CLOUD_ARMOR",
            rules=front.rules,
            opts=child,
        )
    service = gcp.compute.BackendService(
        f"{name}-backend",
        name=name,
        project=project,
        protocol="HTTPS",
        load_balancing_scheme=front.scheme,
        backends=[{"group": front.backend}],
        security_policy=policy.self_link if policy else None,
        log_config=LOG_EVERY_REQUEST,
        opts=child,
    )
    certificate = gcp.compute.ManagedSslCertificate(
        f"{name}-certificate",
        name=label_of(name, front.hostname),
        project=project,
        managed={"domains": [front.hostname]},
        opts=child,
    )
    proxy = global_https_proxy(
        name, name, project, service, {"ssl_certificates": [certificate.self_link]}, child
    )
    address = gcp.compute.GlobalAddress(f"{name}-address", name=name, project=project, opts=child)
    rule = gcp.compute.GlobalForwardingRule(
        f"{name}-rule",
        name=name,
        project=project,
        load_balancing_scheme=front.scheme,
        ip_address=address.address,
        port_range=str(HTTPS_PORT),
        target=proxy.self_link,
        opts=child,
    )
    return after(address.address, rule.id)


def regional_frontend(
    name: str, front: Frontend, child: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Make it; return its address, known once all of it is there."""
    project, region = front.project, front.region
    policy = None
    if front.rules:
        policy = gcp.compute.RegionSecurityPolicy(
            f"{name}-armor",
            name=name,
            project=project,
            region=region,
            type="CLOUD_ARMOR",
            rules=front.rules,
            opts=child,
        )
    service = gcp.compute.RegionBackendService(
        f"{name}-backend",
        name=name,
        project=project,
        region=region,
        protocol="HTTPS",
        load_balancing_scheme=front.scheme,
        # The provider asks for the share of the capacity, whose default the API gives.
        backends=[
            {"group": front.backend, "balancing_mode": "UTILIZATION", "capacity_scaler": 1.0}
        ],
        security_policy=policy.self_link if policy else None,
        log_config=LOG_EVERY_REQUEST,
        opts=child,
    )
    urls = gcp.compute.RegionUrlMap(
        f"{name}-urls",
        name=name,
        project=project,
        region=region,
        default_service=service.self_link,
        opts=child,
    )
    tls = gcp.compute.RegionSslPolicy(
        f"{name}-tls",
        name=name,
        project=project,
        region=region,
        **TLS,
        opts=child,
    )
    proxy = gcp.compute.RegionTargetHttpsProxy(
        f"{name}-proxy",
        name=name,
        project=project,
        region=region,
        url_map=urls.self_link,
        certificate_manager_certificates=[front.certificate],
        ssl_policy=tls.self_link,
        opts=child,
    )
    address = gcp.compute.Address(
        f"{name}-address",
        name=name,
        project=project,
        region=region,
        address_type="INTERNAL" if front.internal else "EXTERNAL",
        purpose="SHARED_LOADBALANCER_VIP" if front.internal else None,
        subnetwork=front.subnetwork if front.internal else None,
        opts=child,
    )
    rule = gcp.compute.ForwardingRule(
        f"{name}-rule",
        name=name,
        project=project,
        region=region,
        load_balancing_scheme=front.scheme,
        ip_address=address.address,
        port_range=str(HTTPS_PORT),
        target=after(proxy.self_link, front.proxy_only_subnetwork),
        network=front.network,
        subnetwork=front.subnetwork if front.internal else None,
        opts=child,
    )
    return after(address.address, rule.id)

"""HTTPS at the platform's load balancers: what all agree on, and the global proxy."""

from typing import Final, TypedDict

import pulumi
import pulumi_gcp as gcp

HTTPS_PORT: Final = 443
LOG_EVERY_REQUEST: Final[gcp.compute.BackendServiceLogConfigArgsDict] = {
    "enable": True,
    "sample_rate": 1.0,
}


class TlsSettings(TypedDict):
    """What a load balancer speaks, as both kinds of SSL policy take it."""

    profile: str
    min_tls_version: str


TLS: Final[TlsSettings] = {"profile": "MODERN", "min_tls_version": "TLS_1_2"}


class ProxyCertificate(TypedDict, total=False):
    """The certificate of a proxy: of one kind or the other."""

    ssl_certificates: list[pulumi.Input[str]]
    """Self links of Compute Engine's certificates."""
    certificate_manager_certificates: list[pulumi.Input[str]]
    """Full names of Certificate Manager's certificates."""


def global_https_proxy(
    name: str,
    physical_name: str,
    project: pulumi.Input[str],
    service: gcp.compute.BackendService,
    certificate: ProxyCertificate,
    opts: pulumi.ResourceOptions,
) -> gcp.compute.TargetHttpsProxy:
    """Make the proxy that sends every request to one backend service."""
    urls = gcp.compute.URLMap(
        f"{name}-urls",
        name=physical_name,
        project=project,
        default_service=service.self_link,
        opts=opts,
    )
    tls = gcp.compute.SSLPolicy(
        f"{name}-tls", name=physical_name, project=project, **TLS, opts=opts
    )
    return gcp.compute.TargetHttpsProxy(
        f"{name}-proxy",
        name=physical_name,
        project=project,
        url_map=urls.self_link,
        **certificate,
        ssl_policy=tls.self_link,
        opts=opts,
    )

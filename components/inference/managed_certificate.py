"""ManagedCertificate: a publicly signed certificate that Google renews.

Owns the authorizations, the certificate and, in a zone it is given, the records that prove the
domain is yours. Does not own the zone.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import certificates as limits
from catalog.limits.names import RESOURCE_NAME
from catalog.problems import Problem
from components.names import label_of
from components.validation import Problems, component_type, register

EVERYWHERE = "global"
"""Location of a certificate for load balancers that span regions."""
ALL_REGIONS = "ALL_REGIONS"
_RECORD_TTL_SECONDS = 300


class ManagedCertificateArgs(TypedDict):
    """Arguments of `ManagedCertificate`."""

    project: pulumi.Input[str]
    """Project id."""
    location: Annotated[str, RESOURCE_NAME]
    """Region of the load balancer, or `global` for a cross-region internal one."""
    domains: Annotated[Sequence[str], limits.DOMAINS]
    """Host names, each of a public domain."""
    zone: NotRequired[pulumi.Input[str]]
    """Name of the public Cloud DNS zone for the records; without it they are only told."""
    zone_project: NotRequired[pulumi.Input[str]]
    """Id of the zone's project; default: `project`."""


class ManagedCertificate(pulumi.ComponentResource):
    """Makes a Google-managed certificate with DNS authorization of type PER_PROJECT_RECORD.

    Regional certificates take no other type. The record can stand before the gateway does, and the
    name itself need not resolve publicly. Until the record is seen the certificate is PROVISIONING
    and the gateway shows none. https://cloud.google.com/certificate-manager/docs/dns-authorizations

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    certificate_name: pulumi.Output[str]
    """Name of the certificate, as the Gateway's TLS option takes it."""
    certificate_id: pulumi.Output[str]
    """Full name of the certificate, as a target proxy takes it."""
    records: Mapping[str, pulumi.Output[str]]
    """The record that each domain needs: name, type and data with spaces between."""

    def __init__(
        self,
        name: str,
        args: ManagedCertificateArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(ManagedCertificate), name, {}, opts)
        validate_managed_certificate(args).raise_if_any(f"ManagedCertificate {name}")
        authorizations = {
            domain: gcp.certificatemanager.DnsAuthorization(
                f"{name}-{domain}-authorization",
                name=label_of(name, domain),
                project=args["project"],
                location=args["location"],
                domain=domain,
                type="PER_PROJECT_RECORD",
                opts=pulumi.ResourceOptions(parent=self),
            )
            for domain in args["domains"]
        }
        records = [
            self._record(name, args, args["zone"], domain, authorization)
            for domain, authorization in authorizations.items()
            if "zone" in args
        ]
        certificate = gcp.certificatemanager.Certificate(
            f"{name}-certificate",
            # Another name than a private certificate of these domains has, as kinds can't change.
            name=label_of(name, "managed", *args["domains"]),
            project=args["project"],
            location=args["location"],
            scope=ALL_REGIONS if args["location"] == EVERYWHERE else None,
            managed={
                "domains": list(args["domains"]),
                "dns_authorizations": [each.id for each in authorizations.values()],
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=records),
        )
        self.certificate_name = certificate.name
        self.certificate_id = certificate.id
        self.records = {
            domain: pulumi.Output.format("{name} {type} {data}", **_parts(authorization))
            for domain, authorization in authorizations.items()
        }
        register(self)

    def _record(
        self,
        name: str,
        args: ManagedCertificateArgs,
        zone: pulumi.Input[str],
        domain: str,
        authorization: gcp.certificatemanager.DnsAuthorization,
    ) -> gcp.dns.RecordSet:
        parts = _parts(authorization)
        return gcp.dns.RecordSet(
            f"{name}-{domain}-record",
            project=args.get("zone_project", args["project"]),
            managed_zone=zone,
            name=parts["name"],
            type=parts["type"],
            ttl=_RECORD_TTL_SECONDS,
            rrdatas=[parts["data"]],
            opts=pulumi.ResourceOptions(parent=self),
        )


def _parts(
    authorization: gcp.certificatemanager.DnsAuthorization,
) -> dict[str, pulumi.Output[str]]:
    record = authorization.dns_resource_records[0]
    return {
        "name": record.apply(lambda known: known.name or ""),
        "type": record.apply(lambda known: known.type or ""),
        "data": record.apply(lambda known: known.data or ""),
    }


def validate_managed_certificate(args: ManagedCertificateArgs) -> Problems:
    """Check the plain arguments of a `ManagedCertificate`."""
    problems = Problems.of(ManagedCertificateArgs, args)
    if "zone_project" in args and "zone" not in args:
        problems.extend(
            [Problem(("zone_project",), "a project without a zone", "both or none", "give zone")]
        )
    return problems


__all__ = ["ManagedCertificate", "ManagedCertificateArgs", "validate_managed_certificate"]

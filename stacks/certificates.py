"""The gateway's certificate, of the kind that the config chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from catalog.config_folder import config_folder
from catalog.conventions import PLATFORM
from components.inference.managed_certificate import (
    EVERYWHERE,
    ManagedCertificate,
    ManagedCertificateArgs,
)
from components.inference.private_certificate import PrivateCertificate
from components.inference.self_managed_certificate import SelfManagedCertificate
from config.platform import Platform
from stacks.foundation import Foundation

CERTIFICATE_MANAGER = "certificatemanager.googleapis.com"


@dataclass(frozen=True)
class GatewayCertificate:
    """A certificate for load balancers of one place."""

    name: pulumi.Input[str]
    id: pulumi.Input[str]
    """Its full name."""
    ca_certificate_pem: pulumi.Output[str] | None = None
    """What clients must trust, where that is not public."""
    records: Mapping[str, pulumi.Output[str]] = field(default_factory=dict[str, pulumi.Output[str]])
    """The DNS record each domain needs, where nobody has written it."""


def build_certificate(
    platform: Platform, foundation: Foundation, location: str, domains: Sequence[str]
) -> GatewayCertificate:
    """Make the certificate of a region, or of `global` for consumers with failover."""
    match platform.gateway.certificate.kind:
        case "managed":
            return _managed(platform, foundation, location, domains)
        case "self-managed":
            return _self_managed(platform, foundation, location)
        case "existing":
            return _existing(platform, location)
        case "private":
            return _private(platform, foundation, location, domains)


def _private(
    platform: Platform, foundation: Foundation, location: str, domains: Sequence[str]
) -> GatewayCertificate:
    services = foundation.services
    made = PrivateCertificate(
        f"{PLATFORM}-{location}",
        {
            "project": services.project_for("privateca", "certificatemanager"),
            # Authorities are regional, also one whose certificates serve everywhere.
            "region": next(iter(platform.regions)) if location == EVERYWHERE else location,
            "everywhere": location == EVERYWHERE,
            "domains": domains,
            "organization": platform.project.id,
            "service_agent_email": services.service_agents[CERTIFICATE_MANAGER],
            "deletion_protection": platform.deletion_protection,
        },
        foundation.google,
    )
    return GatewayCertificate(made.certificate_name, made.certificate_id, made.ca_certificate_pem)


def _managed(
    platform: Platform, foundation: Foundation, location: str, domains: Sequence[str]
) -> GatewayCertificate:
    chosen = platform.gateway.certificate
    args: ManagedCertificateArgs = {
        "project": foundation.services.project_for("certificatemanager", "dns"),
        "location": location,
        "domains": domains,
    }
    first = location == next(iter(platform.regions))
    if chosen.zone is not None and (first or not chosen.shared_record):
        args["zone"] = chosen.zone
        args["zone_project"] = chosen.zone_project or platform.project.id
    made = ManagedCertificate(f"{PLATFORM}-{location}", args, foundation.google)
    if chosen.zone is not None:
        return GatewayCertificate(made.certificate_name, made.certificate_id)
    return GatewayCertificate(made.certificate_name, made.certificate_id, records=made.records)


def _self_managed(platform: Platform, foundation: Foundation, location: str) -> GatewayCertificate:
    chosen = platform.gateway.certificate
    made = SelfManagedCertificate(
        f"{PLATFORM}-{location}",
        {
            "project": foundation.services.project_for("certificatemanager"),
            "location": location,
            "domain": platform.gateway.hostname,
            "chain_pem": (config_folder() / str(chosen.chain_file)).read_text(encoding="ascii"),
            "private_key": str(chosen.private_key),
        },
        foundation.google,
    )
    return GatewayCertificate(made.certificate_name, made.certificate_id)


def _existing(platform: Platform, location: str) -> GatewayCertificate:
    name = platform.gateway.certificate.names[location]
    place = f"projects/{platform.project.id}/locations/{location}"
    return GatewayCertificate(name, f"{place}/certificates/{name}")


def certificate_outputs(certificates: Mapping[str, GatewayCertificate]) -> Mapping[str, object]:
    """Return what clients must trust and which records are to be added, by place; only what
    there is."""
    outputs: dict[str, object] = {
        "ca_certificates": {
            place: certificate.ca_certificate_pem
            for place, certificate in certificates.items()
            if certificate.ca_certificate_pem is not None
        },
        "certificate_records": {
            place: certificate.records
            for place, certificate in certificates.items()
            if certificate.records
        },
    }
    return {name: value for name, value in outputs.items() if value}

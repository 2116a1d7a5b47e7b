"""PrivateCertificate: a certificate that a private certificate authority issues and renews.

Owns the CA pool, its root authority, the issuance configuration, the certificate and the one grant
they need. Does not own the Certificate Manager service agent nor the enabling of the APIs.
"""

from collections.abc import Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
from pulumi_gcp.certificateauthority import CaPoolIssuancePolicyArgsDict

from catalog.limits import certificates as limits
from components.inference.managed_certificate import ALL_REGIONS, EVERYWHERE
from components.names import dns_label, label_of
from components.validation import Problems, component_type, register

MONTH_SECONDS = 30 * 24 * 3600
# A root that expires stops every renewal.
AUTHORITY_SECONDS = 10 * 365 * 24 * 3600
ROTATION_WINDOW_PERCENT = 34
"""Share of its life a certificate has left when it is renewed: 10 of 30 days."""


class PrivateCertificateArgs(TypedDict):
    """Arguments of `PrivateCertificate`."""

    project: pulumi.Input[str]
    """Project id."""
    region: str
    """Region of the authority, the certificate and the load balancer that serves it."""
    domains: Annotated[Sequence[str], limits.DOMAINS]
    """Host names the certificate is for, such as `inference.dev.acme.internal`."""
    organization: str
    """Organization in the subject of the root certificate."""
    service_agent_email: pulumi.Input[str]
    """Email of the Certificate Manager service agent, which requests the certificates."""
    deletion_protection: NotRequired[bool]
    """Keep the authority from deletion (default true). Without it, deletion is immediate."""
    everywhere: NotRequired[bool]
    """Whether the certificate is for load balancers that span regions: its location is then global
    and its scope ALL_REGIONS, while the authority stays in `region`. Default false."""


def _issues(domains: Sequence[str]) -> CaPoolIssuancePolicyArgsDict:
    """Return what the pool issues: certificates of servers for these names, no authorities."""
    names = ", ".join(f'"{each}"' for each in domains)
    named = f"subject_alt_names.all(san, san.type == DNS && san.value in [{names}])"
    return {
        "allowed_key_types": [{"elliptic_curve": {"signature_algorithm": "ECDSA_P256"}}],
        "maximum_lifetime": f"{MONTH_SECONDS}s",
        "identity_constraints": {
            "allow_subject_passthrough": True,
            "allow_subject_alt_names_passthrough": True,
            "cel_expression": {"title": "The names of the service", "expression": named},
        },
        "baseline_values": {
            "ca_options": {"non_ca": True},
            "key_usage": {
                "base_key_usage": {"digital_signature": True, "key_encipherment": True},
                "extended_key_usage": {"server_auth": True},
            },
        },
    }


class PrivateCertificate(pulumi.ComponentResource):
    """Makes a Google-managed certificate signed by a root authority of its own.

    Certificate Manager supports CA Service certificates in a region
    (https://cloud.google.com/certificate-manager/docs/certificates), which regional load balancers
    need. Certificates live 30 days and renew by themselves; clients trust `ca_certificate_pem`.
    """

    certificate_name: pulumi.Output[str]
    """Name of the certificate, as the Gateway's TLS option takes it."""
    certificate_id: pulumi.Output[str]
    """Full name of the certificate, as a target proxy takes it."""
    ca_certificate_pem: pulumi.Output[str]
    """Root certificate, PEM: what clients must trust."""

    def __init__(
        self,
        name: str,
        args: PrivateCertificateArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(PrivateCertificate), name, {}, opts)
        validate_private_certificate(name, args).raise_if_any(name)
        project, region = args["project"], args["region"]
        physical_name = dns_label(name)
        child = pulumi.ResourceOptions(parent=self)
        everywhere = args.get("everywhere", False)
        location = EVERYWHERE if everywhere else region
        # Beside the region, as a certificate moves with the authority that signs it.
        place = (name, region) if everywhere else (name,)

        pool = gcp.certificateauthority.CaPool(
            f"{name}-pool",
            name=physical_name,
            project=project,
            location=region,
            # The other tier is dear; this one revokes nothing.
            tier="DEVOPS",
            publishing_options={"publish_ca_cert": True, "publish_crl": False},
            issuance_policy=_issues(args["domains"]),
            opts=child,
        )
        authority = self._authority(name, args, pool)
        grant = gcp.certificateauthority.CaPoolIamMember(
            f"{name}-requester",
            ca_pool=pool.id,
            role="roles/privateca.certificateRequester",
            member=pulumi.Output.concat("serviceAccount:", args["service_agent_email"]),
            opts=child,
        )
        issuance = gcp.certificatemanager.CertificateIssuanceConfig(
            f"{name}-issuance",
            name=label_of(*place),
            project=project,
            location=location,
            certificate_authority_config={
                "certificate_authority_service_config": {"ca_pool": pool.id}
            },
            key_algorithm="ECDSA_P256",
            lifetime=f"{MONTH_SECONDS}s",
            rotation_window_percentage=ROTATION_WINDOW_PERCENT,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[authority]),
        )
        certificate = gcp.certificatemanager.Certificate(
            f"{name}-certificate",
            name=label_of(*place, *args["domains"]),
            project=project,
            location=location,
            scope=ALL_REGIONS if everywhere else None,
            managed={"domains": list(args["domains"]), "issuance_config": issuance.id},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[grant]),
        )
        self.certificate_name = certificate.name
        self.certificate_id = certificate.id
        self.ca_certificate_pem = authority.pem_ca_certificates[0]
        register(self)

    def _authority(
        self, name: str, args: PrivateCertificateArgs, pool: gcp.certificateauthority.CaPool
    ) -> gcp.certificateauthority.Authority:
        protected = args.get("deletion_protection", True)
        organization = args["organization"]
        return gcp.certificateauthority.Authority(
            f"{name}-root",
            certificate_authority_id=f"{dns_label(name)}-root",
            project=args["project"],
            location=args["region"],
            pool=pool.name,
            type="SELF_SIGNED",
            lifetime=f"{AUTHORITY_SECONDS}s",
            key_spec={"algorithm": "EC_P256_SHA256"},
            config={
                "subject_config": {
                    "subject": {
                        "common_name": f"{organization} {args['region']} root",
                        "organization": organization,
                    }
                },
                "x509_config": {
                    # Path length 0: the root signs server certificates, never another authority.
                    "ca_options": {"is_ca": True, "zero_max_issuer_path_length": True},
                    "key_usage": {
                        "base_key_usage": {"cert_sign": True, "crl_sign": True},
                        "extended_key_usage": {"server_auth": True},
                    },
                },
            },
            deletion_protection=protected,
            # An authority that may go must go at once, or its pool outlives the stack by 30 days.
            skip_grace_period=not protected,
            ignore_active_certificates_on_deletion=not protected,
            opts=pulumi.ResourceOptions(parent=self),
        )


def validate_private_certificate(name: str, args: PrivateCertificateArgs) -> Problems:
    """Check the plain arguments of a `PrivateCertificate`."""
    problems = Problems.of(PrivateCertificateArgs, args)
    problems.check_name(f"{dns_label(name)}-root", "name")
    return problems


__all__ = ["PrivateCertificate", "PrivateCertificateArgs", "validate_private_certificate"]

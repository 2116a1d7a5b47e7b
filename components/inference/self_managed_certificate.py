"""SelfManagedCertificate: a certificate of your own, with its key from Secret Manager.

Owns the certificate in Certificate Manager. Does not own the secret, and never shows the key: it is
read when the program runs, sent, and in no answer; the engine seals what it sent.
"""

import hashlib
from typing import Annotated, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import certificates as limits
from catalog.limits.names import RESOURCE_NAME
from catalog.problems import Problem
from components.inference.managed_certificate import ALL_REGIONS, EVERYWHERE
from components.names import label_of
from components.validation import Problems, component_type, register


class SelfManagedCertificateArgs(TypedDict):
    """Arguments of `SelfManagedCertificate`."""

    project: pulumi.Input[str]
    """Project id."""
    location: Annotated[str, RESOURCE_NAME]
    """Region of the load balancer, or `global` for a cross-region internal one."""
    domain: str
    """Host name the certificate is for; part of its name."""
    chain_pem: str
    """The certificate and those between it and its root, PEM."""
    private_key: Annotated[str, limits.SECRET_VERSION]
    """Full name of the secret version with the key in PEM. A
    version by number, because the key must be the certificate's."""


class SelfManagedCertificate(pulumi.ComponentResource):
    """Uploads a certificate; renewing it is its owner's task.

    A renewed one gets a name of its own, so that the Gateway changes over before the old one goes.
    The deployer needs roles/secretmanager.secretAccessor on the secret.
    https://cloud.google.com/certificate-manager/docs/deploy-self-managed

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    certificate_name: pulumi.Output[str]
    """Name of the certificate, as the Gateway's TLS option takes it."""
    certificate_id: pulumi.Output[str]
    """Full name of the certificate, as a target proxy takes it."""

    def __init__(
        self,
        name: str,
        args: SelfManagedCertificateArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(SelfManagedCertificate), name, {}, opts)
        validate_self_managed_certificate(args).raise_if_any(f"SelfManagedCertificate {name}")
        _, project, _, secret, _, version = args["private_key"].split("/")
        key = gcp.secretmanager.get_secret_version_output(
            project=project,
            secret=secret,
            version=version,
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).secret_data
        certificate = gcp.certificatemanager.Certificate(
            f"{name}-certificate",
            name=label_of(name, args["domain"], _digest(args["chain_pem"])),
            project=args["project"],
            location=args["location"],
            scope=ALL_REGIONS if args["location"] == EVERYWHERE else None,
            self_managed={
                "pem_certificate": args["chain_pem"],
                "pem_private_key_wo": pulumi.Output.secret(key),
                "pem_private_key_wo_version": version,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.certificate_name = certificate.name
        self.certificate_id = certificate.id
        register(self)


def _digest(chain_pem: str) -> str:
    return hashlib.sha256(chain_pem.encode()).hexdigest()[:8]


def validate_self_managed_certificate(args: SelfManagedCertificateArgs) -> Problems:
    """Check the plain arguments of a `SelfManagedCertificate`."""
    problems = Problems.of(SelfManagedCertificateArgs, args)
    if "PRIVATE KEY-----" in args["chain_pem"]:
        problems.extend(
            [
                Problem(
                    ("chain_pem",),
                    "a private key",
                    "certificates only",
                    "put the key into Secret Manager",
                )
            ]
        )
    return problems


__all__ = [
    "SelfManagedCertificate",
    "SelfManagedCertificateArgs",
    "validate_self_managed_certificate",
]

"""The Gateway's certificate: the stack's own names, signed by an authority made for this run.

Certificate Authority Service is not on the sandbox, so the authority's key is new each time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme
from cryptography import x509

from emulator.gateway.cluster import Cluster
from emulator.gateway.programs import LOOPBACK, write_private
from sandbox.world import World

HERE: Final = (LOOPBACK, "localhost")
"""Names of this machine, which the certificate has beside: nobody resolves the others here."""
_CERTIFICATE: Final = "gcp:certificatemanager/certificate:Certificate"
_OPTION: Final = "networking.gke.io/cert-manager-certs"


@dataclass(frozen=True)
class Certificate:
    """Where its files are, and the host names it is for."""

    authority: Path
    """What clients have to trust."""
    chain: Path
    key: Path
    names: tuple[str, ...]


def certificate(cluster: Cluster, cloud: World, folder: Path) -> Certificate:
    """Write a certificate for the names of that which the Gateway's listener has."""
    return issued(_names(cluster, cloud), folder)


def issued(names: Sequence[str], folder: Path) -> Certificate:
    """Write a certificate for host names, and for this machine's, by an authority of its own."""
    authority = trustme.CA(organization_name=names[0], key_type=trustme.KeyType.ECDSA)
    leaf = authority.issue_cert(*names, *HERE, key_type=trustme.KeyType.ECDSA)
    made = Certificate(
        folder / "authority.pem", folder / "certificate.pem", folder / "key.pem", tuple(names)
    )
    authority.cert_pem.write_to_path(made.authority)
    made.chain.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    write_private(made.key, leaf.private_key_pem.bytes().decode())
    return made


def domains(cloud: World, wanted: Collection[str]) -> list[str]:
    """Return the host names of certificates, by their names."""
    return [
        name
        for each in cloud.by_type(_CERTIFICATE)
        if each.inputs["name"] in wanted
        for name in _domains(each.inputs)
    ]


def _names(cluster: Cluster, cloud: World) -> Sequence[str]:
    (gateway,) = cluster.of("Gateway")
    (listener,) = gateway["spec"]["listeners"]
    found = domains(cloud, listener["tls"]["options"][_OPTION].split(","))
    # One that was there before the stack is known by its name alone.
    return found or sorted(
        {name for route in cluster.of("HTTPRoute") for name in route["spec"].get("hostnames", ())}
    )


def _domains(inputs: dict[str, Any]) -> list[str]:
    if "managed" in inputs:
        return inputs["managed"]["domains"]
    pem: str = inputs["selfManaged"]["pemCertificate"]
    (first, *_) = x509.load_pem_x509_certificates(pem.encode())
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)

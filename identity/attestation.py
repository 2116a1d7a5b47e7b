"""What attests that an image was built here and scanned: a key that signs, and an attestor.

Does not own the project's policy of Binary Authorization, which says whose attestations it wants.

https://cloud.google.com/binary-authorization/docs/creating-attestors-cli
"""

from typing import Final

import pulumi
import pulumi_gcp as gcp

APIS: Final = ("binaryauthorization", "containeranalysis", "ondemandscanning")
ATTESTOR: Final = "scanned"
_ALGORITHM: Final = "EC_SIGN_P256_SHA256"
_RIGHTS: Final = {
    "key": "roles/cloudkms.signerVerifier",
    "attestor": "roles/binaryauthorization.attestorsViewer",
    "note": "roles/containeranalysis.notes.attacher",
}
"""What a build needs to sign, each on the one resource."""


def make_attestor(
    project: str, builder: pulumi.Input[str], options: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """Make the key and the attestor that builds sign by; return the name of the key's version."""
    ring = gcp.kms.KeyRing("attestations", name="pipelines", location="global", opts=options)
    key = gcp.kms.CryptoKey(
        "attestation",
        name="attestation",
        key_ring=ring.id,
        purpose="ASYMMETRIC_SIGN",
        version_template={"algorithm": _ALGORITHM, "protection_level": "SOFTWARE"},
        deletion_policy="PREVENT",
        opts=options,
    )
    version = gcp.kms.get_kms_crypto_key_version_output(
        crypto_key=key.id, opts=pulumi.InvokeOutputOptions(provider=options.provider)
    )
    gcp.projects.IAMAuditConfig(
        "signatures",
        project=project,
        service="cloudkms.googleapis.com",
        audit_log_configs=[{"log_type": each} for each in ("DATA_READ", "DATA_WRITE")],
        opts=options,
    )
    note = gcp.containeranalysis.Note(
        ATTESTOR,
        name=ATTESTOR,
        attestation_authority={"hint": {"human_readable_name": "Built and scanned by pipelines"}},
        opts=options,
    )
    attestor = gcp.binaryauthorization.Attestor(
        ATTESTOR,
        name=ATTESTOR,
        attestation_authority_note={
            "note_reference": note.name,
            "public_keys": [
                {
                    # As gcloud names a key that it adds to an attestor.
                    "id": pulumi.Output.concat("//cloudkms.googleapis.com/v1/", version.name),
                    "pkix_public_key": {
                        "public_key_pem": version.public_keys[0].pem,
                        "signature_algorithm": _ALGORITHM,
                    },
                }
            ],
        },
        opts=options,
    )
    gcp.kms.CryptoKeyIAMMember(
        "build-signs",
        crypto_key_id=key.id,
        role=_RIGHTS["key"],
        member=builder,
        opts=options,
    )
    gcp.binaryauthorization.AttestorIamMember(
        "build-attests",
        project=project,
        attestor=attestor.name,
        role=_RIGHTS["attestor"],
        member=builder,
        opts=options,
    )
    gcp.containeranalysis.NoteIamMember(
        "build-notes",
        project=project,
        note=note.name,
        role=_RIGHTS["note"],
        member=builder,
        opts=options,
    )
    return version.name

"""ImageAdmission: which images may run in a project's clusters and Cloud Run services.

Owns the project's policy of Binary Authorization. Does not own the attestors, nor who signs for
them; clusters and services say themselves that they ask.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Entries
from catalog.limits import images as limits
from components.validation import Problems, component_type, register


class ImageAdmissionArgs(TypedDict):
    """Arguments of ImageAdmission."""

    project: pulumi.Input[str]
    """Id of the project."""
    attestors: Annotated[Sequence[Annotated[str, limits.ATTESTOR]], Entries("an attestor")]
    """Full names of the attestors, all of which must have attested to an image. One of another
    project lets this one's Binary Authorization service agent verify by it."""
    exempt: NotRequired[Mapping[str, Annotated[pulumi.Input[str], limits.EXEMPT]]]
    """Images that run without an attestation, by any short name: of others, by their whole name, or
    with * at the end for what follows without a slash, ** for all below."""


def validate_image_admission(args: ImageAdmissionArgs) -> Problems:
    """Check the plain values of the arguments."""
    return Problems.of(ImageAdmissionArgs, args)


class ImageAdmission(pulumi.ComponentResource):
    """The project's policy: what has no attestation does not run, but for the named images.

    It decides for the clusters and services that ask it. Google's own images of GKE are exempt by
    Google's list of them. A project has one policy: deleting it allows everything again.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/binary-authorization/docs/key-concepts
    """

    policy_id: pulumi.Output[str]
    """Known once the policy decides."""

    def __init__(
        self, name: str, args: ImageAdmissionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ImageAdmission), name, {}, opts)
        validate_image_admission(args).raise_if_any(f"ImageAdmission {name}")
        policy = gcp.binaryauthorization.Policy(
            f"{name}-admission",
            project=args["project"],
            description="What has no attestation does not run",
            global_policy_evaluation_mode="ENABLE",
            default_admission_rule={
                "evaluation_mode": "REQUIRE_ATTESTATION",
                "enforcement_mode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
                "require_attestations_bies": [*args["attestors"]],
            },
            admission_whitelist_patterns=[
                {"name_pattern": pattern} for _, pattern in sorted(args.get("exempt", {}).items())
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.policy_id = policy.id
        register(self)


__all__ = ["ImageAdmission", "ImageAdmissionArgs", "validate_image_admission"]

"""EncryptionKey: a key of Cloud KMS of a location, which rotates.

Owns the key, its ring, and who manages both. Does not own who encrypts with it: KeyAccess.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import storage as limits
from components.ready import after
from components.validation import Problems, component_type, register

_SECONDS_A_DAY: Final = 86400
_DESTROYED_AFTER_DAYS: Final = 30


class EncryptionKeyArgs(TypedDict):
    """Arguments of EncryptionKey."""

    project: pulumi.Input[str]
    """Id of the project the key is in."""
    location: str
    """Region of what it encrypts, or global."""
    rotation_days: NotRequired[Annotated[int, limits.ROTATION_DAYS]]
    """Days after which new data is encrypted with a new version. Old ones stay, for what they
    encrypted."""
    administrators: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Who manages the ring and its keys, by a short name. They can't decrypt with it."""


def validate_encryption_key(name: str, args: EncryptionKeyArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(EncryptionKeyArgs, args)
    problems.check_name(name, "name")
    return problems


class EncryptionKey(pulumi.ComponentResource):
    """A symmetric key that Google makes and rotates, in a ring of its own.

    It stays on Google Cloud when the stack goes, since what it encrypted is lost without it; a ring
    can't be deleted there at all. To make the stack again, take both over by an import, or give the
    key to KeyAccess in the place of this.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/kms/docs/key-rotation
    https://cloud.google.com/kms/docs/separation-of-duties
    """

    key: pulumi.Output[str]
    """Full name."""

    def __init__(
        self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(EncryptionKey), name, {}, opts)
        validate_encryption_key(name, args).raise_if_any(f"EncryptionKey {name}")
        stays = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        ring = gcp.kms.KeyRing(
            f"{name}-ring",
            name=name,
            project=args["project"],
            location=args["location"],
            opts=stays,
        )
        days = args.get("rotation_days", limits.ROTATION_DAYS.default)
        key = gcp.kms.CryptoKey(
            f"{name}-key",
            name=name,
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=f"{days * _SECONDS_A_DAY}s",
            destroy_scheduled_duration=f"{_DESTROYED_AFTER_DAYS * _SECONDS_A_DAY}s",
            deletion_policy="PREVENT",
            opts=stays,
        )
        managed = [
            gcp.kms.KeyRingIAMMember(
                f"{name}-managed-by-{who}",
                key_ring_id=ring.id,
                role="roles/cloudkms.admin",
                member=member,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for who, member in args.get("administrators", {}).items()
        ]
        self.key = after(key.id, *[grant.id for grant in managed])
        register(self)

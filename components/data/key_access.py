"""KeyAccess: a key of Cloud KMS that buckets and datasets may be encrypted with.

Owns the right of Google's agents to use the key. Does not own the key.
"""

from collections.abc import Sequence
from typing import Annotated, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import storage as limits
from components.ready import after
from components.validation import Problems, component_type, register


class KeyAccessArgs(TypedDict):
    """Arguments of KeyAccess."""

    project: pulumi.Input[str]
    """Id of the project whose data is encrypted."""
    key: Annotated[str, limits.KMS_KEY]
    """Full name of the key."""
    services: Annotated[Sequence[Annotated[str, limits.KEY_USER]], limits.KEY_USERS]
    """Who encrypts with it."""


class KeyAccess(pulumi.ComponentResource):
    """Lets the agents of services encrypt and decrypt with one key. One for each key: the rights of
    two on the same key would end with the first that goes.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/storage/docs/encryption/customer-managed-keys
    https://cloud.google.com/bigquery/docs/customer-managed-encryption
    """

    key: pulumi.Output[str]
    """The key, once it may be used."""

    def __init__(
        self, name: str, args: KeyAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(KeyAccess), name, {}, opts)
        Problems.of(KeyAccessArgs, args).raise_if_any(f"KeyAccess {name}")
        grants = [
            gcp.kms.CryptoKeyIAMMember(
                f"{name}-{service}",
                crypto_key_id=args["key"],
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=pulumi.Output.concat("serviceAccount:", self._agent(service, args)),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for service in args["services"]
        ]
        self.key = after(args["key"], *[grant.id for grant in grants])
        register(self)

    def _agent(self, service: str, args: KeyAccessArgs) -> pulumi.Output[str]:
        # Asking for an agent makes it.
        options = pulumi.InvokeOutputOptions(parent=self)
        if service == "storage":
            return gcp.storage.get_project_service_account_output(
                project=args["project"], opts=options
            ).email_address
        return gcp.bigquery.get_default_service_account_output(
            project=args["project"], opts=options
        ).email

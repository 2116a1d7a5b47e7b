"""KeyAccess: a key of Cloud KMS that Google's services may encrypt a project's data with.

Owns the right of Google's agents to use the key. Does not own the key.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import storage as limits
from components.ready import after
from components.validation import Problems, component_type, register

_USE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


class KeyAccessArgs(TypedDict):
    """Arguments of KeyAccess."""

    project: pulumi.Input[str]
    """Id of the project whose data is encrypted."""
    key: Annotated[pulumi.Input[str], limits.KMS_KEY]
    """Full name of the key."""
    services: Sequence[Annotated[str, limits.KEY_USER]]
    """Who encrypts with it; `usable_by` adds others."""
    agents: NotRequired[Mapping[str, pulumi.Input[str]]]
    """E-mail of the agent of each service, beside bigquery and storage: those are looked up."""


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
        self._prefix = name
        self._args = args
        self._grants: dict[str, pulumi.Output[str]] = {}
        self.key = self.usable_by(*args["services"])
        register(self)

    def usable_by(self, *services: str) -> pulumi.Output[str]:
        """Return the key once each of these services may use it, be it named before or not."""
        for service in services:
            if service not in self._grants:
                self._grants[service] = self._grant(service)
        return after(self._args["key"], *[self._grants[service] for service in services])

    def _grant(self, service: str) -> pulumi.Output[str]:
        return gcp.kms.CryptoKeyIAMMember(
            f"{self._prefix}-{service}",
            crypto_key_id=self._args["key"],
            role=_USE,
            member=pulumi.Output.concat("serviceAccount:", self._agent(service)),
            opts=pulumi.ResourceOptions(parent=self),
        ).id

    def _agent(self, service: str) -> pulumi.Input[str]:
        # Asking for an agent makes it.
        options = pulumi.InvokeOutputOptions(parent=self)
        project = self._args["project"]
        if service == "storage":
            return gcp.storage.get_project_service_account_output(
                project=project, opts=options
            ).email_address
        if service == "bigquery":
            return gcp.bigquery.get_default_service_account_output(
                project=project, opts=options
            ).email
        return self._args.get("agents", {})[service]

"""KeyAccess: a key of Cloud KMS that Google's services may encrypt a project's data with.

Owns the right of Google's agents to use the key. Does not own the key.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import storage as limits
from catalog.problems import joined, shown
from components.ready import after
from components.validation import Problems, component_type, register

_USE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
LOOKED_UP: Final = ("bigquery", "storage")
"""Services whose agents are made by asking for them."""


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


def validate_key_access(args: KeyAccessArgs) -> Problems:
    """Check the plain values of the arguments, and that every agent is known."""
    problems = Problems.of(KeyAccessArgs, args)
    agents = args.get("agents", {})
    for position, service in enumerate(args["services"]):
        if service not in {*LOOKED_UP, *agents}:
            problems.add(
                f"services[{position}]",
                f"found {shown(service)}; allowed: {joined([*LOOKED_UP, *agents])}; add the "
                "e-mail of its agent to agents",
            )
    return problems


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
        validate_key_access(args).raise_if_any(f"KeyAccess {name}")
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

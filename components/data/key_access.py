"""KeyAccess: a key of Cloud KMS that buckets and datasets may be encrypted with.

Owns the right of Google's agents to use the key. Does not own the key.
"""

import re
from collections.abc import Sequence
from typing import TypedDict

import pulumi
import pulumi_gcp as gcp

from components.ready import after
from components.validation import Problems, component_type, register

SERVICES = ("bigquery", "storage")

_KEY = re.compile(r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")


class KeyAccessArgs(TypedDict):
    """Arguments of KeyAccess."""

    project: pulumi.Input[str]
    """Id of the project whose data is encrypted."""
    key: str
    """`projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>`."""
    services: Sequence[str]
    """Who encrypts with it: bigquery, storage."""


def validate_key_access(args: KeyAccessArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems()
    if not _KEY.fullmatch(args["key"]):
        problems.add(
            "key",
            f"found {args['key']!r}; allowed: projects/<project>/locations/<region>/keyRings/"
            "<ring>/cryptoKeys/<key>",
        )
    problems.check_not_empty("services", args["services"], f"one of {', '.join(SERVICES)}")
    for index, service in enumerate(args["services"]):
        problems.check_one_of(f"services[{index}]", service, SERVICES)
    return problems


def check_key(problems: Problems, path: str, key: object, location: str) -> None:
    """Note a plain key that is not in the location of what it encrypts."""
    found = _KEY.fullmatch(key) if isinstance(key, str) else None
    if found is not None and found[1] != location.lower():
        problems.add(
            path,
            f"found {key!r}; allowed: a key in {location}, where the data is; "
            "give one of that location",
        )


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

"""Issuer: ID tokens of the world's service accounts, as Google signs them, by a key of our own.

https://cloud.google.com/docs/authentication/token-types#id
"""

import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt

from sandbox.world import World

ISSUER = "https://accounts.google.com"
_ACCOUNT = "gcp:serviceaccount/account:Account"
_KEY_ID = "sandbox"
_GROUPS = "sandbox_groups"
_LIFETIME_SECONDS = 3600


class TokenError(ValueError):
    """A token that proves nothing; says why."""


class Issuer:
    """Signs and checks tokens. The key is made once, in `folder`."""

    def __init__(self, folder: Path) -> None:
        private, public = _key(folder)
        self._signer: Any = cast("Any", crypt).RSASigner.from_string(private, _KEY_ID)
        self._public = public

    def token(
        self,
        account: str,
        audience: str,
        *,
        subject: str = "",
        issuer: str = ISSUER,
        lifetime: int = _LIFETIME_SECONDS,
        groups: Collection[str] = (),
    ) -> str:
        """Return an ID token of an account.

        Google looks up an account's groups itself. Nobody here knows them: the token says them.
        """
        now = int(time.time())
        claims = {
            "aud": audience,
            "azp": subject or account,
            "email": account,
            "email_verified": True,
            "exp": now + lifetime,
            "iat": now,
            "iss": issuer,
            "sub": subject or account,
            _GROUPS: [*groups],
        }
        return cast("Any", jwt).encode(self._signer, claims).decode()

    def account(self, token: str, audiences: Collection[str]) -> str:
        """Return the email of the account the token is of. Raises TokenError."""
        return self.caller(token, audiences)[0]

    def caller(self, token: str, audiences: Collection[str]) -> tuple[str, list[str]]:
        """Return the email of the account the token is of, and its groups.

        Raises TokenError for a wrong signature, issuer, audience or time.
        """
        try:
            claims = cast("Any", jwt).decode(
                token, certs={_KEY_ID: self._public}, audience=[*audiences]
            )
        # The library raises plain ValueError and what broken base64 and JSON raise.
        except Exception as problem:
            raise TokenError(str(problem)) from problem
        if claims.get("iss") != ISSUER:
            raise TokenError(f"wrong issuer: found {claims.get('iss')!r}, allowed: {ISSUER!r}")
        return str(claims["email"]), [str(group) for group in claims.get(_GROUPS, ())]


def subject_of(world: World, account: str) -> str | None:
    """Return the unique id of a service account; None when there is no such account."""
    project = account.partition("@")[2].partition(".")[0]
    found = world.get(_ACCOUNT, f"projects/{project}/serviceAccounts/{account}")
    return None if found is None else str(found.outputs["uniqueId"])


def _key(folder: Path) -> tuple[bytes, bytes]:
    file = folder / "key.pem"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        draft = folder / "key.pem.new"
        draft.touch(mode=0o600)
        draft.write_bytes(
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        draft.rename(file)
    private = file.read_bytes()
    key = serialization.load_pem_private_key(private, password=None)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public

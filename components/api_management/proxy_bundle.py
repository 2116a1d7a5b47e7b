"""The Apigee proxy that decides on a gateway's requests: its files, and the archive of them.

A proxy without target answers the load balancer's extension. Policies:
https://cloud.google.com/apigee/docs/api-platform/reference/policies/reference-overview-policy
and their use here:
https://cloud.google.com/apigee/docs/api-platform/service-extensions/extension-processor-overview
"""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NotRequired, TypedDict
from xml.sax.saxutils import escape, quoteattr

from catalog.conventions import RATE_ATTRIBUTE
from catalog.limits import api_management as limits

_KEY: Final = "Extract-Key"
_TOKEN: Final = "VerifyJWT-Token"  # noqa: S105 - the name of a policy
_CONSUMER: Final = "Verify-Consumer"
_ARREST: Final = "SpikeArrest-Consumer"
_COUNT: Final = "Quota-Consumer"
_PRODUCT: Final = f"verifyapikey.{_CONSUMER}.apiproduct"
_QUOTA: Final = f"{_PRODUCT}.developer.quota"
_RATE: Final = f"{_PRODUCT}.{RATE_ATTRIBUTE}"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time an archive can hold: equal files make equal archives."""


class ApigeeJwt(TypedDict):
    """Whose tokens are taken."""

    issuer: Annotated[str, limits.HTTPS_ADDRESS]
    """The `iss` of tokens."""
    audience: str
    """What the `aud` of tokens must have."""
    jwks_uri: Annotated[str, limits.HTTPS_ADDRESS]
    """Where the issuer publishes its keys: an https address Apigee can reach."""
    client_claim: NotRequired[Annotated[str, limits.CLIENT_CLAIM]]
    """Claim that names the consumer's client."""


def proxy_files(name: str, jwt: ApigeeJwt | None) -> Mapping[str, str]:
    """Return the files of the proxy by path: it identifies the consumer, then counts its requests.

    An unknown consumer gets 401, a consumer over its rate or quota 429. Without `jwt` consumers
    send an API key as the bearer token, as clients of the OpenAI API do.
    """
    policies = {
        **(_token_policy(jwt) if jwt else _key_policy()),
        _CONSUMER: f'<VerifyAPIKey name="{_CONSUMER}"><APIKey ref={quoteattr(_client(jwt))}/>'
        "</VerifyAPIKey>",
        _ARREST: f'<SpikeArrest name="{_ARREST}"><Identifier ref="client_id"/>'
        f'<Rate ref="{_RATE}"/><UseEffectiveCount>true</UseEffectiveCount></SpikeArrest>',
        _COUNT: f'<Quota name="{_COUNT}"><Identifier ref="client_id"/>'
        f'<Allow countRef="{_QUOTA}.limit"/><Interval ref="{_QUOTA}.interval"/>'
        f'<TimeUnit ref="{_QUOTA}.timeunit"/><Distributed>true</Distributed>'
        "<Synchronous>true</Synchronous></Quota>",
        # No model server needs to know who may call it.
        "Assign-No-Credential": '<AssignMessage name="Assign-No-Credential"><Remove><Headers>'
        '<Header name="Authorization"/></Headers></Remove></AssignMessage>',
    }
    conditions = {_ARREST: f"{_RATE} != null", _COUNT: f"{_QUOTA}.limit != null"}
    steps = "".join(
        f"<Step><Name>{policy}</Name>"
        + (f"<Condition>{conditions[policy]}</Condition>" if policy in conditions else "")
        + "</Step>"
        for policy in policies
    )
    endpoint = (
        '<ProxyEndpoint name="default"><PreFlow name="PreFlow">'
        f"<Request>{steps}</Request><Response/></PreFlow>"
        f"<HTTPProxyConnection><BasePath>/{name}</BasePath></HTTPProxyConnection>"
        '<RouteRule name="none"/></ProxyEndpoint>'
    )
    return {
        f"apiproxy/{name}.xml": f'<APIProxy name="{name}" revision="1"/>',
        "apiproxy/proxies/default.xml": endpoint,
        **{f"apiproxy/policies/{policy}.xml": text for policy, text in policies.items()},
    }


def write_bundle(name: str, jwt: ApigeeJwt | None) -> Path:
    """Write the archive of the proxy where the provider finds it. A change makes another path.

    So does another folder for temporary files: then the same proxy is uploaded once more.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for path, text in proxy_files(name, jwt).items():
            files.writestr(zipfile.ZipInfo(path, _EPOCH), text)
    content = archive.getvalue()
    digest = hashlib.sha256(content).hexdigest()[:12]
    bundle = Path(tempfile.gettempdir()) / f"apigee-{name}-{digest}.zip"
    bundle.write_bytes(content)
    return bundle


def _client(jwt: ApigeeJwt | None) -> str:
    if jwt is None:
        return "credential.key"
    return f"jwt.{_TOKEN}.decoded.claim.{jwt.get('client_claim', limits.CLIENT_CLAIM.default)}"


def _key_policy() -> dict[str, str]:
    return {
        _KEY: f'<ExtractVariables name="{_KEY}"><Source>request</Source>'
        '<Header name="Authorization"><Pattern ignoreCase="true">Bearer {key}</Pattern></Header>'
        "<VariablePrefix>credential</VariablePrefix></ExtractVariables>"
    }


def _token_policy(jwt: ApigeeJwt) -> dict[str, str]:
    return {
        _TOKEN: f'<VerifyJWT name="{_TOKEN}"><Algorithm>RS256</Algorithm>'
        "<Source>request.header.authorization</Source>"
        f"<PublicKey><JWKS uri={quoteattr(jwt['jwks_uri'])}/></PublicKey>"
        f"<Issuer>{escape(jwt['issuer'])}</Issuer>"
        f"<Audience>{escape(jwt['audience'])}</Audience></VerifyJWT>"
    }

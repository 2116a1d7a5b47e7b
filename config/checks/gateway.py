"""The gateway: a certificate of one kind, complete, and for the names the gateway answers to."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from catalog.config_folder import config_folder
from catalog.problems import KeyPath, Problem, joined, shown
from config.certificate import Certificate
from config.checks.references import check_name
from config.gateway import Gateway
from config.known import Known
from config.x509 import leaf_of

PATH: Final = ("gateway", "certificate")
EVERYWHERE: Final = "global"
"""Key in `names` of the certificate for load balancers of all regions."""

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "private": (),
    "managed": ("zone", "zone_project", "shared_record"),
    "self-managed": ("chain_file", "private_key"),
    "existing": ("names",),
}
_NEEDED: Final[Mapping[str, tuple[str, str]]] = {
    "chain_file": ("a PEM file with the certificate", "add its path from the stack file's folder"),
    "private_key": (
        "the full name of a secret version",
        "store the key with `gcloud secrets versions add` and name the version",
    ),
    "names": ("a certificate for each region", "add its name by region"),
}
# Names nobody signs publicly. https://www.iana.org/assignments/special-use-domain-names
_NOT_PUBLIC: Final = frozenset(
    {"corp", "example", "home", "internal", "invalid", "lan", "local", "localhost", "test"}
)
_KEY_MARK: Final = "PRIVATE KEY-----"


def check_gateway(known: Known) -> Iterator[Problem]:
    """Check the gateway's certificate."""
    if known.gateway is None:
        return
    certificate = known.gateway.certificate
    yield from _check_keys(certificate)
    match certificate.kind:
        case "managed":
            yield from _check_public(known.gateway)
        case "self-managed" if certificate.chain_file is not None:
            yield from _check_chain(known, known.gateway, certificate.chain_file)
        case "existing" if certificate.names:
            yield from _check_names(known, certificate)
        case _:
            pass


def _check_keys(certificate: Certificate) -> Iterator[Problem]:
    own = _KEYS[certificate.kind]
    for kind, keys in _KEYS.items():
        for key in keys:
            if key not in own and getattr(certificate, key):
                yield Problem(
                    (*PATH, key),
                    f"a key of kind {kind}",
                    joined(own) if own else f"no key beside kind for kind {certificate.kind}",
                    f"remove it or set kind: {kind}",
                )
    for key in own:
        if key in _NEEDED and not getattr(certificate, key):
            allowed, remedy = _NEEDED[key]
            yield Problem((*PATH, key), "nothing", allowed, remedy)
    if certificate.zone_project and not certificate.zone:
        yield Problem(
            (*PATH, "zone_project"), "a project without a zone", "both or none", "add zone:"
        )


def _check_public(gateway: Gateway) -> Iterator[Problem]:
    if gateway.hostname.rpartition(".")[2] in _NOT_PUBLIC:
        yield Problem(
            ("gateway", "hostname"),
            f"{shown(gateway.hostname)}, a name that no public authority signs",
            "a name of a public domain of yours, with certificate kind managed",
            "change it, or choose another kind of certificate",
        )


def _check_names(known: Known, certificate: Certificate) -> Iterator[Problem]:
    for region in certificate.names:
        if region != EVERYWHERE:
            yield from check_name(known, "regions", (*PATH, "names", region), region)
    wanted = [*known.names.get("regions", ())]
    if any(consumer.failover for consumer in known.consumers.values()):
        wanted.append(EVERYWHERE)
    missing = [region for region in wanted if region not in certificate.names]
    if missing:
        yield Problem(
            (*PATH, "names"),
            f"no certificate for {joined(missing)}",
            f"one for each of {joined(wanted)}",
            "add their names: a regional load balancer takes certificates of its region alone",
        )


def _check_chain(known: Known, gateway: Gateway, file: str) -> Iterator[Problem]:
    path: KeyPath = (*PATH, "chain_file")
    try:
        text = (config_folder() / file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        remedy = "put it there, or change the path (it starts in the project's folder)"
        yield Problem(path, f"{shown(file)}, which can't be read", "a PEM file", remedy)
        return
    if _KEY_MARK in text:
        yield Problem(
            path,
            f"{shown(file)}, which holds a private key",
            "certificates only",
            "take the key out: it belongs in Secret Manager, and private_key names it there",
        )
    try:
        leaf = leaf_of(text)
    except ValueError as error:
        yield Problem(
            path,
            f"{shown(file)}, in which there is {error}",
            "the certificate first, in PEM",
            "export it as PEM",
        )
        return
    hosts = gateway.hostnames(known.names.get("regions", ()))
    wrong = [host for host in hosts if not leaf.is_for(host)]
    if wrong:
        yield Problem(
            path,
            f"{shown(file)}, a certificate for {joined(leaf.names) if leaf.names else 'no name'}",
            f"one for {joined(hosts)}",
            f"get one that names {joined(wrong)} (subjectAltName), or change gateway.hostname",
        )
    now = datetime.now(UTC)
    if not leaf.not_before <= now < leaf.not_after:
        yield Problem(
            path,
            f"{shown(file)}, a certificate that holds from {leaf.not_before:%Y-%m-%d} to"
            f" {leaf.not_after:%Y-%m-%d}",
            "one that holds today",
            "renew it, and name the new key's secret version in private_key",
        )

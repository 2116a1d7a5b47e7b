"""What looks like a secret, by the name it stands under or by itself."""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from catalog.conventions import WRITE_ONLY, WRITE_ONLY_VERSION
from resources.properties import entries, get, is_mapping, is_sequence

# Variables, options and entries of a map.
_NAME: Final = re.compile(
    r".*(password|passwd|passphrase)|(.*[_.-])?(pass|pwd|secret|token|credentials?|client[_-]?secret"
    r"|(api|private|secret|access|account|signing|encryption|fernet|master|hmac|jwt|license|mailgun)[_.-]?key|auth[_-]?string)"
    r"|(.*[_.-])?(tls|ssl|server|client|ca)[_.-]key|(.*/)?id_(rsa|dsa|ecdsa|ed25519)"
    r"|.*\.(p12|pfx|jks|keystore)|kubeconfig|\.?docker(cfg|configjson)|\.?(htpasswd|netrc|pgpass)"
    r"|(proxy-)?authorization|x-(goog-)?api-key|x-auth-token|cookie",
    re.IGNORECASE,
)
# Properties of resources, as their services write them. What a write-only property takes is not
# kept; the name of a secret or of its version is none.
_PROPERTY: Final = re.compile(
    r".*(password|passphrase)|(pem)?privateKey(Pem|Data)?|plaintext|authString|preSharedKey"
    r"|.*(client|shared|webhook|site|app|oauth|api|trustHandshake)Secret"
    r"|(secretAccess|secret|access|account|auth|api|shared|signing|service|ssh)Key|secret(Value|Data)"
    r"|(.*(auth|access|refresh|bearer|sas|session|oauth|api|debug|bot|webhook))?Token"
    r"|(proxy-)?authorization|x-(goog-)?api-key|x-auth-token|cookie",
    re.IGNORECASE,
)
_VALUE: Final = r"(?![\"']?(?:\$|\{|<|%|/|\*|true\b|false\b|null\b|none\b|projects/|[0-9]{1,6}\b))"
# Credentials that are known by how they begin.
_LOOKS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|AIza[0-9A-Za-z_-]{35}|hf_[A-Za-z0-9]{30}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22}"
    r"|glpat-[\w-]{20}|sk-[A-Za-z0-9_-]{20}|[rs]k_live_\w{16}|nvapi-[\w-]{20}|npm_[A-Za-z0-9]{36}"
    r"|ya29\.|xox[abprs]-|hooks\.slack\.com/services/T|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}"
    r"|GOOG[0-9A-Z]{20}|SG\.[\w-]{20,}\.[\w-]{20}|pypi-AgE|dop_v1_[a-f0-9]{32}|hv[sb]\.[\w-]{20}"
    r"|GOCSPX-[\w-]{20}|AGE-SECRET-KEY-1|\bkey-[0-9a-f]{32}\b"
    # A key as JSON, whose d is private, a password as servers keep it, a header for one.
    r"|\"kty\"[^}]{0,2000}\"d\"\s*:\s*\"|:\$(?:apr1|2[aby]|[156])\$"
    r"|\b[Bb]asic (?=[a-z+/]*[A-Z0-9=])[A-Za-z0-9+/]{16,}={0,2}(?![\w-])"
    # A private key in Base64: of PKCS 8, encrypted, RSA, EC, DSA or OpenSSH.
    r"|LS0tLS1CRUdJTi(BQUklWQVRF|BFTkNSWVBURU|BSU0Eg|BFQyB|BEU0Eg|BPUEVOU1NI)"
    r"|[Bb]earer [A-Za-z0-9._~+/-]{20}"
    # A signed token.
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{6,}\.[\w-]*"
)
_SPEAKS: Final = re.compile(
    r"pass|pwd|secret|token|key|auth|://[^/\s]*@|\slogin\s|\bmysql|\bmongo|\bredis|\bcurl\b|[?&]sig=|-signature="
    r"|jdbc:oracle",
    re.IGNORECASE,
)
# Settings within a text, of which each has a colon or an equals sign.
_SETS: Final = re.compile(
    r"\"private_key\"\s*:|client-key-data\s*:|\"auth\"\s*:\s*\"[A-Za-z0-9+/=]{8,}\""
    # A password in an address.
    r"|[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,64}:" + _VALUE + r"[^\s/@\"']{3,}@"
    # The same without a scheme of the web, as Oracle writes it, and signed addresses.
    r"|jdbc:oracle:\w+:[\w$]+/" + _VALUE + r"[^\s/@\"']{3,}@"
    r"|[?&](?:sig|x-(?:goog|amz)-signature)=[A-Za-z0-9%+/]{20}"
    # A header with a credential.
    r"|\b(?:authorization|x-(?:goog-)?api-key)[\"']?\s*[:=]\s*[\"']?(?:bearer|basic|token)?\s+"
    + _VALUE
    + r"[\w.~+/=-]{8,}"
    # A setting in a connection string, a query or a script.
    r"|(?:^|[\s;&?\"',{:/-])(?:[\w.-]*[_.-])?(?:password|passwd|pwd|secret|(?:auth)?token"
    r"|(?:access|account|api|encryption|secret|signing)[_-]?key|client[_-]?secret)="
    + _VALUE
    + r"[^\s;&\"']{4,}"
    # The same with spaces, alone on a line.
    r"|(?:^|\n)[ \t]*(?:[\w.-]*[_.-])?(?:password|passwd|(?:access|api|secret)[_-]?key)"
    r"[ \t]+=[ \t]+" + _VALUE + r"[^\s\"'():;,]{8,}[ \t]*(?:\n|$)"
    # A line of a settings file.
    r"|(?:^|[\n{,])[\s-]*[\"']?(?:[\w.-]*[_.-])?(?:password|passwd|api[_-]?key|access[_-]?key"
    r"|secret[_-]?key|client[_-]?secret|private[_-]?key|token)[\"']?[ \t]*:[ \t]*"
    + _VALUE
    + r"[\"']?"
    r"[^\s\"'#]{8,}"
    # A variable of a program.
    r"|\b(?:\w+[_.-])?(?:password|passwd|secret|token"
    r"|(?:access|api|private|secret)[_-]?key)\s*=\s*[\"']" + _VALUE + r"[^\s\"']{8,}[\"']"
    # An option of a command, its value after a space.
    r"|(?:^|\s)--?(?:[\w.-]*[-_.])?(?:password|passwd|token|api-?key|secret-key|access-key)\s+"
    + _VALUE
    + r"[\"']?[^\s\"'-][^\s\"']{5,}"
    # How clients take a password in one letter.
    r"|\b(?:docker|helm|podman|skopeo|crane|oras)\b[^\n;|&]*\slogin\b[^\n;|&]*\s-p\s+"
    + _VALUE
    + r"\S{4,}"
    r"|\b(?:mysql\w*|sshpass|mongo\w*)\b[^\n;|&]*\s-p[\"']?" + _VALUE + r"[^\s\"'-]{4,}"
    r"|\bredis-cli\b[^\n;|&]*\s-a\s+" + _VALUE + r"\S{4,}"
    r"|\bcurl\b[^\n;|&]*\s(?:-u|--user)\s+[\"']?[^\s:\"']+:" + _VALUE + r"[^\s\"']{3,}"
    # A machine of .netrc.
    r"|\blogin\s+\S+\s+password\s+\S+",
    re.IGNORECASE,
)
# A path, a resource name, a switch or a reference to a variable is no credential.
_HARMLESS: Final = re.compile(
    r"|/[^?\n]*|projects/.*|true|false|[0-9]{1,6}|\$\(\w{1,63}\)|\$\{\w{1,63}\}|\{\{.*\}\}",
    re.IGNORECASE,
)
_USER: Final = frozenset({"-u", "--user", "--proxy-user", "--userpass"})
_COMMANDS: Final = frozenset({"args", "arguments", "command", "commands", "entrypoint"})
# Programs that take a password in one letter.
_ALONE: Final = re.compile(r"(?:.*/)?(?:curl|docker|helm|mongo\w*|mysql\w*|redis-cli|sshpass)")
_DEPTH: Final = 40
# The resources of a stack repeat most of their texts, and each is judged twice.
_REMEMBERED: Final = 16_384
# How a property calls a variable, a header or an entry, and its value.
_CALLED: Final = (("name", "value"), ("key", "value"), ("headerName", "headerValue"))


def is_secret(name: object, value: object) -> bool:
    """Tell whether a value looks like a secret, by its name or by itself."""
    if not isinstance(value, str) or _HARMLESS.fullmatch(value):
        return False
    named = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return named or looks_secret(value)


@lru_cache(_REMEMBERED)
def looks_secret(value: str) -> bool:
    """Tell whether a text is or holds a credential, whatever it is called."""
    # Most texts speak of nothing that a setting would be called.
    sets = _SPEAKS.search(value) is not None and _SETS.search(value) is not None
    return sets or (len(value) > 6 and _LOOKS.search(value) is not None)


def encodes_secret(value: object) -> bool:
    """Tell whether a text of Base64 holds a credential."""
    if not isinstance(value, str):
        return False
    try:
        return looks_secret(base64.b64decode(value, validate=True).decode("latin-1"))
    except ValueError:
        return False


def in_arguments(arguments: tuple[object, ...]) -> bool:
    """Tell whether a command line holds a credential: `--key=value`, `--key value`, or a text."""
    before = ""
    for argument in arguments:
        if not isinstance(argument, str):
            before = ""
            continue
        option, _, value = argument.partition("=")
        follows = before if before.startswith("-") and not argument.startswith("-") else ""
        named = is_secret(option.lstrip("-"), value) or is_secret(follows.lstrip("-"), argument)
        person = follows in _USER and ":" in argument.strip(":")
        if named or person or looks_secret(argument):
            return True
        before = argument
    words = [each for each in arguments if isinstance(each, str)]
    # What one letter means is told by the program before it.
    return bool(words) and _ALONE.fullmatch(words[0]) is not None and looks_secret(" ".join(words))


def holds_secret(value: object, depth: int = 0) -> bool:
    """Tell whether a property anywhere within a resource is a secret, by its name or by itself."""
    return any(_is_property(key, text) for key, text in _texts(value, "", depth))


def shows_secret(value: object) -> bool:
    """Tell whether a text anywhere within a resource is or holds a credential by itself."""
    return any(looks_secret(text) for _, text in _texts(value, "", 0))


def _is_entry(key: str) -> bool:
    """Tell whether a key is one of a map, which whoever wrote it may have called anything."""
    return "/" not in key and ("_" in key or "-" in key or "." in key or key.isupper())


@lru_cache(_REMEMBERED)
def _is_property(key: str, value: str) -> bool:
    if _HARMLESS.fullmatch(value):
        return False
    if _PROPERTY.fullmatch(key) or (_is_entry(key) and _NAME.fullmatch(key)):
        return True
    return looks_secret(value)


def _texts(value: object, key: str, depth: int) -> Iterator[tuple[str, str]]:
    """Yield each text with the key it stands under."""
    if isinstance(value, str):
        yield key, value
    elif depth < _DEPTH and is_mapping(value):
        names = list(value)
        for called, valued in _CALLED:
            if called in names and valued in names:
                name, given = get(value, called), get(value, valued)
                if isinstance(name, str) and isinstance(given, str):
                    yield name.upper(), given
        for name in names:
            if not name.endswith((WRITE_ONLY, WRITE_ONLY_VERSION)):
                yield from _texts(get(value, name), name, depth + 1)
    elif depth < _DEPTH and is_sequence(value):
        parts = entries_of(value)
        if key.lower() in _COMMANDS and in_arguments(parts):
            yield "password", "in a command"
        for each in parts:
            yield from _texts(each, key, depth + 1)


def entries_of(value: object) -> tuple[object, ...]:
    """Return the elements of a list."""
    found = entries(value)
    return found if isinstance(found, tuple) else ()

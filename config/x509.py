"""Reads of an X.509 certificate what decides whether it can serve: its names and its dates.

Just enough DER (X.690) for the fields of RFC 5280 above; nothing is verified here.
"""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_UTC_TIME: Final = 0x17
_EXTENSIONS: Final = 0xA3
_DNS_NAME: Final = 0x82
_OCTETS: Final = 0x04
# 2.5.29.17, subjectAltName: clients read a certificate's names there and nowhere else.
_SUBJECT_ALT_NAME: Final = bytes.fromhex("551d11")
_END: Final = "-----END CERTIFICATE-----"
_START: Final = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True)
class X509:
    """The names a certificate is for, and when it holds."""

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    def is_for(self, host: str) -> bool:
        """Return whether a client that asks for `host` takes it: `*` stands for one label."""
        wildcard = f"*.{host.partition('.')[2]}"
        return any(name.lower() in {host, wildcard} for name in self.names)


def leaf_of(pem: str) -> X509:
    """Return the first certificate of a PEM chain. Raises ValueError when there is none to read."""
    start, end = pem.find(_START), pem.find(_END)
    if start < 0 or end < start:
        raise ValueError(f"no {_START}")
    try:
        return _read(ssl.PEM_cert_to_DER_cert(pem[start : end + len(_END)]))
    except (IndexError, ValueError) as error:
        raise ValueError("no X.509 certificate") from error


def _read(der: bytes) -> X509:
    fields = _first(_first(der))
    parts = list(_values(fields))
    # The version stands first unless it is 1, and then the extensions stand last.
    dates = parts[4 if parts[0][0] != 0x02 else 3][1]
    not_before, not_after = (_moment(*value) for value in _values(dates))
    extensions = [value for tag, value in parts if tag == _EXTENSIONS]
    return X509(tuple(_names(extensions[0])) if extensions else (), not_before, not_after)


def _names(extensions: bytes) -> Iterator[str]:
    for _, extension in _values(_first(extensions)):
        (_, identifier), *_, (tag, value) = _values(extension)
        if identifier == _SUBJECT_ALT_NAME and tag == _OCTETS:
            names = _values(_first(value))
            yield from (name.decode("ascii") for kind, name in names if kind == _DNS_NAME)


def _moment(tag: int, value: bytes) -> datetime:
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        # Two digits of a year are 1950 to 2049.
        text = f"{'19' if text[:2] >= '50' else '20'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _first(der: bytes) -> bytes:
    """Return the content of the first value. Raises IndexError when there is none."""
    for _, content in _values(der):
        return content
    raise IndexError(0)


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each value, one after the other. Raises IndexError when cut short."""
    place = 0
    while place < len(der):
        tag, length = der[place], der[place + 1]
        place += 2
        if length > 0x7F:
            octets = length - 0x80
            length = int.from_bytes(der[place : place + octets], "big")
            place += octets
        if place + length > len(der):
            raise IndexError(place)
        yield tag, der[place : place + length]
        place += length

"""A certificate's names and dates, read from PEM; anything else is no certificate."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from config.load import from_mapping
from config.x509 import X509, leaf_of
from tests.config.samples import ROOT, SOURCE, changed

FOLDER = ROOT / "tests" / "config" / "certificates"
KEY = "projects/acme-secrets/secrets/tls/versions/1"
GOOD = (FOLDER / "good.pem").read_text()
DER = base64.b64decode("".join(GOOD.splitlines()[1:-1]))


def pem(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n"


def test_names_and_dates() -> None:
    assert leaf_of(GOOD) == X509(
        ("inference.acme.internal", "us-central1.inference.acme.internal"),
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2120, 1, 1, tzinfo=UTC),
    )


def test_the_first_of_a_chain_counts() -> None:
    assert leaf_of(f"comment\n{GOOD}{(FOLDER / 'other.pem').read_text()}") == leaf_of(GOOD)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("inference.acme.internal", True),
        ("acme.internal", False),
        ("us-central1.inference.acme.internal", False),
        ("inference.acme.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label(host: str, covered: bool) -> None:
    assert leaf_of((FOLDER / "wildcard.pem").read_text()).is_for(host) is covered


@given(st.binary(max_size=200))
def test_other_bytes_are_no_certificate(der: bytes) -> None:
    with pytest.raises(ValueError, match=r"^no X\.509 certificate$"):
        leaf_of(pem(der))


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_a_damaged_certificate_is_read_or_refused(place: int, byte: int) -> None:
    damaged = DER[:place] + bytes([byte]) + DER[place + 1 :]
    try:
        assert leaf_of(pem(damaged)).not_after
    except ValueError as error:
        assert str(error) == "no X.509 certificate"


@pytest.mark.parametrize("file", ["good.pem", "wildcard.pem"])
def test_a_certificate_for_the_hostname_is_taken(file: str) -> None:
    own = {"kind": "self-managed", "chain_file": str(FOLDER / file), "private_key": KEY}
    assert from_mapping(changed(("gateway|certificate", own)), SOURCE).gateway.certificate.kind


def test_a_file_with_the_key_in_it_is_refused_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "both.pem"
    file.write_text(f"{GOOD}-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n")
    own = {"kind": "self-managed", "chain_file": str(file), "private_key": KEY}
    with pytest.raises(ConfigError, match=r"found .*, which holds a private key") as error:
        from_mapping(changed(("gateway|certificate", own)), SOURCE)
    assert "MIIEvQ" not in str(error.value)

"""SelfManagedCertificate: an own certificate, whose key nobody sees."""

from typing import Any, cast

import pytest

from components.inference.self_managed_certificate import (
    SelfManagedCertificate,
    SelfManagedCertificateArgs,
    validate_self_managed_certificate,
)
from tests.unit import examples
from tests.unit.harness import Call, Cloud, Deploy

CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
SECRET = "gcp:secretmanager/getSecretVersion:getSecretVersion"  # noqa: S105 a function's name
ARGS: SelfManagedCertificateArgs = examples.arguments("SelfManagedCertificate")


def _deploy(deploy: Deploy, args: SelfManagedCertificateArgs = ARGS) -> Cloud:
    answers = {SECRET: {"secretData": "the key"}}
    return deploy(lambda: SelfManagedCertificate("cert", args), answers=answers)


def test_the_key_comes_from_the_secret_and_is_written_only(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.calls == [
        Call(SECRET, {"project": "acme-secrets", "secret": "tls", "version": "3"}, "")
    ]
    certificate = cloud.one(CERTIFICATE)
    assert certificate.inputs["selfManaged"] == {
        "pemCertificate": ARGS["chain_pem"],
        "pemPrivateKeyWo": "the key",
        "pemPrivateKeyWoVersion": "3",
    }
    assert "selfManaged" in certificate.secret_inputs


def test_a_renewed_certificate_is_another_one(deploy: Deploy):
    """So that the Gateway changes over before the old one goes."""
    old = _deploy(deploy).one(CERTIFICATE)
    new = _deploy(deploy, {**ARGS, "chain_pem": "renewed"}).one(CERTIFICATE)
    assert old.inputs["name"] != new.inputs["name"]


def test_a_certificate_for_every_region_is_global(deploy: Deploy):
    certificate = _deploy(deploy, {**ARGS, "location": "global"}).one(CERTIFICATE)
    assert certificate.inputs["scope"] == "ALL_REGIONS"


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        (
            {"chain_pem": "-----BEGIN PRIVATE KEY-----"},
            "chain_pem",
            "found a private key; allowed: certificates only; put the key into Secret Manager",
        ),
        (
            {"private_key": "projects/p/secrets/s/versions/latest"},
            "private_key",
            (
                "found 'projects/p/secrets/s/versions/latest'; allowed: the full name of a secret "
                "version in Secret Manager; write it like "
                "projects/acme-secrets/secrets/inference-tls/versions/3; the key itself never "
                "stands here"
            ),
        ),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], path: str, reason: str):
    args = cast("SelfManagedCertificateArgs", {**ARGS, **change})
    assert validate_self_managed_certificate(args).found == [
        {"property_path": path, "reason": reason}
    ]

"""PrivateCertificate: a regional certificate from a root of its own, with one grant."""

from typing import Any, cast

import pulumi
import pytest

from components.inference.private_certificate import (
    PrivateCertificate,
    PrivateCertificateArgs,
    validate_private_certificate,
)
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

POOL = "gcp:certificateauthority/caPool:CaPool"
AUTHORITY = "gcp:certificateauthority/authority:Authority"
GRANT = "gcp:certificateauthority/caPoolIamMember:CaPoolIamMember"
ISSUANCE = "gcp:certificatemanager/certificateIssuanceConfig:CertificateIssuanceConfig"
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"

ARGS: PrivateCertificateArgs = examples.arguments("PrivateCertificate")


def _with(**changes: Any) -> PrivateCertificateArgs:
    return cast("PrivateCertificateArgs", {**ARGS, **changes})


def _deploy(deploy: Deploy, args: PrivateCertificateArgs = ARGS) -> Cloud:
    answers = {AUTHORITY: {"pemCaCertificates": ["-----BEGIN CERTIFICATE-----"]}}
    return deploy(lambda: PrivateCertificate("cert", args), answers=answers)


def test_everything_is_in_the_region(deploy: Deploy):
    cloud = _deploy(deploy)
    for type_ in (POOL, AUTHORITY, ISSUANCE, CERTIFICATE):
        assert cloud.one(type_).inputs["location"] == "us-central1"


def test_certificate_is_issued_by_the_pool_and_renews(deploy: Deploy):
    cloud = _deploy(deploy)
    issuance = cloud.one(ISSUANCE)
    assert cloud.one(CERTIFICATE).inputs["managed"] == {
        "domains": ["inference.dev.acme.internal"],
        "issuanceConfig": issuance.id,
    }
    service = issuance.inputs["certificateAuthorityConfig"]["certificateAuthorityServiceConfig"]
    assert service == {"caPool": cloud.one(POOL).id}
    assert issuance.inputs["lifetime"] == "2592000s"
    assert issuance.inputs["rotationWindowPercentage"] == 34


def test_certificate_waits_for_the_root_and_the_grant(deploy: Deploy):
    cloud = _deploy(deploy)
    certificate = cloud.one(CERTIFICATE)
    assert cloud.requires(certificate, cloud.one(AUTHORITY))
    assert cloud.requires(certificate, cloud.one(GRANT))


def test_service_agent_may_request_from_this_pool_only(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.one(GRANT).inputs == {
        "caPool": cloud.one(POOL).id,
        "role": "roles/privateca.certificateRequester",
        "member": f"serviceAccount:{ARGS['service_agent_email']}",
    }


def test_root_signs_servers_and_nothing_below(deploy: Deploy):
    authority = _deploy(deploy).one(AUTHORITY).inputs
    assert authority["type"] == "SELF_SIGNED"
    assert authority["keySpec"] == {"algorithm": "EC_P256_SHA256"}
    assert authority["config"]["x509Config"] == {
        "caOptions": {"isCa": True, "zeroMaxIssuerPathLength": True},
        "keyUsage": {
            "baseKeyUsage": {"certSign": True, "crlSign": True},
            "extendedKeyUsage": {"serverAuth": True},
        },
    }
    assert authority["lifetime"] == "315360000s"


@pytest.mark.parametrize("protected", [True, False])
def test_protection_decides_whether_deletion_is_immediate(deploy: Deploy, protected: bool):
    authority = _deploy(deploy, _with(deletion_protection=protected)).one(AUTHORITY).inputs
    assert authority["deletionProtection"] is protected
    assert authority["skipGracePeriod"] is not protected
    assert authority["ignoreActiveCertificatesOnDeletion"] is not protected


def test_authority_is_protected_by_default(deploy: Deploy):
    assert _deploy(deploy).one(AUTHORITY).inputs["deletionProtection"] is True


def test_an_authority_revokes_nothing_and_lasts_ten_years(deploy: Deploy):
    cloud = _deploy(deploy)
    assert cloud.one(POOL).inputs["tier"] == "DEVOPS"
    assert cloud.one(POOL).inputs["publishingOptions"]["publishCrl"] is False
    assert cloud.one(AUTHORITY).inputs["lifetime"] == "315360000s"


def test_outputs(deploy: Deploy):
    cloud = _deploy(deploy)
    component = cloud.one("inference:index:PrivateCertificate")
    assert cloud.outputs[component.urn] == {
        "certificate_name": "cert-inference-dev-acme-internal",
        "certificate_id": cloud.one(CERTIFICATE).id,
        "ca_certificate_pem": "-----BEGIN CERTIFICATE-----",
    }
    assert len(cloud.children(component)) == len(cloud.resources) - 1


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        (
            {"domains": []},
            "domains",
            "found an empty list; allowed: one entry or more; give the gateway's host name",
        ),
    ],
)
def test_wrong_arguments_are_told(changes: dict[str, Any], path: str, reason: str):
    found = validate_private_certificate("cert", _with(**changes)).found
    assert found == [{"property_path": path, "reason": reason}]


def test_a_long_name_is_told(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError, match=r"name: found 'x{60}"):
        deploy(lambda: PrivateCertificate("x" * 60, ARGS))


def test_another_host_name_is_another_certificate(deploy: Deploy):
    """So that the Gateway changes over before the old certificate goes."""
    old = _deploy(deploy, ARGS).one(CERTIFICATE)
    new = _deploy(deploy, {**ARGS, "domains": ["other.acme.internal"]}).one(CERTIFICATE)
    assert old.inputs["name"] != new.inputs["name"]


def test_more_host_names_are_another_certificate(deploy: Deploy):
    domains = [*ARGS["domains"], "us-central1.inference.dev.acme.internal"]
    old, new = (_deploy(deploy, _with(**each)) for each in ({}, {"domains": domains}))
    assert old.one(CERTIFICATE).inputs["name"] != new.one(CERTIFICATE).inputs["name"]


def test_a_certificate_for_every_region_is_global_and_signed_in_the_region(deploy: Deploy):
    cloud = _deploy(deploy, _with(everywhere=True))
    certificate = cloud.one(CERTIFICATE)
    assert certificate.inputs["scope"] == "ALL_REGIONS"
    assert certificate.inputs["location"] == cloud.one(ISSUANCE).inputs["location"] == "global"
    for type_ in (POOL, AUTHORITY):
        assert cloud.one(type_).inputs["location"] == "us-central1"
    moved = _deploy(deploy, _with(everywhere=True, region="us-east4"))
    for type_ in (ISSUANCE, CERTIFICATE):
        assert moved.one(type_).inputs["name"] != cloud.one(type_).inputs["name"]

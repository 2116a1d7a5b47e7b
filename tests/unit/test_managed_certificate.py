"""ManagedCertificate: a publicly signed certificate, proven by a record of the project's own."""

from typing import Any, cast

import pytest

from components.inference.managed_certificate import (
    ManagedCertificate,
    ManagedCertificateArgs,
    validate_managed_certificate,
)
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

AUTHORIZATION = "gcp:certificatemanager/dnsAuthorization:DnsAuthorization"
CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
RECORD = "gcp:dns/recordSet:RecordSet"
ARGS: ManagedCertificateArgs = examples.arguments("ManagedCertificate")
WITHOUT_ZONE: ManagedCertificateArgs = {
    "project": "acme",
    "location": "us-central1",
    "domains": ["llm.acme.com"],
}
PROOF = {"name": "_acme-challenge.llm.acme.com.", "type": "CNAME", "data": "1.authorize.goog."}
ANSWERS = {AUTHORIZATION: {"dnsResourceRecords": [PROOF]}}


def _deploy(deploy: Deploy, args: ManagedCertificateArgs = ARGS) -> Cloud:
    return deploy(lambda: ManagedCertificate("cert", args), answers=ANSWERS)


def test_the_domain_is_proven_by_a_record_of_the_project(deploy: Deploy):
    cloud = _deploy(deploy)
    authorization = cloud.one(AUTHORIZATION)
    assert authorization.inputs["type"] == "PER_PROJECT_RECORD"
    assert authorization.inputs["location"] == "us-central1"
    assert authorization.inputs["domain"] == "llm.acme.com"
    record = cloud.one(RECORD).inputs
    assert (record["project"], record["managedZone"]) == ("acme-dns", "acme-com")
    assert (record["name"], record["type"]) == (PROOF["name"], PROOF["type"])
    assert record["rrdatas"] == [PROOF["data"]]


def test_the_certificate_is_of_the_region_and_comes_after_the_record(deploy: Deploy):
    cloud = _deploy(deploy)
    certificate = cloud.one(CERTIFICATE)
    assert certificate.inputs["managed"] == {
        "domains": ["llm.acme.com"],
        "dnsAuthorizations": [cloud.one(AUTHORIZATION).id],
    }
    assert certificate.inputs["location"] == "us-central1"
    assert "scope" not in certificate.inputs
    assert cloud.requires(certificate, cloud.one(RECORD))


def test_a_certificate_for_every_region_is_global(deploy: Deploy):
    certificate = _deploy(deploy, {**ARGS, "location": "global"}).one(CERTIFICATE)
    assert certificate.inputs["location"] == "global"
    assert certificate.inputs["scope"] == "ALL_REGIONS"


def test_without_a_zone_the_record_is_told(deploy: Deploy):
    cloud = _deploy(deploy, WITHOUT_ZONE)
    assert not cloud.all(RECORD)
    top = cloud.one("inference:index:ManagedCertificate")
    assert cloud.outputs[top.urn]["records"] == {
        "llm.acme.com": "_acme-challenge.llm.acme.com. CNAME 1.authorize.goog."
    }


def test_other_domains_are_another_certificate(deploy: Deploy):
    old = _deploy(deploy).one(CERTIFICATE)
    new = _deploy(deploy, {**ARGS, "domains": ["llm.acme.com", "b.acme.com"]}).one(CERTIFICATE)
    assert old.inputs["name"] != new.inputs["name"]


@pytest.mark.parametrize(
    ("args", "path", "reason"),
    [
        (
            {**ARGS, "domains": []},
            "domains",
            "found an empty list; allowed: one entry or more; give the gateway's host name",
        ),
        (
            {**WITHOUT_ZONE, "zone_project": "acme-dns"},
            "zone_project",
            "found a project without a zone; allowed: both or none; give zone",
        ),
    ],
)
def test_wrong_arguments_are_named(args: dict[str, Any], path: str, reason: str):
    problems = validate_managed_certificate(cast("ManagedCertificateArgs", args))
    assert problems.found == [{"property_path": path, "reason": reason}]

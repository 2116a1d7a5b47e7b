"""ImageAdmission: what nobody attested to does not run, but for what is named."""

from typing import cast

import pulumi
import pytest

from components.project.image_admission import ImageAdmission, ImageAdmissionArgs
from tests.unit.harness import Deploy

POLICY = "gcp:binaryauthorization/policy:Policy"
ARGS: ImageAdmissionArgs = {
    "project": "acme-test",
    "attestors": ["projects/acme-test/attestors/scanned", "projects/acme-ci/attestors/reviewed"],
    "exempt": {"b": "docker.io/vllm/vllm-openai:v1", "a": "us-docker.pkg.dev/acme/tools/**"},
}


def test_what_every_attestor_attested_to_runs_and_nothing_else(deploy: Deploy):
    policy = deploy(lambda: ImageAdmission("inference", ARGS)).one(POLICY).inputs
    assert policy["defaultAdmissionRule"] == {
        "evaluationMode": "REQUIRE_ATTESTATION",
        "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
        "requireAttestationsBies": list(ARGS["attestors"]),
    }


def test_named_images_and_those_of_gke_are_exempt(deploy: Deploy):
    policy = deploy(lambda: ImageAdmission("inference", ARGS)).one(POLICY).inputs
    assert policy["globalPolicyEvaluationMode"] == "ENABLE"
    patterns = [each["namePattern"] for each in policy["admissionWhitelistPatterns"]]
    assert patterns == ["us-docker.pkg.dev/acme/tools/**", "docker.io/vllm/vllm-openai:v1"]


@pytest.mark.parametrize("pattern", ["**", "docker.io/*", "*.pkg.dev/acme/**", "docker.io/a/*/b"])
def test_a_whole_registry_is_never_exempt(deploy: Deploy, pattern: str):
    args = cast("ImageAdmissionArgs", {**ARGS, "exempt": {"all": pattern}})
    with pytest.raises(pulumi.InputPropertiesError, match=r"exempt.all: found"):
        deploy(lambda: ImageAdmission("inference", args))

"""Binary Authorization: whether a project's policy lets an image run.

https://cloud.google.com/binary-authorization/docs/reference/rest/v1/Policy
"""

import re
from typing import Final

from sandbox.gcp.repositories import is_known
from sandbox.values import Values, as_list, is_map
from sandbox.world import World

POLICY: Final = "gcp:binaryauthorization/policy:Policy"


def attestation(image: str, attestor: str) -> str:
    """Return what a world keeps of an attestor's word for an image."""
    return f"{image} attested by {attestor}"


def refusal(world: World, project: str, inputs: Values, image: str) -> str:
    """Return why the policy that a service or job of Cloud Run asks does not authorize an image, or
    ''."""
    asks = inputs.get("binaryAuthorization")
    if not is_map(asks) or asks.get("useDefault") is not True:
        return ""
    said = denial(world, project, image)
    return f"Container image '{image}' is not authorized by policy. {said}" if said else ""


def denial(world: World, project: str, image: str) -> str:
    """Return why the project's policy denies an image, or ''.

    Nothing is known of what was attested to outside this world's repositories.
    """
    policy = world.get(POLICY, f"projects/{project}")
    if policy is None:
        return ""
    patterns = as_list(policy.inputs.get("admissionWhitelistPatterns", []))
    if any(_matches(str(each.get("namePattern")), image) for each in patterns if is_map(each)):
        return ""
    rule = policy.inputs.get("defaultAdmissionRule")
    if not is_map(rule) or rule.get("enforcementMode") != "ENFORCED_BLOCK_AND_AUDIT_LOG":
        return ""
    said = f"Image {image} denied by Binary Authorization default admission rule."
    if rule.get("evaluationMode") == "ALWAYS_DENY":
        return f"{said} Denied by always_deny admission rule."
    if rule.get("evaluationMode") != "REQUIRE_ATTESTATION" or not is_known(world, image):
        return ""
    for attestor in map(str, as_list(rule.get("requireAttestationsBies", []))):
        name = attestor if "/" in attestor else f"projects/{project}/attestors/{attestor}"
        if not world.has_content(attestation(image, name)):
            return (
                f"{said} Image {image} denied by {name}: No attestations found that were valid "
                "and signed by a key trusted by the attestor."
            )
    return ""


def _matches(pattern: str, image: str) -> bool:
    start = pattern.rstrip("*")
    rest = {0: "", 1: "[^/]*"}.get(len(pattern) - len(start), ".*")
    return re.fullmatch(f"{re.escape(start)}{rest}", image) is not None

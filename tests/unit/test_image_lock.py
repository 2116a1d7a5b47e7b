"""Images that are locked go out by their digest; prod's rule finds the one that isn't."""

from dataclasses import replace
from pathlib import Path

import pytest

from catalog.config_folder import VARIABLE
from config.image_lock import lock_file
from config.load import from_file
from launcher.image_lock import write_lock
from policies.engine.environment import ENVIRONMENTS, settings_of
from resources.images import images
from stacks.platform import build_platform
from tests.unit.harness import Deploy
from tests.unit.judged import refused, seen

ROOT = Path(__file__).parents[2]
RULE = "sup-image-digest"
DIGEST = f"sha256:{'a' * 64}"
SPARE = "registry.k8s.io/gateway-api-inference-extension/bbr:v1.5.0"


def test_all_run_by_their_digest_and_one_that_is_not_locked_is_refused(
    deploy: Deploy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    platform = from_file(ROOT / "Pulumi.prod.yaml")
    wanted = [image for image in platform.all_images if image != SPARE]
    write_lock(lock_file("prod"), "prod", dict.fromkeys(wanted, DIGEST))
    cloud = deploy(lambda: build_platform(platform))
    made = seen(cloud)
    run = {image for each in made for _, image in images(each.alone)}
    assert len(run) > 8
    lacking = {str(image) for image in run if not str(image).endswith(f"@{DIGEST}")}
    assert {image.rpartition("/")[2] for image in lacking} == {"bbr:v1.5.0"}
    monkeypatch.delenv(VARIABLE)
    settings = dict(settings_of(ENVIRONMENTS / "prod.yaml"))
    settings[RULE] = replace(settings[RULE], level="mandatory")
    found = [text for rule, text in refused(made, settings) if rule == RULE]
    assert found
    assert all("router" in text for text in found), found
    # What is exempt from attestations is so by the very digest that runs.
    policy = cloud.one("gcp:binaryauthorization/policy:Policy").inputs
    patterns = {each["namePattern"] for each in policy["admissionWhitelistPatterns"]}
    assert {image for image in run if "docker-hub" in str(image)} <= patterns

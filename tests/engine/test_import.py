"""What is there already is taken over, on the real engine: never replaced, and protected."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from launcher import operations
from launcher.outcome import may_be_there, to_take_over
from launcher.paths import ROOT
from launcher.problem import LaunchError
from sandbox.errors import google, missing
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")

EXAMPLE = re.compile(r"^```yaml\n# import.dev.yaml\n(.+?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def dev(
    brought_up: Callable[[str], Rehearsal], rehearsal_of: Callable[[str], Rehearsal]
) -> Rehearsal:
    """Give an environment that isn't made; what the page takes over is there as dev makes it."""
    made, dev = brought_up("dev"), rehearsal_of("dev")
    (text,) = EXAMPLE.findall((ROOT / "docs" / "existing.md").read_text())
    dev.places.imports.write_text(text)
    ids: Mapping[str, Mapping[str, str]] = yaml.safe_load(text)["import"]
    wanted = {id_ for names in ids.values() for id_ in names.values()}
    there: dict[str, list[dict[str, Any]]] = {}
    for each in made.resources():
        if each.get("id") in wanted and each["type"].startswith("gcp:"):
            there.setdefault(each["type"], []).append(each["inputs"])
    assert len(there) == len(wanted)
    dev.add_existing(**there)
    return dev


def describe(stack: Rehearsal, type_: str, **inputs: Any) -> None:
    """Let what is there of a type have other inputs."""
    document = yaml.safe_load(stack.places.existing.read_text())
    document["existing"][type_][0].update(inputs)
    stack.places.existing.write_text(yaml.safe_dump(document))


def signs(printed: str) -> set[tuple[str, str]]:
    """Return what isn't made, as sign and name."""
    return set(re.findall(r"^  ([=~±-]) +\d+  \S+:(\w+  \S+)", printed, re.MULTILINE))


def test_what_the_cloud_misses_may_be_told_in_the_file(dev: Rehearsal) -> None:
    told = may_be_there(dev.places, str(missing("projects/acme/secrets/key")))
    assert "sandbox.dev.yaml" in told
    assert not may_be_there(dev.places, "another error")


def test_what_a_stack_left_is_named_to_be_taken_over(dev: Rehearsal) -> None:
    ring = "projects/acme/locations/global/keyRings/inference-global"
    there = str(google(409, f"The resource '{ring}' already exists", "alreadyExists"))
    told = to_take_over(dev.places, there)
    assert "import.dev.yaml" in told
    assert "encryption.keys of Pulumi.dev.yaml" in told
    assert "encryption" not in to_take_over(dev.places, there.replace("keyRings", "topics"))
    assert not to_take_over(dev.places, "another error")


def test_what_would_be_replaced_is_refused_before_anything_is_done(dev: Rehearsal) -> None:
    network = "gcp:compute/network:Network"
    describe(dev, network, description="of others")
    with pytest.raises(
        LaunchError, match=r"import\.dev\.yaml: .*inference-network.* found what differs"
    ):
        operations.take_over(dev.places)
    assert dev.resources() == []
    describe(dev, network, description=None)


def test_it_is_taken_over_with_its_differences_shown(
    dev: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(dev, "gcp:storage/bucket:Bucket", versioning={"enabled": True})
    operations.take_over(dev.places)
    previewed, _, done = capsys.readouterr().out.partition("up of dev")
    assert "versioning.enabled true → false" in previewed
    for printed in (previewed, done):
        assert signs(printed) == {
            ("=", "Network  inference-network"),
            ("=", "Subnetwork  inference-us-central1-nodes"),
            ("=", "Cluster  inference-us-central1-cluster"),
            ("=", "Bucket  training-lake-bucket"),
            ("~", "Bucket  training-lake-bucket"),
            ("=", "Dataset  inference-dataset"),
        }
    with pytest.raises(LaunchError, match="dev has 5 protected resources"):
        operations.destroy(dev.places)


def test_from_then_on_it_is_the_stacks_own(
    dev: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.up(dev.places, skip_preview=True)
    assert "Nothing changed." in capsys.readouterr().out
    assert not [each["urn"] for each in dev.resources() if each.get("protect")]

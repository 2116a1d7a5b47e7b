"""Encrypted data and a model on Vertex AI, from an edited config, on the real engine."""

from collections.abc import Callable
from typing import Any

import pytest

from catalog.encryption import encrypted
from launcher import operations
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")

KEY = "projects/acme-keys/locations/us-central1/keyRings/data/cryptoKeys/one"
VERTEX = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"


def more(config: dict[str, Any]) -> None:
    """Add a key for all data and others for the rest, a cache, and an endpoint of Vertex AI."""
    config["services"] = {}
    config["encryption"] = {"rotation_days": 30}
    data = config["data"]
    data["lake"]["training"]["kms_key"] = KEY
    data["warehouse"]["inference"]["kms_key"] = KEY
    data["warehouse"]["inference"]["views"] = {
        "models": {
            "query": "SELECT model FROM {predictions}",
            "readers": ["group:finance@acme.com"],
        }
    }
    data["cache"] = {
        "region": "us-central1",
        "range": "10.22.0.0/24",
        "readers": ["group:chat@acme.com"],
    }
    config["vertex"] = {
        "gemma": {
            "region": "us-central1",
            "model": "google/gemma-3-4b-it",
            "machine_type": "g2-standard-12",
            "spot": True,
        }
    }


@pytest.fixture(scope="module")
def stack(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    rehearsal = rehearsal_of("dev")
    rehearsal.edit(more)
    operations.up(rehearsal.places, skip_preview=True)
    return rehearsal


def test_one_key_is_granted_once_to_each_service(stack: Rehearsal) -> None:
    found = stack.resources("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    grants = [grant for grant in found if grant["inputs"]["cryptoKeyId"] == KEY]
    assert len({grant["inputs"]["member"] for grant in grants}) == len(grants) == 2


def test_nothing_that_takes_a_key_goes_without(stack: Rehearsal) -> None:
    takes = [each for each in stack.resources() if each["type"] in encrypted()]
    assert {"gcp:container/cluster:Cluster", "gcp:secretmanager/secret:Secret"} <= {
        each["type"] for each in takes
    }
    assert [each["urn"] for each in takes if "/cryptoKeys/" not in str(each["inputs"])] == []


def test_the_password_is_nowhere_in_clear(stack: Rehearsal) -> None:
    (instance,) = stack.resources("gcp:redis/instance:Instance")
    (version,) = stack.resources("gcp:secretmanager/secretVersion:SecretVersion")
    assert "ciphertext" in instance["outputs"]["authString"]
    assert "ciphertext" in version["inputs"]["secretDataWo"]
    assert "sandbox-auth-" not in stack.places.checkpoint.read_text()


def test_a_pipeline_uses_what_it_is_named_for_and_nothing_else(stack: Rehearsal) -> None:
    (runtime,) = (
        account["outputs"]["member"]
        for account in stack.resources("gcp:serviceaccount/account:Account")
        if account["urn"].endswith("::sentiment-run")
    )
    granted = {
        (resource["type"].split(":")[-1], resource["inputs"]["role"])
        for resource in stack.resources()
        if resource.get("inputs", {}).get("member") == runtime
    }
    assert granted == {
        ("BucketIAMMember", "roles/storage.objectCreator"),
        ("IamMember", "roles/bigquery.dataEditor"),
    }


def test_only_the_named_may_read_the_password(stack: Rehearsal) -> None:
    (grant,) = stack.resources("gcp:secretmanager/secretIamMember:SecretIamMember")
    assert grant["inputs"]["role"] == "roles/secretmanager.secretAccessor"
    assert grant["inputs"]["member"] == "group:chat@acme.com"


def test_the_endpoint_is_watched_by_its_number(stack: Rehearsal) -> None:
    (endpoint,) = stack.resources(VERTEX)
    number = endpoint["outputs"]["endpoint"].rpartition("/")[2]
    watching = [
        alert
        for alert in stack.resources("gcp:monitoring/alertPolicy:AlertPolicy")
        if number in str(alert["inputs"]["conditions"])
    ]
    assert len(watching) == 2


def test_a_second_preview_changes_nothing(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.preview(stack.places)
    assert "Nothing changes." in capsys.readouterr().out


def test_all_of_it_goes_again(stack: Rehearsal) -> None:
    """Runs last in this module."""
    operations.destroy(stack.places)
    assert stack.deployment().get("resources", []) == []

"""The whole life of each environment on the real engine: made, unchanged, changed, gone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from launcher import operations
from launcher.paths import ROOT
from launcher.problem import LaunchError
from sandbox.world import World
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(scope="module", params=["dev", "prod"])
def stack(request: pytest.FixtureRequest, brought_up: Callable[[str], Rehearsal]) -> Rehearsal:
    return brought_up(request.param)


def referring(stack: Rehearsal) -> None:
    """Let alerts go to PagerDuty too, with the key and the config of docs/existing.md."""
    document = (ROOT / "docs" / "existing.md").read_text()
    blocks = dict(re.findall(r"^```yaml\n# (\S+)\n(.+?)^```", document, re.M | re.S))
    stack.places.existing.write_text(blocks["sandbox.prod.yaml"])
    pager = yaml.safe_load(blocks["Pulumi.prod.yaml"])["alerts"]["notify"]
    stack.edit(lambda given: given["alerts"]["notify"].update(pager))


@pytest.mark.parametrize(
    ("stack", "touched"),
    [
        ("dev", {"Subscription": "~"}),
        ("prod", {"Subscription": "~", "NotificationChannel": "+", "AlertPolicy": "~"}),
    ],
    indirect=["stack"],
)
def test_a_change_touches_what_it_names_alone(
    stack: Rehearsal, touched: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    def longer(config: dict[str, Any]) -> None:
        config["pipelines"]["sentiment"]["ack_deadline_seconds"] = 300

    stack.edit(longer)
    if stack.places.stack == "prod":
        referring(stack)
    operations.up(stack.places)
    lines = re.findall(r"^  (\S) +\d+  \S+:(\w+)  ", capsys.readouterr().out, re.M)
    assert {name: sign for sign, name in lines} == touched


@pytest.mark.parametrize("stack", ["dev"], indirect=True)
def test_a_second_preview_changes_nothing(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.preview(stack.places)
    printed = capsys.readouterr().out
    assert "Nothing changes." in printed
    assert "NVIDIA_L4_GPUS  " in printed


def test_a_second_up_says_that_nothing_changed_and_what_is_there(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    # On dev with the preview before it, as users run it.
    operations.up(stack.places, skip_preview=stack.places.stack == "prod")
    printed = capsys.readouterr().out
    assert "Nothing changed." in printed
    assert re.search(r"gcp:container +\d Cluster, \d NodePool", printed)
    assert "USD" in printed
    assert "0 violations" in printed
    assert str(stack.places.state) in printed
    if stack.places.stack == "dev":
        assert [line for line in end_of_up_in_readme() if f"\n{line}" not in printed] == []


def end_of_up_in_readme() -> list[str]:
    """Return what README.md shows of an `up` of dev after its progress; lines it cuts end at the
    cut."""
    block = (ROOT / "README.md").read_text().partition("<!-- up -->")[2].partition("```\n<!--")[0]
    start = block.index("\nResources of dev")
    lines = [line.removesuffix("...").rstrip() for line in block[start:].splitlines()]
    return [line for line in lines if line and not line.startswith(("State:", "Sandbox cloud:"))]


def test_a_refresh_finds_no_drift_in_what_was_just_made(
    stack: Rehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    operations.refresh(stack.places)
    assert "Nothing changed." in capsys.readouterr().out


def test_no_secret_is_in_the_state_in_clear(stack: Rehearsal) -> None:
    for resource in stack.resources("gcp:serviceaccount/key:Key"):
        pytest.fail(f"a key in the state: {resource['urn']}")
    assert stack.deployment()["secrets_providers"]["type"] == "passphrase"
    assert "made up" not in stack.places.checkpoint.read_text()


def test_every_consumer_endpoint_is_connected(stack: Rehearsal) -> None:
    endpoints = [
        resource
        for resource in stack.resources("gcp:compute/forwardingRule:ForwardingRule")
        if resource["outputs"].get("pscConnectionStatus")
    ]
    assert endpoints
    assert {rule["outputs"]["pscConnectionStatus"] for rule in endpoints} == {"ACCEPTED"}


def test_nobody_connects_before_the_guardrail_is_there(stack: Rehearsal) -> None:
    attachments = stack.resources("gcp:compute/serviceAttachment:ServiceAttachment")
    assert attachments
    for attachment in attachments:
        behind = [urn for urn in attachment["dependencies"] if "GCPTrafficExtension" in urn]
        assert len(behind) == 1


def test_gateways_go_before_their_cluster(stack: Rehearsal) -> None:
    """What GKE made for them would stay otherwise, and hold the network."""
    providers = {
        resource["urn"]: resource
        for resource in stack.deployment()["resources"]
        if resource["type"] == "pulumi:providers:kubernetes"
    }
    gateways = stack.resources("kubernetes:gateway.networking.k8s.io/v1:Gateway")
    assert gateways
    for gateway in gateways:
        needed = providers[gateway["provider"].rpartition("::")[0]]["dependencies"]
        assert [urn for urn in needed if "gcp:container/cluster:Cluster::" in urn]


def test_destroy_leaves_nothing(stack: Rehearsal) -> None:
    """Runs last in this module: protection is lifted first, as its owner would."""

    def unprotected(config: dict[str, Any]) -> None:
        config["deletion_protection"] = False

    stack.edit(unprotected)
    stack.allow_deletion()
    operations.up(stack.places, skip_preview=True)
    operations.destroy(stack.places)
    assert stack.deployment().get("resources", []) == []
    with World(stack.places.world) as world:
        assert world.count() == 0
        assert len(world.all()) == (2 if stack.places.existing.exists() else 0)
    for operation in (operations.demo, operations.replay):
        with pytest.raises(LaunchError, match="isn't there on the sandbox cloud any more"):
            operation(stack.places)

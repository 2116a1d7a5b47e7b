"""Every option on the real engine: made, found the same by a second preview, gone again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog import strict_yaml
from launcher import operations
from launcher.paths import ROOT
from launcher.recovery import unrecorded
from sandbox.world import EXISTING, World
from tests.config.intended import configured
from tests.config.matrix import COVERING, ENVIRONMENTS, stacks
from tests.engine.conftest import Rehearsal

pytestmark = pytest.mark.usefixtures("engine")
VERSIONS = 3
"""So many versions of a secret has one that others made: configs name the third."""
KEY = "projects/acme-keys/locations/us-central1/keyRings/shared/cryptoKeys/shared"
"""What others have encrypted with."""
KEPT = {"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"}
"""What Google Cloud never deletes, so that it stays for what it has encrypted."""
CASES = [
    pytest.param(each, number, marks=() if (each, number) in COVERING else pytest.mark.matrix)
    for each in ENVIRONMENTS
    for number in range(len(stacks(each)))
]


@pytest.mark.parametrize(("environment", "number"), CASES)
def test_a_stack_is_made_stays_as_it_is_and_goes(
    environment: str, number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = stacks(environment)[number]
    stack = rehearsal(environment, config, tmp_path)
    make_revisions(stack, config.get("services", {}))
    operations.up(stack.places, skip_preview=True)
    capsys.readouterr()
    operations.preview(stack.places)
    assert "Nothing changes." in capsys.readouterr().out
    if config.get("deletion_protection", True):
        stack.edit(lambda config: config.update(deletion_protection=False))
        operations.up(stack.places, skip_preview=True)
    operations.destroy(stack.places)
    assert stack.deployment().get("resources", []) == []
    with World(stack.places.world) as world:
        assert {each.type for each in world.all() if each.owner != EXISTING} <= KEPT
        assert unrecorded(stack.places, world) == []


def make_revisions(stack: Rehearsal, services: dict[str, Any]) -> None:
    """Make the revisions that shares of the traffic name, one after the other."""
    shared = {name: each["traffic"] for name, each in services.items() if each.get("traffic")}
    whole = stack.config.read_text()
    for index in range(max(map(len, shared.values()), default=0)):

        def change(config: dict[str, Any], index: int = index) -> None:
            for name, traffic in shared.items():
                service = config["services"][name]
                service["revision"] = traffic[min(index, len(traffic) - 1)]["revision"]
                del service["traffic"]

        stack.edit(change)
        operations.up(stack.places, skip_preview=True)
        stack.config.write_text(whole)


def rehearsal(environment: str, config: dict[str, Any], folder: Path) -> Rehearsal:
    """Return the rehearsal of a config, where the policies allow what its options ask for."""
    made = Rehearsal(environment, folder)
    own = {"pulumi:disable-default-providers": ["gcp", "kubernetes"]}
    made.config.write_text(json.dumps({"config": {**own, **config}}))
    rules = configured(environment, allowing=True)
    (folder / "environment.yaml").write_text(json.dumps({"rules": rules}))
    made.add_existing(**outside(config))
    return made


def outside(config: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return what a config refers to in its own project, and others made."""
    project = {"project": config["project"]["id"]}
    notified = config.get("alerts", {}).get("notify", {}).values()
    secrets = [each["pagerduty_secret"] for each in notified if "pagerduty_secret" in each]
    secrets += [
        each[way]["secret"] for each in notified for way in ("slack", "webhook") if way in each
    ]
    secrets += [name for name, each in config.get("secrets", {}).items() if each.get("existing")]
    messages = messages_of_others(config)
    gateway = config.get("gateway", {})
    certificates = gateway.get("certificate", {}).get("names", {})
    return {
        "secretmanager__Secret": [
            {**project, "secretId": each, "replication": {"auto": {}}} for each in secrets
        ],
        "secretmanager__SecretVersion": [
            {"secret": f"projects/{project['project']}/secrets/{each}", "secretData": "made up"}
            for each in secrets
            for _ in range(VERSIONS)
        ],
        "kubernetes:core/v1:Service": [
            {"metadata": {"name": name, "namespace": "inference"}, "spec": {}}
            for name in callouts(config)
        ],
        "storage__Bucket": [
            {**project, "name": "acme-models", "location": "US"},
            *messages.pop("storage__Bucket"),
        ],
        "certificatemanager__Certificate": [
            {
                **project,
                "name": name,
                "location": location,
                "managed": {"domains": [gateway["hostname"]]},
            }
            for location, name in certificates.items()
        ],
        **network_of_others(config),
        **messages,
    }


def network_of_others(config: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the network that a config names, with what it says is there of it."""
    network = config.get("network", {}).get("existing")
    if network is None:
        return {}
    project, name = network.split("/")[1], network.rpartition("/")[2]
    found: dict[str, list[dict[str, Any]]] = {
        "compute__Network": [{"project": project, "name": name}],
        "compute__Subnetwork": [],
        "compute__Router": [],
        "compute__RouterNat": [],
        "container__Cluster": [],
        "dns__ManagedZone": [],
    }
    if zone := config["network"].get("google_apis_zone"):
        parts = {"name": zone, "dnsName": "googleapis.com.", "visibility": "private"}
        found["dns__ManagedZone"].append({"project": project, **parts})
    purposes = {"proxy_only": "REGIONAL_MANAGED_PROXY", "psc_nat": "PRIVATE_SERVICE_CONNECT"}
    for region, each in config["regions"].items():
        there = each.get("existing", {})
        place = {"project": project, "region": region}
        if "subnetwork" in there:
            ranges = [
                {"rangeName": there.get(f"{kind}_range", kind), "ipCidrRange": each[kind]}
                for kind in ("pods", "services")
            ]
            nodes = {"name": there["subnetwork"], "ipCidrRange": each["nodes"]}
            nodes |= {"privateIpGoogleAccess": True, "secondaryIpRanges": ranges}
            found["compute__Subnetwork"].append({**place, "network": network, **nodes})
        for key, purpose in purposes.items():
            if key in there:
                subnet = {"name": there[key], "ipCidrRange": each[key], "purpose": purpose}
                found["compute__Subnetwork"].append({**place, "network": network, **subnet})
        if nat := there.get("nat"):
            router = {"name": nat["router"], "network": network}
            found["compute__Router"].append({**place, **router})
            gateway = {**nat, "natIpAllocateOption": "AUTO_ONLY"}
            gateway["sourceSubnetworkIpRangesToNat"] = "ALL_SUBNETWORKS_ALL_IP_RANGES"
            found["compute__RouterNat"].append({**place, **gateway})
        if "cluster" in there:
            found["container__Cluster"].append(cluster_of_others(config, region))
    return found


def messages_of_others(config: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the topics, buckets and datasets that pipelines name."""
    found: dict[str, list[dict[str, Any]]] = {
        "pubsub__Topic": [],
        "storage__Bucket": [],
        "bigquery__Dataset": [],
    }
    project, regions = config["project"]["id"], sorted(config["regions"])
    for each in config.get("pipelines", {}).values():
        there = each.get("existing", {})
        if topic := there.get("topic"):
            _, owner, _, name = topic.split("/")
            policy = {"allowedPersistenceRegions": regions}
            found["pubsub__Topic"].append(
                {"project": owner, "name": name, "messageStoragePolicy": policy, "kmsKeyName": KEY}
            )
        if bucket := there.get("archive_bucket"):
            found["storage__Bucket"].append(
                {
                    "project": project,
                    "name": bucket,
                    "location": each["region"].upper(),
                    "uniformBucketLevelAccess": True,
                    "publicAccessPrevention": "enforced",
                    "encryption": {"defaultKmsKeyName": KEY},
                }
            )
        if dataset := there.get("results_dataset"):
            found["bigquery__Dataset"].append(
                {
                    "project": project,
                    "datasetId": dataset,
                    "location": each["region"],
                    "defaultEncryptionConfiguration": {"kmsKeyName": KEY},
                }
            )
    return found


def cluster_of_others(config: dict[str, Any], region: str) -> dict[str, Any]:
    """Return the cluster that a region names, as that of the estate, with every option's need."""
    document: Any = strict_yaml.load((ROOT / "sandbox.estate.yaml").read_text())
    (like,) = document["existing"]["container.Cluster"]
    network, project = config["network"]["existing"], config["project"]["id"]
    there = config["regions"][region]["existing"]
    parent = network.removesuffix(f"/global/networks/{network.rpartition('/')[2]}")
    return {
        **like,
        "project": project,
        "location": region,
        "name": there["cluster"],
        "network": network,
        "subnetwork": f"{parent}/regions/{region}/subnetworks/{there['subnetwork']}",
        "ipAllocationPolicy": {
            "clusterSecondaryRangeName": there.get("pods_range", "pods"),
            "servicesSecondaryRangeName": there.get("services_range", "services"),
        },
        "workloadIdentityConfig": {"workloadPool": f"{project}.svc.id.goog"},
        "databaseEncryption": {"state": "ENCRYPTED", "keyName": KEY},
        "binaryAuthorization": {"evaluationMode": "PROJECT_SINGLETON_POLICY_ENFORCE"},
    }


def callouts(config: dict[str, Any]) -> list[str]:
    """Return the Services of others that the load balancer calls."""
    called = [config.get("api_management", {}).get("extension", {})]
    called += config.get("guardrails", {}).values()
    named = [each.get("service", {}) for each in called]
    named += [each.get("service", {}) for each in named if isinstance(each, dict)]
    return [each for each in named if isinstance(each, str)]

"""How clients get in, on the real engine: each kind of certificate, and a region that is lost."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from launcher import operations
from launcher.problem import LaunchError
from sandbox.gcp.functions import FOREIGN_SECRET
from sandbox.world import World
from tests.engine.conftest import Rehearsal
from tests.engine.plans import plan_of
from tests.stacks import models_alone

pytestmark = pytest.mark.usefixtures("engine")

CERTIFICATE = "gcp:certificatemanager/certificate:Certificate"
ATTACHMENT = "gcp:compute/serviceAttachment:ServiceAttachment"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
RECORD = "gcp:dns/recordSet:RecordSet"
KEY = "projects/acme-secrets/secrets/inference-tls/versions/3"
REGIONS = ("us-central1", "us-east4")
CERTIFICATES = "tests/config/certificates"


def gateway_of(config: dict[str, Any], **keys: Any) -> None:
    config["gateway"] = {**config["gateway"], **keys}


def shown_certificate(stack: Rehearsal) -> str:
    """Return the name of the certificate that the gateway shows its clients."""
    (gateway,) = stack.resources(GATEWAY)
    (listener,) = gateway["inputs"]["spec"]["listeners"]
    return listener["tls"]["options"]["networking.gke.io/cert-manager-certs"]


@pytest.fixture(scope="module")
def dev(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    rehearsal = rehearsal_of("dev")
    rehearsal.edit(models_alone)
    return rehearsal


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("other.pem", r"for llm\.other\.com, www\.other\.com; allowed: one for inference\.dev\."),
        ("expired.pem", r"holds from 2020-01-01 to 2021-01-01; allowed: one that holds today"),
    ],
)
def test_a_certificate_that_cannot_serve_stops_before_anything_is_made(
    dev: Rehearsal, file: str, reason: str
) -> None:
    wrong = {"kind": "self-managed", "chain_file": f"{CERTIFICATES}/{file}", "private_key": KEY}
    dev.edit(lambda config: gateway_of(config, certificate=wrong))
    place = rf"Pulumi\.dev\.yaml: gateway\.certificate\.chain_file: found '{CERTIFICATES}/{file}'"
    with pytest.raises(LaunchError, match=rf"{place}.* {reason}"):
        operations.up(dev.places)
    assert not dev.places.checkpoint.exists()


def test_an_own_certificate_is_shown_and_its_key_is_written_only(dev: Rehearsal) -> None:
    own = {"kind": "self-managed", "chain_file": f"{CERTIFICATES}/dev.pem", "private_key": KEY}
    dev.edit(lambda config: gateway_of(config, certificate=own))
    operations.up(dev.places, skip_preview=True)
    (certificate,) = dev.resources(CERTIFICATE)
    assert shown_certificate(dev) == certificate["outputs"]["name"]
    assert "pemPrivateKeyWo" not in certificate["outputs"]["selfManaged"]
    assert not dev.resources("gcp:certificateauthority/authority:Authority")
    kept = [path for path in dev.places.state.rglob("*") if path.is_file()]
    assert dev.places.checkpoint in kept
    assert not [path for path in kept if FOREIGN_SECRET.encode() in path.read_bytes()]


def test_a_managed_certificate_is_proven_in_the_zone_and_takes_over(dev: Rehearsal) -> None:
    managed = {"kind": "managed", "zone": "acme-com", "zone_project": "acme-dns"}
    dev.edit(
        lambda config: gateway_of(
            config, certificate=managed, hostname="inference.dev.acme.com", regional_names=True
        )
    )
    dev.limit("data-destinations", projects=["acme-inference-dev", "acme-dns"])
    operations.up(dev.places, skip_preview=True)
    (certificate,) = dev.resources(CERTIFICATE)
    assert shown_certificate(dev) == certificate["outputs"]["name"]
    authorizations = dev.resources("gcp:certificatemanager/dnsAuthorization:DnsAuthorization")
    assert {each["inputs"]["type"] for each in authorizations} == {"PER_PROJECT_RECORD"}
    wanted_names = {"inference.dev.acme.com", "us-central1.inference.dev.acme.com"}
    assert set(certificate["inputs"]["managed"]["domains"]) == wanted_names
    assert {each["inputs"]["domain"] for each in authorizations} == wanted_names
    assert set(certificate["inputs"]["managed"]["dnsAuthorizations"]) == {
        each["id"] for each in authorizations
    }
    records = [each["inputs"] for each in dev.resources(RECORD)]
    proofs = [each for each in records if each["name"].startswith("_acme-challenge")]
    wanted = [each["outputs"]["dnsResourceRecords"][0] for each in authorizations]
    assert {(each["name"], *each["rrdatas"]) for each in proofs} == {
        (each["name"], each["data"]) for each in wanted
    }
    assert {(each["project"], each["managedZone"]) for each in proofs} == {("acme-dns", "acme-com")}


def test_an_existing_certificate_is_only_named(dev: Rehearsal) -> None:
    place = {"project": "acme-inference-dev", "location": "us-central1"}
    theirs = {**place, "name": "made-by-others", "managed": {"domains": ["inference.dev.acme.com"]}}
    dev.add_existing(certificatemanager__Certificate=[theirs])
    existing = {"kind": "existing", "names": {"us-central1": "made-by-others"}}
    dev.edit(lambda config: gateway_of(config, certificate=existing))
    operations.up(dev.places, skip_preview=True)
    assert shown_certificate(dev) == "made-by-others"
    assert not dev.resources(CERTIFICATE)


def test_a_consumer_can_be_accepted_by_its_network_alone(dev: Rehearsal) -> None:
    dev.edit(lambda config: gateway_of(config, accept="network"))
    operations.up(dev.places, skip_preview=True)
    (attachment,) = dev.resources(ATTACHMENT)
    (accepted,) = attachment["inputs"]["consumerAcceptLists"]
    assert accepted["networkUrl"] == "projects/acme-inference-dev/global/networks/apps"
    assert "projectIdOrNum" not in accepted
    endpoints = [
        each["outputs"]["pscConnectionStatus"]
        for each in dev.resources("gcp:compute/forwardingRule:ForwardingRule")
    ]
    assert "ACCEPTED" in endpoints
    assert "PENDING" not in endpoints


@pytest.fixture(scope="module")
def prod(rehearsal_of: Callable[[str], Rehearsal]) -> Rehearsal:
    """Made once, unprotected before a region goes, with one model of each kind alone."""
    rehearsal = rehearsal_of("prod")
    rehearsal.edit(models_alone)
    rehearsal.edit(few)
    rehearsal.allow_deletion()
    operations.up(rehearsal.places, skip_preview=True)
    return rehearsal


def few(config: dict[str, Any]) -> None:
    """Leave a model with adapters and one of Vertex AI, and the pool that it runs on."""
    kept = ("llama-3.1-8b", "google/gemini-2.5-flash")
    config["models"] = {name: config["models"][name] for name in kept}
    config["gpu_pools"] = {"l4": config["gpu_pools"]["l4"]}
    del config["slos"]["services"], config["alerts"]["models"]
    config["deletion_protection"] = False


def without(region: str) -> Callable[[dict[str, Any]], None]:
    """Take a region out of the config, with all that is there alone."""

    def change(config: dict[str, Any]) -> None:
        del config["regions"][region]
        for consumer in config["consumers"].values():
            consumer.get("subnets", {}).pop(region, None)
            consumer.get("failover", {}).get("proxy_only", {}).pop(region, None)

    return change


GONE = frozenset({"delete"})
# What both regions share, and a region's loss changes in place.
SHARED = {
    ("gcp:compute/backendService:BackendService", "inference-apps-frontend-service"): {"update"},
    # Each region's mirrors are exempt by their names.
    ("gcp:binaryauthorization/policy:Policy", "inference-admission"): {"update"},
    ("gcp:dns/recordSet:RecordSet", "inference-apps-record"): {"update"},
    # Routes are learned in one region then.
    ("gcp:compute/network:Network", "inference-network"): {"update"},
    ("gcp:compute/network:Network", "apps-network"): {"update"},
    # Messages rest in the regions there are.
    ("gcp:pubsub/topic:Topic", "inference-incidents-topic"): {"update"},
}


def test_prod_answers_with_the_nearest_region_that_works(prod: Rehearsal) -> None:
    records = {each["inputs"]["name"]: each["inputs"] for each in prod.resources(RECORD)}
    geos = records["inference.acme.internal."]["routingPolicy"]["geos"]
    assert [geo["location"] for geo in geos] == list(REGIONS)
    for geo in geos:
        (target,) = geo["healthCheckedTargets"]["internalLoadBalancers"]
        assert target["loadBalancerType"] == "globalL7ilb"
        assert "rrdatas" not in geo
    (service,) = prod.resources("gcp:compute/backendService:BackendService")
    assert len(service["inputs"]["backends"]) == len(REGIONS)
    assert service["inputs"]["outlierDetection"]
    assert {f"{region}.inference.acme.internal." for region in REGIONS} < records.keys()


def test_the_load_balancer_is_open_to_every_region_before_it_is_published(prod: Rehearsal) -> None:
    """Global access given later never reaches a service attachment."""
    known = {each["urn"]: each for each in prod.resources()}
    attachments = prod.resources(ATTACHMENT)
    assert len(attachments) == len(REGIONS)
    for attachment in attachments:
        region = attachment["inputs"]["region"]
        (policy,) = (
            urn for urn in known if "GCPGatewayPolicy" in urn and urn.endswith(f"{region}-policy")
        )
        assert policy in behind(known, attachment["urn"])
    with World(prod.places.world) as world:
        rules = [
            rule.outputs
            for rule in world.by_type("gcp:compute/forwardingRule:ForwardingRule")
            if rule.outputs["loadBalancingScheme"] == "INTERNAL_MANAGED"
        ]
    assert [(rule["portRange"], rule["allowGlobalAccess"]) for rule in rules] == [
        ("443-443", True)
    ] * len(REGIONS)


def behind(known: Mapping[str, dict[str, Any]], urn: str) -> set[str]:
    """Return all that had to be there before a resource."""
    found: set[str] = set()
    waiting = [urn]
    while waiting:
        for earlier in known.get(waiting.pop(), {}).get("dependencies", ()):
            if earlier not in found:
                found.add(earlier)
                waiting.append(earlier)
    return found


def plan_without(stack: Rehearsal, lost: str) -> dict[tuple[str, str], Any]:
    """Return what is planned when a region leaves the config, by type and name.

    What is deleted because it is in that region is left out.
    """
    before = stack.config.read_text()
    stack.edit(without(lost))
    try:
        plan = plan_of(stack.places)
    finally:
        stack.config.write_text(before)
    found: dict[tuple[str, str], Any] = {}
    for urn, steps in plan.items():
        _, types, name = urn.rsplit("::", 2)
        if not (lost in name and steps == GONE):
            found[types.rpartition("$")[2], name] = steps
    return found


def test_losing_a_region_touches_nothing_of_the_other(prod: Rehearsal) -> None:
    assert plan_without(prod, "us-east4") == SHARED


def test_losing_the_first_region_only_moves_the_authority_of_the_frontend(prod: Rehearsal) -> None:
    """What is the other region's own stays."""
    plan = plan_without(prod, "us-central1")
    assert not [name for _, name in plan if "us-east4" in name]
    moved = {name for _, name in plan if name.startswith("inference-global-")}
    assert moved == {
        f"inference-global-{part}"
        for part in ("pool", "root", "requester", "issuance", "certificate")
    }
    rest = {key: steps for key, steps in plan.items() if key[1] not in moved}
    proxy = ("gcp:compute/targetHttpsProxy:TargetHttpsProxy", "inference-apps-frontend-proxy")
    assert rest == {**SHARED, proxy: {"update"}}


def test_a_region_goes_and_comes_back(prod: Rehearsal) -> None:
    before = prod.config.read_text()
    count = len(prod.resources())
    prod.edit(without("us-east4"))
    operations.up(prod.places, skip_preview=True)
    assert not [each["urn"] for each in prod.resources() if "us-east4" in each["urn"]]
    (service,) = prod.resources("gcp:compute/backendService:BackendService")
    assert len(service["inputs"]["backends"]) == 1
    prod.config.write_text(before)
    operations.up(prod.places, skip_preview=True)
    assert len(prod.resources()) == count
    assert plan_of(prod.places) == {}

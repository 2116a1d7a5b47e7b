"""Faults befall the calls that a plan says, and end as they do with the real provider."""

from collections.abc import Callable, Generator
from contextlib import ExitStack

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.faults import ALWAYS, FaultPlanError, Faults, Planned, known, read
from sandbox.providers import Servers, serve
from sandbox.values import to_struct
from sandbox.world import LEFT, World
from tests.sandbox.client import Client, RefusedError, connect, urn_of
from tests.sandbox.clusters import deployment, make_cluster

TOPIC = "gcp:pubsub/topic:Topic"
NETWORK = "gcp:compute/network:Network"
ALERT = "gcp:monitoring/notificationChannel:NotificationChannel"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
Cloud = Callable[..., tuple[Client, Faults]]


@pytest.fixture
def opened(world: World) -> Generator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def cloud(world: World, opened: ExitStack) -> Cloud:
    """Return a client of a cloud with such faults, and what befell its calls."""

    def begin(*plan: Planned) -> tuple[Client, Faults]:
        servers = opened.enter_context(serve(world, patience=0.2, faults=plan))
        client = opened.enter_context(connect(servers.ports["gcp"]))
        client.configure(project="acme", region="us-central1")
        client.enable("pubsub", "compute", "monitoring")
        return client, servers.faults

    return begin


def test_what_the_provider_asks_again_for_is_ridden_out(cloud: Cloud) -> None:
    client, faults = cloud(Planned("unavailable", type="pubsub.Topic"))
    client.create(TOPIC, {"name": "orders"})
    (told,) = faults.befallen
    assert (told.ending, told.requests, told.waited) == ("ridden out", 3, 0.5 + 1 + 1.5)


def test_a_limit_of_thirty_seconds_is_over_after_seven_requests(cloud: Cloud) -> None:
    client, faults = cloud(Planned("rate-limit", type="pubsub.*", verb="create"))
    client.create(TOPIC, {"name": "orders"})
    (told,) = faults.befallen
    assert told.ending == "ridden out"
    assert told.waited >= 30


def test_what_never_ends_fails_when_the_provider_gives_up(cloud: Cloud) -> None:
    client, faults = cloud(Planned("unavailable", type=TOPIC, times=ALWAYS))
    with pytest.raises(RefusedError, match="503"):
        client.create(TOPIC, {"name": "orders"})
    (told,) = faults.befallen
    assert told.ending == "failed"
    assert 600 < told.waited <= 1200


def test_what_fails_is_made_by_the_next_run_in_another_process(cloud: Cloud, world: World) -> None:
    plan = Planned("quota", name="it", type=TOPIC)
    client, faults = cloud(plan)
    with pytest.raises(RefusedError, match="quotaExceeded"):
        client.create(TOPIC, {"name": "orders"})
    assert "ask for more quota" in faults.befallen[0].person
    again, _ = cloud(plan)
    assert again.create(TOPIC, {"name": "orders"})[0] == "projects/acme/topics/orders"
    assert len(world.by_type(TOPIC)) == 1


def test_a_lost_answer_leaves_what_a_person_takes_over(cloud: Cloud, world: World) -> None:
    client, faults = cloud(Planned("dropped", type=TOPIC))
    with pytest.raises(RefusedError, match="already exists"):
        client.create(TOPIC, {"name": "orders"})
    (told,) = faults.befallen
    assert told.ending == "forgotten"
    assert "projects/acme/topics/orders" in told.person
    assert "make import" in told.person
    assert [each.owner for each in world.by_type(TOPIC)] == [LEFT]
    assert client.read(TOPIC, "projects/acme/topics/orders")[0]


def test_a_lost_answer_of_what_has_no_name_of_its_own_makes_two(cloud: Cloud, world: World) -> None:
    client, faults = cloud(Planned("dropped", type=ALERT))
    made, _ = client.create(ALERT, {"type": "email", "displayName": "it"})
    (told,) = faults.befallen
    assert told.ending == "twice"
    assert told.id != made
    assert told.id in told.person
    assert {each.id: each.owner for each in world.by_type(ALERT)} == {told.id: LEFT, made: "pulumi"}


def test_a_lost_answer_to_a_change_or_a_deletion_does_no_harm(cloud: Cloud, world: World) -> None:
    client, faults = cloud(
        Planned("dropped", verb="update"), Planned("dropped", verb="delete", type=TOPIC)
    )
    id_, made = client.create(TOPIC, {"name": "orders"})
    client.update(TOPIC, id_, made, {"name": "orders", "labels": {"a": "b"}})
    client.delete(TOPIC, id_)
    assert [each.ending for each in faults.befallen] == ["ridden out", "ridden out"]
    assert world.by_type(TOPIC) == []


def test_an_operation_that_is_waited_for_too_long_leaves_its_resource(
    cloud: Cloud, world: World
) -> None:
    client, _ = cloud(Planned("timeout", type="compute.Network"))
    with pytest.raises(RefusedError, match="timeout while waiting"):
        client.create(NETWORK, {"name": "n"})
    assert [each.owner for each in world.by_type(NETWORK)] == [LEFT]
    with pytest.raises(RefusedError, match="already exists"):
        client.create(NETWORK, {"name": "n"})


def test_pods_that_never_become_ready_stay_in_the_state(cloud: Cloud, world: World) -> None:
    client, faults = cloud(Planned("never-ready"))
    config = make_cluster(client, "one")
    servers = Servers(world, None, 0.2, faults)
    with servers, connect(servers.ports["kubernetes"]) as objects:
        objects.configure(kubeconfig=config)
        request = provider_pb2.CreateRequest(
            urn=urn_of(DEPLOYMENT, "it"), type=DEPLOYMENT, properties=to_struct(deployment())
        )
        with pytest.raises(grpc.RpcError) as raised:
            objects.stub.Create(request)
    details = {each.key: each.value for each in raised.value.trailing_metadata()}
    assert b"ErrorResourceInitFailed" in details["grpc-status-details-bin"]
    (told,) = faults.befallen
    assert told.ending == "kept"
    assert "kubectl describe" in told.person
    assert [each.owner for each in world.by_type(DEPLOYMENT)] == ["pulumi"]


def test_a_stockout_befalls_the_zone_it_names() -> None:
    pool = "gcp:container/nodePool:NodePool"
    plan = Planned("stockout", place="us-central1-a")
    there, elsewhere = (
        {"nodeLocations": ["us-central1-a", "us-central1-b"]},
        {"location": "us-east4"},
    )
    assert plan.matches("create", pool, urn_of(pool, "l4"), there)
    assert not plan.matches("create", pool, urn_of(pool, "l4"), elsewhere)
    assert not plan.matches("delete", pool, urn_of(pool, "l4"), there)


def test_the_second_call_is_the_first_to_be_befallen(cloud: Cloud) -> None:
    client, faults = cloud(Planned("quota", type=TOPIC, call=2))
    client.create(TOPIC, {"name": "one"})
    client.delete(TOPIC, "projects/acme/topics/one")
    with pytest.raises(RefusedError):
        client.create(TOPIC, {"name": "one"})
    assert len(faults.befallen) == 1


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], r"faults: found nothing; allowed: a list of faults"),
        ({"fault": []}, "fault: found an unknown key; allowed: faults; did you mean"),
        ({"faults": ["stockout"]}, r"faults\[0\]: found 'stockout'; allowed: a mapping"),
        ({"faults": [{"fault": "stokout"}]}, r"faults\[0\]\.fault: found 'stokout'.*did you mean"),
        (
            {"faults": [{"fault": "stockout", "verb": "delete"}]},
            r"faults\[0\]\.verb: found 'delete'; allowed: create",
        ),
        ({"faults": [{"fault": "quota", "times": 0}]}, r"times: found 0; allowed: a number from 1"),
        ({"faults": [{"fault": "quota", "cal": 1}]}, r"cal: found an unknown key"),
        (
            {"faults": [{"fault": "quota", "times": 1, "seconds": 2}]},
            r"seconds: found times beside it",
        ),
    ],
)
def test_a_mistake_in_a_plan_is_told_with_its_place(document: object, told: str) -> None:
    with pytest.raises(FaultPlanError, match=told):
        read(document)


@pytest.mark.parametrize("name", sorted(known()))
def test_every_fault_says_where_it_is_known_from(name: str) -> None:
    fault = known()[name]
    assert fault.source
    assert fault.ways.keys() <= {"gcp", "kubernetes"}

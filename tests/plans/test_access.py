"""Who gets which role on what, in words that a reviewer understands."""

import json
from typing import Any

import pytest

from plans.access import grants
from policies.access.grants import grant_type
from resources.resource import Resource, Stack
from sandbox.sdk_types import resource_type, tokens

FAMILY = [each for each in tokens("gcp") if grant_type(each)]
RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine says in a preview that a text isn't known yet."""
PUBLISHER = "roles/pubsub.publisher"
UNNAMED = {
    *("agent registry", "consumers", "environment", "location web", "tunnel", "web"),
    "web type compute",
}
"""What has no name of its own, or one that isn't called as it: the grant names it."""
APPS = "group:apps@acme.com"


def resource(token: str, name: str, props: dict[str, Any], **wired: str) -> Resource:
    """Return a resource whose properties come from others, each by its URN."""
    dependencies = {prop: (of,) for prop, of in wired.items()}
    urn = f"urn:pulumi:dev::inference::{token}::{name}"
    cluster = "urn:pulumi:dev::inference::pulumi:providers:kubernetes::main"
    provider = cluster if token.startswith("kubernetes:") else ""
    return Resource(token, name, urn, props, dependencies, provider=provider)


def told(*resources: Resource) -> set[str]:
    return {each.words for each in grants(Stack(resources))}


def granted(kind: str) -> dict[str, Any]:
    if kind == "Member":
        return {"role": PUBLISHER, "member": APPS}
    if kind == "Binding":
        return {"role": PUBLISHER, "members": [APPS]}
    return {"policyData": json.dumps({"bindings": [{"role": PUBLISHER, "members": [APPS]}]})}


@pytest.mark.parametrize("token", FAMILY)
def test_every_type_of_grant_says_who_gets_which_role_on_what(token: str) -> None:
    kind = grant_type(token)
    known = resource_type(token)
    assert kind
    assert known
    props = granted(kind.kind)
    # Each property that is needed names what the role is on, or what that is in.
    given = (key for key, each in known.inputs.items() if each.required or key == "name")
    props |= {key: "orders" for key in given if key not in props}
    (words,) = told(resource(token, "grant", props))
    assert words.startswith(f"{APPS} gets {PUBLISHER} on ")
    what = words.removeprefix(f"{APPS} gets {PUBLISHER} on ").partition(":")[0]
    of_kind, _, name = what.rpartition(" ")
    assert name == ("grant" if of_kind in UNNAMED else "orders")
    assert of_kind not in ("", "cluster", "namespace", "account")


def test_what_a_role_is_on_is_called_by_the_name_of_the_program_or_of_the_cloud() -> None:
    of_type = "gcp:pubsub/topicIAMMember:TopicIAMMember"
    topic = resource("gcp:pubsub/topic:Topic", "orders", {})
    member = granted("Member")
    wired = resource(of_type, "grant", member | {"topic": UNKNOWN}, topic=topic.urn)
    elsewhere = resource(of_type, "grant", member | {"topic": "projects/other/topics/bills"})
    assert told(topic, wired) == {f"{APPS} gets {PUBLISHER} on topic orders: writes data"}
    assert told(elsewhere) == {f"{APPS} gets {PUBLISHER} on topic bills: writes data"}


def test_what_a_role_is_on_may_grant_itself() -> None:
    access = {"accesses": [{"role": "READER", "groupByEmail": "apps@acme.com"}]}
    dataset = resource("gcp:bigquery/dataset:Dataset", "bills", access | {"datasetId": "b"})
    member = {"role": "roles/bigquery.dataViewer", "member": APPS, "datasetId": "b"}
    of_type = "gcp:bigquery/datasetIamMember:DatasetIamMember"
    grant = resource(of_type, "grant", member, datasetId=dataset.urn)
    assert told(dataset, grant) == {
        f"{APPS} gets READER on dataset bills: reads data",
        f"{APPS} gets roles/bigquery.dataViewer on dataset bills: reads data",
    }


def test_an_identity_that_isnt_known_yet_is_told_by_what_it_comes_from() -> None:
    sink = resource("gcp:logging/projectSink:ProjectSink", "audit", {})
    member = {"role": PUBLISHER, "member": UNKNOWN, "topic": "logs"}
    grant = resource("gcp:pubsub/topicIAMMember:TopicIAMMember", "grant", member, member=sink.urn)
    (words,) = told(sink, grant)
    who = "an identity of ProjectSink audit, not known yet,"
    assert words == f"{who} gets {PUBLISHER} on topic logs: writes data"


def test_a_role_that_the_same_run_makes_is_told_by_its_id_and_what_it_allows() -> None:
    own = {"roleId": "sender", "permissions": ["pubsub.topics.publish"]}
    role = resource("gcp:projects/iAMCustomRole:IAMCustomRole", "own", own)
    member = {"role": UNKNOWN, "member": APPS, "project": "acme"}
    grant = resource("gcp:projects/iAMMember:IAMMember", "grant", member, role=role.urn)
    assert told(role, grant) == {f"{APPS} gets the custom role sender on project acme: writes data"}


def bound(role: dict[str, Any], namespace: str | None = None) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    subject = {"kind": "ServiceAccount", "name": "picker", "namespace": namespace or "inference"}
    return {"metadata": {"name": "bound", **place}, "roleRef": role, "subjects": [subject]}


def test_a_role_of_a_cluster_is_told_by_its_name_on_which_cluster() -> None:
    admin = bound({"kind": "ClusterRole", "name": "cluster-admin"})
    (words,) = told(resource(f"{RBAC}:ClusterRoleBinding", "root", admin))
    who = "pods of inference/picker"
    assert words.startswith(
        f"{who} get the ClusterRole cluster-admin on cluster main: gives itself"
    )


def test_a_first_preview_knows_a_namespace_by_the_one_that_is_made() -> None:
    namespace = resource(
        "kubernetes:core/v1:Namespace", "place", {"metadata": {"name": "inference"}}
    )
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    role = {"metadata": {"name": "reads", "namespace": UNKNOWN}, "rules": rules}
    binding = bound({"kind": "Role", "name": "reads"}, UNKNOWN)
    wired = {"metadata": namespace.urn, "subjects": namespace.urn}
    assert told(
        namespace,
        resource(f"{RBAC}:Role", "reads", role, metadata=namespace.urn),
        resource(f"{RBAC}:RoleBinding", "bound", binding, **wired),
    ) == {
        "pods of inference/picker get the Role reads on namespace inference of main: reads secrets"
    }


def test_a_namespace_that_comes_from_elsewhere_stays_unknown() -> None:
    binding = bound({"kind": "Role", "name": "reads"}, UNKNOWN)
    (words,) = told(resource(f"{RBAC}:RoleBinding", "bound", binding))
    assert words.startswith("an identity of RoleBinding bound, not known yet, gets the Role reads")


def test_whoever_owns_the_project_is_nothing_new_in_a_dataset() -> None:
    access = {"accesses": [{"role": "OWNER", "specialGroup": "projectOwners"}]}
    (grant,) = grants(Stack([resource("gcp:bigquery/dataset:Dataset", "bills", access)]))
    assert not grant.wide

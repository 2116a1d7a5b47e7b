"""PscEndpoint: who may connect is named, and everything goes before the load balancer does."""

import itertools
from typing import Any, cast

import pulumi
import pulumi_gcp as gcp
import pytest

from components.network.consumer_vpc import ConsumerVpc
from components.network.psc_arguments import PscEndpointArgs, validate_psc_endpoint
from components.network.psc_endpoint import PscEndpoint
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

ATTACHMENT = "gcp:compute/serviceAttachment:ServiceAttachment"
ADDRESS = "gcp:compute/address:Address"
RULE = "gcp:compute/forwardingRule:ForwardingRule"
ZONE = "gcp:dns/managedZone:ManagedZone"
RECORD = "gcp:dns/recordSet:RecordSet"

NETWORK = "projects/acme/global/networks/apps"
ARGS: PscEndpointArgs = examples.arguments("PscEndpoint")
TWO_REGIONS = cast(
    "PscEndpointArgs",
    {
        **ARGS,
        "consume": {
            "apps": {
                "project": "acme",
                "network": NETWORK,
                "subnetworks": {"us-central1": "subnet-a", "us-east4": "subnet-b"},
                "dns_name": "llm.acme.internal",
            }
        },
    },
)


def _deploy(deploy: Deploy, args: PscEndpointArgs) -> Cloud:
    return deploy(lambda: PscEndpoint("psc", args))


def test_each_region_is_published_to_those_named_only(deploy: Deploy):
    cloud = _deploy(deploy, ARGS)
    attachments = cloud.all(ATTACHMENT)
    assert [a.name for a in attachments] == [
        "psc-us-central1-attachment",
        "psc-us-east4-attachment",
    ]
    for attachment in attachments:
        region = attachment.inputs["region"]
        assert attachment.inputs == {
            "name": "inference",
            "project": "acme",
            "region": region,
            "targetService": f"projects/acme/regions/{region}/forwardingRules/gateway",
            "natSubnets": [f"projects/acme/regions/{region}/subnetworks/psc-nat"],
            "connectionPreference": "ACCEPT_MANUAL",
            "consumerAcceptLists": [
                {"projectIdOrNum": "acme", "connectionLimit": 10},
                {"projectIdOrNum": "other", "connectionLimit": 3},
            ],
            "reconcileConnections": True,
            "enableProxyProtocol": False,
        }
        assert attachment.delete_before_replace


def test_networks_can_be_accepted(deploy: Deploy):
    args = cast("PscEndpointArgs", {**ARGS, "accept": [{"network": NETWORK}]})
    attachment = _deploy(deploy, args).all(ATTACHMENT)[0]
    assert attachment.inputs["consumerAcceptLists"] == [
        {"networkUrl": NETWORK, "connectionLimit": 10}
    ]


def test_endpoint_is_internal_and_targets_the_attachment_of_its_region(deploy: Deploy):
    cloud = _deploy(deploy, ARGS)
    attachment = cloud.one(ATTACHMENT, "psc-us-central1-attachment")
    address = cloud.one(ADDRESS, "psc-apps-us-central1-address")
    endpoint = cloud.one(RULE, "psc-apps-us-central1-endpoint")
    assert address.inputs["addressType"] == "INTERNAL"
    assert endpoint.inputs["loadBalancingScheme"] == ""
    assert endpoint.inputs["target"] == attachment.outputs["selfLink"]
    assert endpoint.inputs["ipAddress"] == address.outputs["selfLink"]
    assert endpoint.inputs["network"] == NETWORK
    assert endpoint.inputs["allowPscGlobalAccess"] is False
    assert endpoint.inputs["recreateClosedPsc"] is True


def test_global_access_can_be_allowed(deploy: Deploy):
    endpoint = _deploy(deploy, {**ARGS, "allow_psc_global_access": True}).one(RULE)
    assert endpoint.inputs["allowPscGlobalAccess"] is True


def test_endpoint_is_replaced_with_its_attachment(deploy: Deploy):
    cloud = _deploy(deploy, ARGS)
    endpoint = cloud.one(RULE)
    assert endpoint.replace_with == (cloud.one(ATTACHMENT, "psc-us-central1-attachment").urn,)
    assert endpoint.delete_before_replace


def test_one_endpoint_is_a_plain_record(deploy: Deploy):
    cloud = _deploy(deploy, ARGS)
    zone = cloud.one(ZONE, "psc-apps-zone")
    assert zone.inputs["dnsName"] == "llm.acme.internal."
    assert zone.inputs["visibility"] == "private"
    assert zone.inputs["privateVisibilityConfig"] == {"networks": [{"networkUrl": NETWORK}]}
    record = cloud.one(RECORD, "psc-apps-record")
    assert record.inputs["name"] == "llm.acme.internal."
    assert record.inputs["rrdatas"] == ["10.0.0.42"]
    assert "routingPolicy" not in record.inputs


def test_several_endpoints_answer_by_nearness(deploy: Deploy):
    record = _deploy(deploy, TWO_REGIONS).one(RECORD)
    assert record.inputs["routingPolicy"] == {
        "geos": [
            {"location": "us-central1", "rrdatas": ["10.0.0.42"]},
            {"location": "us-east4", "rrdatas": ["10.0.0.42"]},
        ]
    }
    assert "rrdatas" not in record.inputs


def _consuming(**keys: Any) -> PscEndpointArgs:
    (consumer,) = TWO_REGIONS["consume"].values()  # it is above
    return cast("PscEndpointArgs", {**TWO_REGIONS, "consume": {"apps": {**consumer, **keys}}})


FRONTEND = {
    "certificate": "projects/acme/locations/global/certificates/c",
    "request_timeout_seconds": 600,
}


def test_a_frontend_answers_with_the_nearest_region_that_works(deploy: Deploy):
    cloud = _deploy(deploy, _consuming(frontend=FRONTEND))
    policy = cloud.one(RECORD).inputs["routingPolicy"]
    assert policy["enableGeoFencing"] is False
    for geo, region in zip(policy["geos"], ("us-central1", "us-east4"), strict=True):
        assert geo == {
            "location": region,
            "healthCheckedTargets": {
                "internalLoadBalancers": [
                    {
                        "loadBalancerType": "globalL7ilb",
                        "ipAddress": "10.0.0.42",
                        "ipProtocol": "tcp",
                        "port": "443",
                        "networkUrl": NETWORK,
                        "project": "acme",
                    }
                ]
            },
        }
    rules = cloud.all("gcp:compute/globalForwardingRule:GlobalForwardingRule")
    assert len(rules) == 2
    assert all(cloud.requires(cloud.one(RECORD), rule) for rule in rules)


def test_a_frontend_goes_before_the_attachments(deploy: Deploy):
    cloud = _deploy(deploy, _consuming(frontend=FRONTEND))
    backend = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
    for region in ("us-central1", "us-east4"):
        group = cloud.one(backend, f"psc-apps-frontend-{region}-backend")
        assert cloud.requires(group, cloud.one(ATTACHMENT, f"psc-{region}-attachment"))


def test_each_region_can_have_a_name_of_its_own(deploy: Deploy):
    cloud = _deploy(deploy, _consuming(regional_names=True))
    for region in ("us-central1", "us-east4"):
        record = cloud.one(RECORD, f"psc-apps-{region}-record")
        assert record.inputs["name"] == f"{region}.llm.acme.internal."
        assert record.inputs["rrdatas"] == ["10.0.0.42"]
        assert cloud.requires(record, cloud.one(RULE, f"psc-apps-{region}-endpoint"))
        other = "us-east4" if region == "us-central1" else "us-central1"
        assert not cloud.requires(record, cloud.one(RULE, f"psc-apps-{other}-endpoint"))


def test_networks_that_share_the_endpoints_resolve_the_names(deploy: Deploy):
    web = "projects/acme-web/global/networks/web"
    zone = _deploy(deploy, _consuming(shared_with=[web])).one(ZONE)
    assert zone.inputs["privateVisibilityConfig"] == {
        "networks": [{"networkUrl": NETWORK}, {"networkUrl": web}]
    }


def test_propagated_connections_can_be_limited(deploy: Deploy):
    attachments = _deploy(deploy, {**ARGS, "propagated_connection_limit": 3}).all(ATTACHMENT)
    assert {each.inputs["propagatedConnectionLimit"] for each in attachments} == {3}


def test_without_a_name_there_is_no_zone(deploy: Deploy):
    args = cast(
        "PscEndpointArgs",
        {**ARGS, "consume": {"apps": {"network": NETWORK, "subnetworks": {"us-east4": "s"}}}},
    )
    cloud = _deploy(deploy, args)
    assert cloud.all(RULE)
    assert not cloud.all(ZONE)
    assert not cloud.all(RECORD)


def test_all_goes_before_the_load_balancer(deploy: Deploy):
    def program() -> None:
        gateway = gcp.compute.ForwardingRule("gateway", project="acme", region="us-central1")
        PscEndpoint(
            "psc",
            {
                **ARGS,
                "publish": {
                    "us-central1": {"target_service": gateway.self_link, "nat_subnetwork": "nat"}
                },
            },
        )

    cloud = deploy(program)
    order = [
        cloud.one(RECORD),
        cloud.one(RULE, "psc-.*"),
        cloud.one(ATTACHMENT),
        cloud.one(RULE, "gateway"),
    ]
    for later, earlier in itertools.pairwise(order):
        assert cloud.requires(later, earlier)
        assert not cloud.requires(earlier, later)


def test_regions_do_not_wait_for_each_other(deploy: Deploy):
    cloud = _deploy(deploy, TWO_REGIONS)
    endpoint = cloud.one(RULE, "psc-apps-us-central1-endpoint")
    assert endpoint.dependencies == {
        cloud.one(ATTACHMENT, "psc-us-central1-attachment").urn,
        cloud.one(ADDRESS, "psc-apps-us-central1-address").urn,
    }


def test_a_network_made_in_the_same_program_is_accepted(deploy: Deploy):
    def program() -> dict[str, Any]:
        apps = ConsumerVpc("apps", {"project": "acme", "subnets": {"us-central1": "10.2.0.0/24"}})
        psc = PscEndpoint(
            "psc",
            {
                **ARGS,
                "accept": [{"network": apps.network_self_link}],
                "consume": {
                    "apps": {
                        "network": apps.network_self_link,
                        "subnetworks": apps.subnetwork_ids,
                    }
                },
            },
        )
        return {
            "uris": psc.service_attachment_uris,
            "ips": psc.endpoint_ips,
            "statuses": psc.psc_connection_statuses,
        }

    cloud = deploy(program)
    assert cloud.value["ips"] == {"apps": {"us-central1": "10.0.0.42"}}
    assert cloud.value["statuses"] == {"apps": {"us-central1": "ACCEPTED"}}
    assert list(cloud.value["uris"]) == ["us-central1", "us-east4"]


CONSUMER: dict[str, Any] = {"network": NETWORK, "subnetworks": {"us-central1": "s"}}


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        (
            {"service_name": "Inference", "consume": {}},
            "service_name",
            (
                "found 'Inference'; allowed: 1 to 63 lowercase letters, digits or hyphens, "
                "a letter first, no hyphen last; shorten or change it (Compute Engine and "
                "Kubernetes allow no longer name)"
            ),
        ),
        (
            {"publish": {}, "consume": {}},
            "publish",
            "found an empty mapping; allowed: one entry or more; give a service to publish",
        ),
        (
            {"accept": []},
            "accept",
            (
                "found an empty list; allowed: one entry or more; "
                "give the projects or networks that may connect"
            ),
        ),
        (
            {"accept": [{"project": "acme"}, {"network": NETWORK}]},
            "accept",
            (
                "found projects and networks; allowed: only one kind for one attachment; "
                "name the project of each network instead"
            ),
        ),
        (
            {"accept": [{"project": "acme"}, {}]},
            "accept[1]",
            "found neither of them; allowed: exactly one of project, network; give one",
        ),
        (
            {"accept": [{"project": "acme", "connection_limit": 0}]},
            "accept[0].connection_limit",
            "found 0; allowed: a whole number from 1 to 1000; raise it to 1 or more",
        ),
        (
            {"accept": [{"project": "other"}]},
            "consume.apps",
            (
                "found a consumer that no entry of accept names; allowed: accepted ones: its "
                "endpoints would stay pending; add its project or network to accept"
            ),
        ),
        (
            {"accept": [{"network": "projects/acme/global/networks/other"}]},
            "consume.apps",
            (
                "found a consumer that no entry of accept names; allowed: accepted ones: its "
                "endpoints would stay pending; add its project or network to accept"
            ),
        ),
        (
            {"propagated_connection_limit": 0},
            "propagated_connection_limit",
            "found 0; allowed: a whole number, 1 or more; raise it to 1 or more",
        ),
        (
            {"consume": {"apps": {**CONSUMER, "regional_names": True}}},
            "consume.apps.regional_names",
            "found it without dns_name; allowed: it beside dns_name; give both",
        ),
        (
            {"consume": {"apps": {**CONSUMER, "project": "stranger"}}},
            "consume.apps",
            (
                "found a consumer that no entry of accept names; allowed: accepted ones: its "
                "endpoints would stay pending; add its project or network to accept"
            ),
        ),
        (
            {"consume": {"apps": {**CONSUMER, "subnetworks": {"asia-east1": "s"}}}},
            "consume.apps.subnetworks.asia-east1",
            "found 'asia-east1'; allowed: us-central1, us-east4; did you mean 'us-east4'?",
        ),
        (
            {"consume": {"apps": {**CONSUMER, "subnetworks": {}}}},
            "consume.apps.subnetworks",
            (
                "found an empty mapping; allowed: one entry or more; give a subnet of a published "
                "region"
            ),
        ),
        (
            {"consume": {"apps": {**CONSUMER, "dns_name": "llm."}}},
            "consume.apps.dns_name",
            (
                "found 'llm.'; allowed: a lowercase DNS name of at least two labels and at most "
                "253 characters; write it like inference.acme.internal"
            ),
        ),
        (
            {"propagated_connection_limit": 0},
            "propagated_connection_limit",
            "found 0; allowed: a whole number, 1 or more; raise it to 1 or more",
        ),
        (
            {"consume": {"Apps": CONSUMER}},
            "consume.Apps",
            (
                "found 'inference-Apps'; allowed: 1 to 63 lowercase letters, digits or hyphens, "
                "a letter first, no hyphen last; shorten or change it (Compute Engine and "
                "Kubernetes allow no longer name)"
            ),
        ),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], path: str, reason: str):
    problems = validate_psc_endpoint(cast("PscEndpointArgs", {**ARGS, **change}))
    assert problems.found == [{"property_path": path, "reason": reason}]


def test_a_network_may_be_named_by_id_or_self_link():
    link = f"https://www.googleapis.com/compute/v1/{NETWORK}"
    args = cast("PscEndpointArgs", {**ARGS, "accept": [{"network": link}]})
    assert validate_psc_endpoint(args).found == []


def test_nothing_is_made_of_wrong_arguments(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError, match="PscEndpoint psc:\n  service_name: "):
        _deploy(deploy, {**ARGS, "service_name": ""})

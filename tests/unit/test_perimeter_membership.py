"""PerimeterMembership: the project comes in after its rules, and nothing else is changed."""

from typing import Any, cast

import pulumi
import pytest

from components.network.perimeter_arguments import PerimeterMembershipArgs
from components.network.perimeter_membership import PerimeterMembership
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

ACM = "gcp:accesscontextmanager/"
PERIMETER = "accessPolicies/600000000001/servicePerimeters/acme"
ARGS: PerimeterMembershipArgs = examples.arguments("PerimeterMembership")
OUT: dict[str, Any] = {
    "from": {"identity_type": "ANY_SERVICE_ACCOUNT"},
    "to": {"services": {"storage.googleapis.com": ["*"]}, "projects": ["789"]},
}


def _deploy(deploy: Deploy, **change: Any) -> Cloud:
    args = cast("PerimeterMembershipArgs", {**ARGS, **change})
    return deploy(lambda: PerimeterMembership("fence", args))


def test_only_the_project_and_its_rules_are_made(deploy: Deploy):
    cloud = _deploy(deploy, egress=[OUT])
    place = cloud.one(f"{ACM}servicePerimeterResource:ServicePerimeterResource")
    assert place.inputs == {"perimeterName": PERIMETER, "resource": "projects/123"}
    rule = cloud.one(f"{ACM}servicePerimeterIngressPolicy:ServicePerimeterIngressPolicy")
    assert rule.inputs["perimeter"] == PERIMETER
    assert rule.inputs["ingressFrom"]["sources"] == [{"resource": "projects/789"}]
    cloud.one(f"{ACM}servicePerimeterEgressPolicy:ServicePerimeterEgressPolicy")
    assert not cloud.all(f"{ACM}servicePerimeter:ServicePerimeter")
    assert not cloud.all(f"{ACM}accessPolicy:AccessPolicy")


def test_a_dry_run_joins_what_is_tried(deploy: Deploy):
    cloud = _deploy(deploy, mode="dry-run", egress=[OUT])
    kinds = ("Resource", "IngressPolicy", "EgressPolicy")
    for kind in kinds:
        cloud.one(f"{ACM}servicePerimeterDryRun{kind}:ServicePerimeterDryRun{kind}")
        assert not cloud.all(f"{ACM}servicePerimeter{kind}:ServicePerimeter{kind}")


def test_rules_are_there_before_the_project_is_inside(deploy: Deploy):
    cloud = _deploy(deploy, egress=[OUT])
    place = cloud.one(f"{ACM}servicePerimeterResource:ServicePerimeterResource")
    assert {urn.rpartition("::")[2] for urn in place.dependencies} == {
        "fence-ingress-1",
        "fence-egress-1",
    }


def test_levels_live_in_the_perimeters_policy(deploy: Deploy):
    rule: dict[str, Any] = {
        "from": {"identities": ["user:ada@acme.com"], "access_levels": ["office"]},
        "to": {"services": {"*": ["*"]}},
    }
    levels = {"office": {"any_of": [{"regions": ["US"]}, {"ip_subnetworks": ["203.0.113.0/24"]}]}}
    cloud = _deploy(deploy, ingress=[rule], access_levels=levels)
    level = cloud.one(f"{ACM}accessLevel:AccessLevel")
    assert level.inputs["name"] == "accessPolicies/600000000001/accessLevels/inference_dev_office"
    assert level.inputs["basic"] == {
        "combiningFunction": "OR",
        "conditions": [{"regions": ["US"]}, {"ipSubnetworks": ["203.0.113.0/24"]}],
    }


def test_a_level_that_no_rule_names_is_told(deploy: Deploy):
    with pytest.raises(pulumi.InputPropertiesError) as error:
        _deploy(deploy, access_levels={"office": {"regions": ["US"]}})
    assert "access_levels.office" in str(error.value.errors)

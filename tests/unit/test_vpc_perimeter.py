"""VpcPerimeter: refuses nothing in dry-run mode, and never locks its deployer out unasked."""

from typing import Any, cast

import pytest

from components.network.perimeter_arguments import VpcPerimeterArgs, validate_vpc_perimeter
from components.network.perimeter_rules import ingress_policy
from components.network.vpc_perimeter import VpcPerimeter
from tests.unit import examples
from tests.unit.harness import Cloud, Deploy

POLICY = "gcp:accesscontextmanager/accessPolicy:AccessPolicy"
LEVEL = "gcp:accesscontextmanager/accessLevel:AccessLevel"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"

ARGS: VpcPerimeterArgs = examples.arguments("VpcPerimeter")
INGRESS: dict[str, Any] = {
    "from": {
        "identities": ["serviceAccount:ci@acme.iam.gserviceaccount.com"],
        "access_levels": ["corporate"],
        "projects": ["789"],
    },
    "to": {"services": {"storage.googleapis.com": ["google.storage.objects.get"], "*": ["*"]}},
}
DEPLOYS: dict[str, Any] = {
    "from": {"identities": ["user:ada@acme.com"], "access_levels": ["corporate"]},
    "to": {"services": {"*": ["*"]}},
}
EGRESS: dict[str, Any] = {
    "from": {"identity_type": "ANY_SERVICE_ACCOUNT"},
    "to": {"services": {"storage.googleapis.com": ["*"]}, "projects": ["789"]},
}


def _args(**change: Any) -> VpcPerimeterArgs:
    return cast("VpcPerimeterArgs", {**ARGS, **change})


def _deploy(deploy: Deploy, args: VpcPerimeterArgs) -> Cloud:
    return deploy(lambda: VpcPerimeter("fence", args))


def test_dry_run_puts_all_into_the_spec(deploy: Deploy):
    perimeter = _deploy(deploy, ARGS).one(PERIMETER, "fence-perimeter")
    assert perimeter.inputs["useExplicitDryRunSpec"] is True
    assert "status" not in perimeter.inputs
    assert perimeter.inputs["spec"] == {
        "resources": ["projects/123"],
        "restrictedServices": ["storage.googleapis.com", "bigquery.googleapis.com"],
        "vpcAccessibleServices": {
            "enableRestriction": True,
            "allowedServices": ["storage.googleapis.com", "bigquery.googleapis.com"],
        },
        "accessLevels": ["accessPolicies/600000000001/accessLevels/inference_dev_corporate"],
        "ingressPolicies": [],
        "egressPolicies": [],
    }


def test_enforced_puts_the_same_into_the_status(deploy: Deploy):
    dry_run = _deploy(deploy, _args(ingress=[DEPLOYS])).one(PERIMETER)
    enforced = _deploy(deploy, _args(mode="enforced", ingress=[DEPLOYS])).one(PERIMETER)
    assert enforced.inputs["useExplicitDryRunSpec"] is False
    assert "spec" not in enforced.inputs
    assert enforced.inputs["status"] == dry_run.inputs["spec"]


def test_policy_is_scoped_to_the_project(deploy: Deploy):
    cloud = _deploy(deploy, ARGS)
    policy = cloud.one(POLICY)
    assert policy.inputs == {
        "parent": "organizations/456",
        "title": "inference-dev",
        "scopes": "projects/123",
    }
    perimeter = cloud.one(PERIMETER)
    assert perimeter.inputs["parent"] == "accessPolicies/600000000001"
    assert perimeter.inputs["name"] == "accessPolicies/600000000001/servicePerimeters/inference_dev"


def test_an_existing_policy_is_used(deploy: Deploy):
    cloud = _deploy(deploy, _args(access_policy="42"))
    assert not cloud.all(POLICY)
    assert (
        cloud.one(PERIMETER).inputs["name"] == "accessPolicies/42/servicePerimeters/inference_dev"
    )


def test_access_level_needs_all_its_conditions(deploy: Deploy):
    level = _deploy(deploy, ARGS).one(LEVEL, "fence-corporate")
    assert level.inputs["title"] == "inference_dev_corporate"
    assert level.inputs["basic"] == {
        "combiningFunction": "AND",
        "conditions": [{"ipSubnetworks": ["203.0.113.0/24"], "regions": ["US"]}],
    }


def test_a_level_that_a_rule_names_opens_that_rule_alone(deploy: Deploy):
    perimeter = _deploy(deploy, _args(ingress=[INGRESS])).one(PERIMETER)
    level = "accessPolicies/600000000001/accessLevels/inference_dev_corporate"
    assert perimeter.inputs["spec"]["accessLevels"] == []
    assert perimeter.inputs["spec"]["ingressPolicies"] == [
        {
            "ingressFrom": {
                "identities": ["serviceAccount:ci@acme.iam.gserviceaccount.com"],
                "sources": [{"accessLevel": level}, {"resource": "projects/789"}],
            },
            "ingressTo": {
                "resources": ["*"],
                "operations": [
                    {
                        "serviceName": "storage.googleapis.com",
                        "methodSelectors": [{"method": "google.storage.objects.get"}],
                    },
                    {"serviceName": "*"},
                ],
            },
        }
    ]


def test_any_place_is_a_source(deploy: Deploy):
    rule = {**INGRESS, "from": {"identity_type": "ANY_USER_ACCOUNT", "access_levels": ["*"]}}
    perimeter = _deploy(deploy, _args(ingress=[rule])).one(PERIMETER)
    policy = perimeter.inputs["spec"]["ingressPolicies"][0]
    assert policy["ingressFrom"] == {
        "identityType": "ANY_USER_ACCOUNT",
        "sources": [{"accessLevel": "*"}],
    }


def test_egress_names_the_projects_called(deploy: Deploy):
    perimeter = _deploy(deploy, _args(egress=[EGRESS])).one(PERIMETER)
    assert perimeter.inputs["spec"]["egressPolicies"] == [
        {
            "egressFrom": {"identityType": "ANY_SERVICE_ACCOUNT", "sources": []},
            "egressTo": {
                "resources": ["projects/789"],
                "operations": [
                    {
                        "serviceName": "storage.googleapis.com",
                        "methodSelectors": [{"method": "*"}],
                    }
                ],
            },
        }
    ]


@pytest.mark.parametrize(
    ("service", "action", "kind"),
    [
        ("bigquery.googleapis.com", "bigquery.tables.getData", "permission"),
        ("bigquery.googleapis.com", "google.cloud.bigquery.v2.JobService.InsertJob", "method"),
        ("storage.googleapis.com", "google.storage.objects.get", "method"),
        ("artifactregistry.googleapis.com", "artifactregistry.googleapis.com/AptRead", "method"),
        ("artifactregistry.googleapis.com", "ArtifactRegistry.GetTag", "method"),
    ],
)
def test_permissions_are_no_methods(service: str, action: str, kind: str):
    target = ingress_policy(
        {
            "from": {"identities": ["user:a@acme.com"], "access_levels": ["*"]},
            "to": {"services": {service: [action]}},
        },
        {},
    )
    assert cast("Any", target)["ingress_to"]["operations"] == [
        {"service_name": service, "method_selectors": [{kind: action}]}
    ]


def test_egress_sources_restrict(deploy: Deploy):
    rule = {**EGRESS, "from": {"identity_type": "ANY_IDENTITY", "projects": ["1"]}}
    perimeter = _deploy(deploy, _args(egress=[rule])).one(PERIMETER)
    assert perimeter.inputs["spec"]["egressPolicies"][0]["egressFrom"] == {
        "identityType": "ANY_IDENTITY",
        "sources": [{"resource": "projects/1"}],
        "sourceRestriction": "SOURCE_RESTRICTION_ENABLED",
    }


def test_accessible_services_can_be_fewer(deploy: Deploy):
    args = _args(vpc_accessible_services=["storage.googleapis.com"])
    perimeter = _deploy(deploy, args).one(PERIMETER)
    assert perimeter.inputs["spec"]["vpcAccessibleServices"] == {
        "enableRestriction": True,
        "allowedServices": ["storage.googleapis.com"],
    }


def test_levels_exist_before_the_perimeter(deploy: Deploy):
    for args in (ARGS, _args(ingress=[INGRESS])):
        cloud = _deploy(deploy, args)
        assert cloud.requires(cloud.one(PERIMETER), cloud.one(LEVEL))
        assert cloud.requires(cloud.one(LEVEL), cloud.one(POLICY))


def test_deletion_protection_covers_perimeter_and_policy(deploy: Deploy):
    cloud = _deploy(deploy, _args(deletion_protection=True))
    assert {r.type for r in cloud.resources if r.protect} == {PERIMETER, POLICY}
    assert not any(r.protect for r in _deploy(deploy, ARGS).resources)


def test_outputs(deploy: Deploy):
    def program() -> dict[str, Any]:
        fence = VpcPerimeter("fence", ARGS)
        return {
            "policy": fence.access_policy,
            "perimeter": fence.perimeter_name,
            "levels": fence.access_level_names,
        }

    assert deploy(program).value == {
        "policy": "600000000001",
        "perimeter": "accessPolicies/600000000001/servicePerimeters/inference_dev",
        "levels": {"corporate": "accessPolicies/600000000001/accessLevels/inference_dev_corporate"},
    }


def _from(**source: Any) -> dict[str, Any]:
    return {"ingress": [{**INGRESS, "from": source}]}


def _to(**target: Any) -> dict[str, Any]:
    return {"ingress": [{**INGRESS, "to": target}]}


IDENTITIES = ["user:a@acme.com"]
LOCK_OUT = (
    "found 'enforced' with no way from outside into {} of its APIs; allowed: dry-run, or a way in "
    "for who deploys; add an ingress rule that names it: else nobody outside gets in any more, "
    "this program included"
)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    (
        {"title": "1st"},
        "title",
        (
            "found '1st'; allowed: a letter, then up to 49 letters, digits, hyphens or "
            "underscores; change it"
        ),
    ),
    ({"mode": "on"}, "mode", "found 'on'; allowed: dry-run, enforced; choose one of them"),
    (
        {"organization": ""},
        "organization",
        (
            "found nothing; allowed: the organization's number; give it, or access_policy where "
            "the organization has a policy"
        ),
    ),
    (
        {"restricted_services": []},
        "restricted_services",
        "found an empty list; allowed: one entry or more; give an API name",
    ),
    (
        {"restricted_services": ["storage"]},
        "restricted_services[0]",
        (
            "found 'storage'; allowed: the host name of a Google API; write it like "
            "storage.googleapis.com"
        ),
    ),
    (
        {"vpc_accessible_services": ["storage"]},
        "vpc_accessible_services[0]",
        (
            "found 'storage'; allowed: the host name of a Google API; write it like "
            "storage.googleapis.com"
        ),
    ),
    (
        {"access_levels": {"all": {}}},
        "access_levels.all",
        (
            "found no condition; allowed: at least one of ip_subnetworks, members, regions, "
            "networks; add one or remove the access level"
        ),
    ),
    (
        {"access_levels": {"all": {"ip_subnetworks": ["0.0.0.0/0"]}}},
        "access_levels.all.ip_subnetworks[0]",
        (
            "found '0.0.0.0/0'; allowed: a public IPv4 range in CIDR notation; addresses reach "
            "Google from their public range: give that"
        ),
    ),
    (
        {"access_levels": {"all": {"ip_subnetworks": ["203.0.113.1/24"]}}},
        "access_levels.all.ip_subnetworks[0]",
        (
            "found '203.0.113.1/24'; allowed: a public IPv4 range in CIDR notation; bits are set "
            "behind the prefix: write 203.0.113.0/24"
        ),
    ),
    (
        {"access_levels": {"all": {"members": ["group:a@acme.com"]}}},
        "access_levels.all.members[0]",
        (
            "found 'group:a@acme.com'; allowed: user: or serviceAccount: and an e-mail "
            "address (access levels take no groups); write it like user:ada@acme.com"
        ),
    ),
    (
        {"access_levels": {"all": {"regions": ["us-central1"]}}},
        "access_levels.all.regions[0]",
        (
            "found 'us-central1'; allowed: a country code of two capital letters (ISO 3166-1);"
            " write it like US"
        ),
    ),
    (
        _from(identities=IDENTITIES),
        "ingress[0].from",
        (
            "found no source; allowed: at least one of access_levels, projects, networks; "
            "say where the requests come from"
        ),
    ),
    (
        _from(access_levels=["*"]),
        "ingress[0].from",
        (
            "found neither of them; allowed: exactly one of identities, identity_type; say who may "
            "pass"
        ),
    ),
    (
        _from(identities=IDENTITIES, identity_type="ANY_USER_ACCOUNT", access_levels=["*"]),
        "ingress[0].from",
        (
            "found both identities and identity_type; allowed: exactly one of identities, "
            "identity_type; keep one"
        ),
    ),
    (
        _from(identity_type="ALL", access_levels=["*"]),
        "ingress[0].from.identity_type",
        (
            "found 'ALL'; allowed: ANY_IDENTITY, ANY_USER_ACCOUNT, ANY_SERVICE_ACCOUNT; "
            "choose one of them"
        ),
    ),
    (
        _from(identities=["a@acme.com"], access_levels=["*"]),
        "ingress[0].from.identities[0]",
        (
            "found 'a@acme.com'; allowed: user:, serviceAccount: or group: and an e-mail "
            "address, principal:// or principalSet://; write it like "
            "serviceAccount:deploy@acme-ci.iam.gserviceaccount.com"
        ),
    ),
    (
        _from(identities=IDENTITIES, projects=["acme"]),
        "ingress[0].from.projects[0]",
        (
            "found 'acme'; allowed: a project number in quotes, or '*'; `gcloud projects "
            "describe PROJECT --format='value(projectNumber)'` shows it"
        ),
    ),
    (
        _from(identities=IDENTITIES, access_levels=["home"]),
        "ingress[0].from.access_levels[0]",
        "found 'home'; allowed: corporate; add it to the perimeter's access_levels",
    ),
    (
        _to(services={}),
        "ingress[0].to.services",
        "found an empty mapping; allowed: one entry or more; give an API name, or '*'",
    ),
    (
        _to(services={"storage": ["*"]}),
        "ingress[0].to.services.storage",
        (
            "found the name 'storage'; allowed: the host name of a Google API, or '*'; "
            "write it like storage.googleapis.com"
        ),
    ),
    (
        _to(services={"storage.googleapis.com": []}),
        'ingress[0].to.services["storage.googleapis.com"]',
        "found no method; allowed: methods, or ['*']; add one",
    ),
    (
        {"egress": [{**EGRESS, "to": {"services": {"*": ["*"]}}}]},
        "egress[0].to.projects",
        "found nothing; allowed: project numbers, or '*' for everyone's; give those called",
    ),
    (
        {"egress": [{**EGRESS, "to": {"services": {"*": ["*"]}, "projects": ["acme"]}}]},
        "egress[0].to.projects[0]",
        (
            "found 'acme'; allowed: a project number in quotes, or '*'; `gcloud projects "
            "describe PROJECT --format='value(projectNumber)'` shows it"
        ),
    ),
    (
        {
            "egress": [
                {**EGRESS, "from": {"identities": IDENTITIES, "access_levels": ["*"]}},
            ]
        },
        "egress[0].from.access_levels[0]",
        "found '*'; allowed: corporate; add it to the perimeter's access_levels",
    ),
    (
        _to(services={"*": ["google.storage.objects.get"]}),
        'ingress[0].to.services["*"]',
        (
            "found some methods of all services; allowed: ['*'] for the service '*'; name the "
            "service the methods belong to"
        ),
    ),
    (
        {"mode": "enforced", "access_levels": {}},
        "mode",
        LOCK_OUT.format(2),
    ),
    (
        {
            "mode": "enforced",
            "ingress": [{**INGRESS, "to": {"services": {"storage.googleapis.com": ["*"]}}}],
        },
        "mode",
        LOCK_OUT.format(1),
    ),
]


@pytest.mark.parametrize(("change", "path", "reason"), WRONG)
def test_wrong_arguments_are_named(change: dict[str, Any], path: str, reason: str):
    assert validate_vpc_perimeter(_args(**change)).found == [
        {"property_path": path, "reason": reason}
    ]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"mode": "enforced", "ingress": [DEPLOYS]},
        {"mode": "enforced", "ingress": [INGRESS, DEPLOYS]},
        {"mode": "dry-run", "access_levels": {}},
        {"organization": None, "access_policy": "42"},
        {"ingress": [INGRESS], "egress": [EGRESS]},
    ],
)
def test_right_arguments_pass(change: dict[str, Any]):
    assert validate_vpc_perimeter(_args(**change)).found == []


def test_other_projects_are_inside_too(deploy: Deploy):
    perimeter = _deploy(deploy, _args(projects=["789"])).one(PERIMETER)
    assert perimeter.inputs["spec"]["resources"] == ["projects/123", "projects/789"]


def test_a_bridge_joins_the_project_with_those_of_other_perimeters(deploy: Deploy):
    cloud = _deploy(deploy, _args(bridges={"analytics": ["789"]}))
    bridge = cloud.one(PERIMETER, "fence-analytics-bridge")
    assert bridge.inputs["perimeterType"] == "PERIMETER_TYPE_BRIDGE"
    assert bridge.inputs["spec"] == {"resources": ["projects/123", "projects/789"]}
    assert "fence-perimeter" in {urn.rpartition("::")[2] for urn in bridge.dependencies}


def test_networks_are_sources_of_rules_and_levels(deploy: Deploy):
    network = "projects/acme-apps/global/networks/apps"
    rule: dict[str, Any] = {
        "from": {"identity_type": "ANY_SERVICE_ACCOUNT", "networks": [network]},
        "to": {"services": {"storage.googleapis.com": ["*"]}},
    }
    cloud = _deploy(
        deploy,
        _args(ingress=[rule], access_levels={"apps": {"networks": {network: ["10.0.0.0/20"]}}}),
    )
    full = f"//compute.googleapis.com/{network}"
    (policy,) = cloud.one(PERIMETER).inputs["spec"]["ingressPolicies"]
    assert policy["ingressFrom"]["sources"] == [{"resource": full}]
    (condition,) = cloud.one(LEVEL).inputs["basic"]["conditions"]
    assert condition == {
        "vpcNetworkSources": [
            {"vpcSubnetwork": {"network": full, "vpcIpSubnetworks": ["10.0.0.0/20"]}}
        ]
    }

"""ServicesAccess: many networks use one network's endpoints, and not each other."""

from typing import Any, cast

import pytest

from components.network.services_access import (
    ServicesAccess,
    ServicesAccessArgs,
    validate_services_access,
)
from tests.unit import examples
from tests.unit.harness import Deploy

HUB = "gcp:networkconnectivity/hub:Hub"
GROUP = "gcp:networkconnectivity/group:Group"
SPOKE = "gcp:networkconnectivity/spoke:Spoke"
ARGS: ServicesAccessArgs = examples.arguments("ServicesAccess")


def test_connections_are_propagated_from_the_center(deploy: Deploy):
    hub = deploy(lambda: ServicesAccess("services", ARGS)).one(HUB)
    assert hub.inputs["exportPsc"] is True
    assert hub.inputs["presetTopology"] == "STAR"


def test_users_are_at_the_edge_each_in_its_own_project(deploy: Deploy):
    cloud = deploy(lambda: ServicesAccess("services", ARGS))
    center = cloud.one(SPOKE, "services-center")
    assert center.inputs["group"] == "center"
    assert center.inputs["linkedVpcNetwork"] == {"uri": ARGS["shared"]["network"]}
    for name, user in ARGS["users"].items():
        spoke = cloud.one(SPOKE, f"services-{name}")
        assert spoke.inputs["group"] == "edge"
        assert spoke.inputs["project"] == user["project"]
        assert spoke.inputs["location"] == "global"
        assert spoke.inputs["linkedVpcNetwork"] == {"uri": user["network"]}
        assert cloud.requires(spoke, cloud.one(GROUP))


def test_the_users_projects_are_accepted_at_once(deploy: Deploy):
    group = deploy(lambda: ServicesAccess("services", ARGS)).one(GROUP)
    assert group.inputs["name"] == "edge"
    assert group.inputs["autoAccept"] == {"autoAcceptProjects": ["acme-batch", "acme-web"]}


@pytest.mark.parametrize(
    ("users", "path", "reason"),
    [
        (
            {},
            "users",
            (
                "found an empty mapping; allowed: one entry or more; give the networks that use "
                "the endpoints"
            ),
        ),
        (
            {"services": ARGS["shared"]},
            "users.services.network",
            (
                "found 'projects/acme/global/networks/services' again; allowed: each network once; "
                "remove one"
            ),
        ),
        (
            {"center": ARGS["users"]["web"]},
            "users.center",
            "found 'center'; allowed: another name; rename it",
        ),
    ],
)
def test_wrong_arguments_are_named(users: dict[str, Any], path: str, reason: str):
    args = cast("ServicesAccessArgs", {**ARGS, "users": users})
    assert validate_services_access("services", args).found == [
        {"property_path": path, "reason": reason}
    ]

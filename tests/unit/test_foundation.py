"""Whom requests to Google Cloud are billed to, and whom the network lets reach the pods."""

import json

import pytest

from config.load import from_mapping
from stacks.foundation import build_foundation
from tests.config.samples import SOURCE, changed
from tests.unit.harness import run

PROVIDER = "pulumi:providers:gcp"
FIREWALL = "gcp:compute/firewall:Firewall"
OWN_PORTS = ["8000", "9002", "9003", "9004", "9005"]


def test_labels_of_the_config_are_on_everything() -> None:
    platform = from_mapping(changed(("labels", {"team": "search"})), SOURCE)
    provider = run(lambda: build_foundation(platform) and None).one(PROVIDER)
    assert json.loads(provider.inputs["defaultLabels"]) == {
        "environment": platform.environment,
        "managed-by": "pulumi",
        "platform": "inference",
        "team": "search",
    }


@pytest.mark.parametrize(
    ("change", "further"),
    [
        (("gateway|request_timeout_seconds", 120), []),
        (
            ("api_management", {
                "extension": {"image": "docker.io/acme/manager:1.0", "port": 7000}
            }),
            ["7000"],
        ),
        (
            ("guardrails|default", {
                "service": {
                    "image": "docker.io/acme/guard:1.0", "port": 7001, "health_port": 7002
                }
            }),
            ["7001", "7002"],
        ),
        (
            ("guardrails|default", {
                "at": "replica", "service": {"image": "docker.io/acme/guard:1.0", "port": 7003}
            }),
            ["7003"],
        ),
        (
            ("models|other", {"external": [
                {"name": "acme", "https": {"host": "llm.acme.com"}}
            ]}),
            ["8080"],
        ),
    ],
)  # fmt: skip
def test_load_balancers_reach_the_ports_of_the_config(
    change: tuple[str, object], further: list[str]
) -> None:
    platform = from_mapping(changed(change), SOURCE)
    rule = run(lambda: build_foundation(platform) and None).one(FIREWALL, ".*-allow-load-balancer")
    (allowed,) = rule.inputs["allows"]
    assert sorted(allowed["ports"]) == sorted([*OWN_PORTS, *further])


@pytest.mark.parametrize(
    ("changes", "override", "billed"),
    [
        ({}, "true", "acme-test"),
        ({"billing_project": "acme-quota"}, "true", "acme-quota"),
        ({"user_project_override": False}, "false", "acme-test"),
    ],
)
def test_requests_name_the_project_that_pays_for_them(
    changes: dict[str, object], override: str, billed: str
) -> None:
    """Access Context Manager and Budgets answer user credentials with 403 otherwise."""
    platform = from_mapping(
        changed(*((f"project|{key}", value) for key, value in changes.items())), SOURCE
    )
    provider = run(lambda: build_foundation(platform) and None).one("pulumi:providers:gcp")
    assert provider.inputs["userProjectOverride"] == override
    assert provider.inputs["billingProject"] == billed

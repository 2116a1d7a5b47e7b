"""The network lets the load balancer's proxies reach every pod that the config puts behind them."""

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

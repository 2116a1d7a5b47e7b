"""What every network here has: logs of its flows, and a firewall closed unless opened."""

import pulumi
import pulumi_gcp as gcp

FLOW_LOGS: gcp.compute.SubnetworkLogConfigArgsDict = {
    "aggregation_interval": "INTERVAL_30_SEC",
    "flow_sampling": 0.5,
    "metadata": "INCLUDE_ALL_METADATA",
}
FIREWALL_LOGS: gcp.compute.FirewallLogConfigArgsDict = {"metadata": "INCLUDE_ALL_METADATA"}

_LAST_PRIORITY = 65534


def deny_ingress(
    name: str,
    project: pulumi.Input[str],
    network: pulumi.Input[str],
    parent: pulumi.ComponentResource,
) -> gcp.compute.Firewall:
    """Deny and logs what no other rule lets in; the network's own last rule leaves no log."""
    return gcp.compute.Firewall(
        f"{name}-deny-ingress",
        name=f"{name}-deny-ingress",
        project=project,
        network=network,
        description="Deny and log all ingress that no other rule allows",
        direction="INGRESS",
        priority=_LAST_PRIORITY,
        denies=[{"protocol": "all"}],
        source_ranges=["0.0.0.0/0"],
        log_config=FIREWALL_LOGS,
        opts=pulumi.ResourceOptions(parent=parent),
    )

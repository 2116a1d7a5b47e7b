"""Types of Google Cloud that several rules speak of."""

from typing import Final

CLOUD_RUN: Final = (
    "gcp:cloudrunv2/job:Job",
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/workerPool:WorkerPool",
)
"""What runs containers on Cloud Run, in its second API."""
CLOUD_RUN_FIRST: Final = "gcp:cloudrun/service:Service"
"""A service in its first API."""
FIREWALL_POLICY_RULES: Final = (
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/regionNetworkFirewallPolicyRule:RegionNetworkFirewallPolicyRule",
)
FORWARDING_RULES: Final = (
    "gcp:compute/forwardingRule:ForwardingRule",
    "gcp:compute/globalForwardingRule:GlobalForwardingRule",
)
LOG_SINKS: Final = tuple(
    f"gcp:logging/{each[0].lower()}{each[1:]}Sink:{each}Sink"
    for each in ("BillingAccount", "Folder", "Organization", "Project")
)
VIEWS: Final = ("view", "materializedView")
"""What a BigQuery table holds that is no data of its own."""

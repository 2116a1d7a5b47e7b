"""Settings every cluster has."""

import pulumi_gcp as gcp

from catalog.limits.gpu_pools import LONGEST_NAME
from components.validation import Problems

OAUTH_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
"""The roles of the node service account are the limit, as Google advises; scopes are legacy."""

ADDONS: gcp.container.ClusterAddonsConfigArgsDict = {
    "gce_persistent_disk_csi_driver_config": {"enabled": True},
    "gcs_fuse_csi_driver_config": {"enabled": True},
    "horizontal_pod_autoscaling": {"disabled": False},
    # The Gateway controller is part of it.
    "http_load_balancing": {"disabled": False},
}

LOGGING: gcp.container.ClusterLoggingConfigArgsDict = {
    "enable_components": [
        "SYSTEM_COMPONENTS",
        "WORKLOADS",
        "APISERVER",
        "SCHEDULER",
        "CONTROLLER_MANAGER",
    ],
}

MONITORING: gcp.container.ClusterMonitoringConfigArgsDict = {
    "enable_components": [
        "SYSTEM_COMPONENTS",
        "APISERVER",
        "SCHEDULER",
        "CONTROLLER_MANAGER",
        "STORAGE",
        "HPA",
        "POD",
        "DAEMONSET",
        "DEPLOYMENT",
        "STATEFULSET",
        "KUBELET",
        "CADVISOR",
        "DCGM",
    ],
    "managed_prometheus": {
        "enabled": True,
        # Model servers are scraped by PodMonitoring objects: twice would double the series' cost.
        "auto_monitoring_config": {"scope": "NONE"},
    },
    "advanced_datapath_observability_config": {"enable_metrics": True, "enable_relay": False},
}

CONTROL_PLANE_ENDPOINTS: gcp.container.ClusterControlPlaneEndpointsConfigArgsDict = {
    # IAM decides on every request to the DNS endpoint, wherever it comes from; no address of the
    # control plane is open to anyone.
    "dns_endpoint_config": {"allow_external_traffic": True},
    "ip_endpoints_config": {"enabled": False},
}

SECURITY_POSTURE: gcp.container.ClusterSecurityPostureConfigArgsDict = {
    "mode": "BASIC",
    # GKE's own scanning of workloads is retired; Artifact Analysis scans images.
    "vulnerability_mode": "VULNERABILITY_DISABLED",
}

RBAC_BINDINGS: gcp.container.ClusterRbacBindingConfigArgsDict = {
    "enable_insecure_binding_system_authenticated": False,
    "enable_insecure_binding_system_unauthenticated": False,
}

NODE_DEFAULTS: gcp.container.ClusterNodePoolDefaultsArgsDict = {
    "node_config_defaults": {
        "gcfs_config": {"enabled": True},
        "insecure_kubelet_readonly_port_enabled": "FALSE",
    },
}


def check_gke_name(problems: Problems, name: str) -> None:
    """Note a name that no cluster and no node pool can have."""
    problems.check_name(name, "name")
    if len(name) > LONGEST_NAME:
        problems.add(
            "name",
            f"found {len(name)} characters in {name!r}; allowed: up to {LONGEST_NAME}; "
            "give the component a shorter name",
        )

"""Clusters and nodes have the safe settings."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import Reference, ResourceRule
from resources.properties import MISSING, UNKNOWN, entries, flag, get, is_mapping, text
from resources.resource import Resource

_POOL: Final = "gcp:container/nodePool:NodePool"
_CLUSTER: Final = "gcp:container/cluster:Cluster"
_ALL_CLUSTERS: Final = (
    Expected("anonymousAuthenticationConfig.mode", ("LIMITED",)),
    Expected("rbacBindingConfig.enableInsecureBindingSystemAuthenticated", (False,)),
    Expected("rbacBindingConfig.enableInsecureBindingSystemUnauthenticated", (False,)),
    Expected("enableLegacyAbac", (False,), unset=True),
    Expected("masterAuth.clientCertificateConfig.issueClientCertificate", (False,), unset=True),
    # NET_ADMIN for pods of Autopilot.
    Expected("allowNetAdmin", (False,), unset=True),
)
# Autopilot has these always, and does not take them as settings.
_STANDARD_CLUSTERS: Final = (
    Expected("enableShieldedNodes", (True,), unset=True),
    Expected("enableKubernetesAlpha", (False,), unset=True),
    Expected("securityPostureConfig.mode", ("BASIC", "ENTERPRISE")),
    # It brings a load balancer of its own, on the internet unless told otherwise.
    Expected("addonsConfig.cloudrunConfig.disabled", (True,), unset=True),
)
_MACHINES: Final = (
    Expected("imageType", ("COS_CONTAINERD", "cos_containerd"), unset=True),
    Expected("shieldedInstanceConfig.enableIntegrityMonitoring", (True,), unset=True),
)
_NODES: Final = (
    *_MACHINES,
    Expected("kubeletConfig.insecureKubeletReadonlyPortEnabled", ("FALSE",), unset=True),
    Expected(
        "linuxNodeConfig.nodeKernelModuleLoading.policy",
        ("ENFORCE_SIGNED_MODULES", "POLICY_UNSPECIFIED"),
        unset=True,
    ),
)
# Settings of the kernel that hold attackers back, and the values by which they no longer do.
# CIS Distribution Independent Linux 1.5 and 3.
_KERNEL: Final[Mapping[str, tuple[str, ...]]] = {
    r"fs\.protected_(hardlinks|symlinks|fifos|regular)": ("0",),
    r"fs\.suid_dumpable": ("1", "2"),
    r"kernel\.(dmesg_restrict|kptr_restrict|randomize_va_space|unprivileged_bpf_disabled)": ("0",),
    r"kernel\.perf_event_paranoid": ("-1", "0", "1"),
    r"kernel\.yama\.ptrace_scope": ("0",),
    r"net\.ipv[46]\.conf\.\w+\.(accept_redirects|accept_source_route|send_redirects)": ("1",),
    r"net\.ipv4\.conf\.\w+\.rp_filter": ("0",),
}
_SCRIPTS: Final = ("shutdown-script", "startup-script", "startup-script-url", "user-data")
_SECURE_BOOT: Final = Expected("shieldedInstanceConfig.enableSecureBoot", (True,))
# The kubelet's port without authentication, by each of its other places.
_KUBELET: Final = tuple(
    Expected(f"{place}.insecureKubeletReadonlyPortEnabled", ("FALSE",), unset=True)
    for place in ("nodePoolAutoConfig.nodeKubeletConfig", "nodePoolDefaults.nodeConfigDefaults")
)
_SERVICES: Final = (
    Expected("loggingService", ("logging.googleapis.com/kubernetes",), unset=True),
    Expected("monitoringService", ("monitoring.googleapis.com/kubernetes",), unset=True),
    Expected("monitoringConfig.managedPrometheus.enabled", (True,), unset=True),
)
# What must be logged and measured, where a cluster lists it.
_COMPONENTS: Final = (
    ("loggingConfig", "SYSTEM_COMPONENTS"),
    ("loggingConfig", "WORKLOADS"),
    ("monitoringConfig", "SYSTEM_COMPONENTS"),
)
_PROVISIONED: Final = ("clusterAutoscaling", "autoProvisioningDefaults")


def _own_drivers(node_config: object) -> bool:
    """Return whether GPU drivers are installed by oneself: without Google's signature none would
    boot."""
    accelerators = entries(node_config, "guestAccelerators")
    return isinstance(accelerators, tuple) and any(
        text(each, "gpuDriverInstallationConfig", "gpuDriverVersion") == "INSTALLATION_DISABLED"
        for each in accelerators
    )


def _pool(pool: object) -> Iterator[str]:
    config = get(pool, "nodeConfig")
    sysctls = get(config, "linuxNodeConfig", "sysctls")
    for name in list(sysctls) if is_mapping(sysctls) else ():
        weak = next((each for known, each in _KERNEL.items() if re.fullmatch(known, name)), None)
        if weak is not None and text(sysctls, name) in weak:
            yield f"nodeConfig.linuxNodeConfig.sysctls loosens {name}"
    if flag(config, "containerdConfig", "writableCgroups", "enabled") is True:
        yield "nodeConfig.containerdConfig.writableCgroups lets pods change their own limits"
    if flag(config, "advancedMachineFeatures", "enableNestedVirtualization") is True:
        yield "nodeConfig.advancedMachineFeatures.enableNestedVirtualization opens the processor"
    if any(get(config, "metadata", name) not in (MISSING, UNKNOWN) for name in _SCRIPTS):
        yield "nodeConfig.metadata has a script that runs as root on every node"
    secure_boot = () if _own_drivers(config) else (_SECURE_BOOT,)
    yield from (f"nodeConfig.{each}" for each in unmet(config, (*_NODES, *secure_boot)))
    if entries(config, "kubeletConfig", "allowedUnsafeSysctls") not in (MISSING, (), UNKNOWN):
        yield "nodeConfig.kubeletConfig.allowedUnsafeSysctls lets pods change the node"


def _standard(cluster: object) -> Iterator[str]:
    yield from unmet(cluster, _STANDARD_CLUSTERS)
    if flag(cluster, "clusterAutoscaling", "enabled") is True:
        for each in unmet(get(cluster, *_PROVISIONED), (*_MACHINES, _SECURE_BOOT)):
            yield f"{'.'.join(_PROVISIONED)}.{each}"
    pools = entries(cluster, "nodePools")
    for index, pool in enumerate(pools if isinstance(pools, tuple) else ()):
        yield from (f"nodePools[{index}].{each}" for each in _pool(pool))
    # A default pool that goes again at once holds no pods.
    if pools in (MISSING, ()) and flag(cluster, "removeDefaultNodePool") is not True:
        yield from _pool(cluster)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if resource.type == _POOL:
        yield from _pool(resource.props)
        return
    yield from unmet(resource.props, (*_ALL_CLUSTERS, *_KUBELET, *_SERVICES))
    for name, needed in _COMPONENTS:
        found = entries(resource.props, name, "enableComponents")
        if isinstance(found, tuple) and UNKNOWN not in found and needed not in found:
            yield f"{name}.enableComponents leaves out {needed}"
    if flag(resource.props, "enableAutopilot") is not True:
        yield from _standard(resource.props)


RULE: Final = ResourceRule(
    id="gke-hardening",
    display_name="GKE is hardened",
    description=(
        "Clusters and nodes have shielded nodes, Container-Optimized OS and no legacy way in."
    ),
    why="Each of these is a known way from a pod to the node or from outside to the cluster.",
    remediation="set the property as named.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster",
    references=(
        Reference("CIS GKE", "5.5.5"),
        Reference("CIS GKE", "5.5.6"),
        Reference("CIS GKE", "5.5.7"),
        Reference("CIS GKE", "5.8.3"),
        Reference("checkov", "CKV_GCP_7"),
        Reference("checkov", "CKV_GCP_13"),
        Reference("checkov", "CKV_GCP_22"),
        Reference("checkov", "CKV_GCP_68"),
        Reference("checkov", "CKV_GCP_71"),
        Reference("checkov", "CKV_GCP_72"),
        Reference("checkov", "CKV2_GCP_19"),
        Reference("trivy", "GCP-0054"),
        Reference("trivy", "GCP-0055"),
        Reference("trivy", "GCP-0062"),
        Reference("trivy", "GCP-0064"),
    ),
    applies=lambda resource_type: resource_type in (_CLUSTER, _POOL),
    check=_check,
)

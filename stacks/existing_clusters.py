"""Clusters that are there already, read from the cloud and held against what the platform needs.

No policy judges what isn't a resource of the stack, so what the packs ask of a cluster that is made
is asked here of one that isn't. Nodes of others are their owners'. What the cloud doesn't tell
passes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_gcp as gcp

from catalog.limits.clusters import ZERO_REPLICAS_MINOR
from catalog.problems import KeyPath, Problem, shown
from catalog.releases import GKE_MINIMUM_VERSION
from config.platform import Platform
from stacks.estate import raise_for, read
from stacks.facts import UNSET, UNTOLD, Fact, There, at, words

Cluster = gcp.container.GetClusterResult

_ENDPOINT: Final = "control_plane_endpoints_configs.dns_endpoint_configs.endpoint"


def _gated(platform: Platform, region: str) -> bool:
    return any(model.gated for model in platform.models_in(region).values())


def _teams(platform: Platform, region: str) -> bool:
    return any(model.team for model in platform.models_in(region).values())


def _scales(platform: Platform, region: str) -> bool:
    return platform.autoscales_in(region)


def _authorizes(platform: Platform, _region: str) -> bool:
    return platform.cluster_asks_admission


def _encrypts(platform: Platform, _region: str) -> bool:
    return platform.encryption is not None


FACTS: Final = (
    Fact("enable_autopilot", (False,), "node pools of one's own", unset=True),
    Fact(
        "gateway_api_configs.channel",
        ("CHANNEL_STANDARD",),
        "the Gateway API",
        "--gateway-api=standard",
    ),
    Fact(
        "addons_configs.http_load_balancings.disabled",
        (False,),
        "the Gateway controller",
        "--update-addons=HttpLoadBalancing=ENABLED",
        unset=True,
    ),
    Fact(
        "control_plane_endpoints_configs.dns_endpoint_configs.allow_external_traffic",
        (True,),
        "the deployer, whom IAM lets in at the DNS endpoint",
        "--enable-dns-access",
    ),
    Fact(
        "monitoring_configs.managed_prometheuses.enabled",
        (True,),
        "metrics of models",
        "--enable-managed-prometheus",
    ),
    Fact(
        "addons_configs.horizontal_pod_autoscalings.disabled",
        (False,),
        "max_replicas of a replica set",
        "--update-addons=HorizontalPodAutoscaling=ENABLED",
        unset=True,
        needed=_scales,
    ),
    Fact(
        "secret_manager_configs.enabled",
        (True,),
        "the token of gated models",
        "--enable-secret-manager",
        needed=_gated,
    ),
    Fact(
        "cost_management_configs.enabled",
        (True,),
        "the bill by team",
        "--enable-cost-allocation",
        needed=_teams,
    ),
    Fact(
        "binary_authorizations.evaluation_mode",
        ("PROJECT_SINGLETON_POLICY_ENFORCE",),
        "binary_authorization",
        "--binauthz-evaluation-mode=PROJECT_SINGLETON_POLICY_ENFORCE",
        needed=_authorizes,
    ),
    Fact(
        "database_encryptions.state",
        ("ENCRYPTED",),
        "encryption",
        "--database-encryption-key=<key>",
        needed=_encrypts,
    ),
    # What the packs ask of clusters.
    Fact(
        "private_cluster_configs.enable_private_nodes",
        (True,),
        "nodes without public addresses",
        "--enable-private-nodes",
    ),
    Fact(
        "control_plane_endpoints_configs.dns_endpoint_configs.enable_k8s_certs_via_dns",
        (False,),
        "logins by IAM alone",
        "--no-enable-k8s-certs-via-dns",
        unset=True,
    ),
    Fact(
        "control_plane_endpoints_configs.dns_endpoint_configs.enable_k8s_tokens_via_dns",
        (False,),
        "logins by IAM alone",
        "--no-enable-k8s-tokens-via-dns",
        unset=True,
    ),
    Fact(
        "anonymous_authentication_configs.mode",
        ("LIMITED",),
        "a control plane that strangers get nothing of",
        "--anonymous-authentication-config=LIMITED",
    ),
    Fact(
        "rbac_binding_configs.enable_insecure_binding_system_authenticated",
        (False,),
        "no rights for all of Google's users",
        "--no-enable-insecure-binding-system-authenticated",
    ),
    Fact(
        "rbac_binding_configs.enable_insecure_binding_system_unauthenticated",
        (False,),
        "no rights for strangers",
        "--no-enable-insecure-binding-system-unauthenticated",
    ),
    Fact(
        "enable_legacy_abac",
        (False,),
        "rights by RBAC alone",
        "--no-enable-legacy-authorization",
        unset=True,
    ),
    Fact(
        "master_auths.client_certificate_configs.issue_client_certificate",
        (False,),
        "logins by IAM alone",
        unset=True,
    ),
    Fact("allow_net_admin", (False,), "pods that leave the network alone", unset=True),
    Fact("enable_shielded_nodes", (True,), "shielded nodes", "--enable-shielded-nodes", unset=True),
    Fact("enable_kubernetes_alpha", (False,), "a cluster that lives on", unset=True),
    Fact(
        "addons_configs.cloudrun_configs.disabled",
        (True,),
        "no load balancer of the add-on's own on the internet",
        "--update-addons=CloudRun=DISABLED",
        unset=True,
    ),
    Fact(
        "security_posture_configs.mode",
        ("BASIC", "ENTERPRISE"),
        "findings of Google's posture service",
        "--security-posture=standard",
    ),
    Fact(
        "node_pool_defaults.node_config_defaults.insecure_kubelet_readonly_port_enabled",
        ("FALSE",),
        "nodes without a port that asks nobody",
        "--no-enable-insecure-kubelet-readonly-port",
        unset=True,
    ),
    Fact(
        "node_pool_auto_configs.node_kubelet_configs.insecure_kubelet_readonly_port_enabled",
        ("FALSE",),
        "nodes without a port that asks nobody",
        "--no-autoprovisioning-enable-insecure-kubelet-readonly-port",
        unset=True,
    ),
    Fact(
        "logging_configs.enable_components",
        ("SYSTEM_COMPONENTS",),
        "logs of the cluster",
        "--logging=SYSTEM,WORKLOAD",
    ),
    Fact(
        "monitoring_configs.enable_components",
        ("SYSTEM_COMPONENTS",),
        "metrics of the cluster",
        "--monitoring=SYSTEM",
    ),
    Fact(
        "release_channels.channel",
        ("RAPID", "REGULAR", "STABLE", "EXTENDED"),
        "upgrades",
        "--release-channel=regular",
    ),
)


def check_clusters(platform: Platform, provider: gcp.Provider) -> Mapping[str, str]:
    """Return the host names of the control planes of clusters that are there, by region.

    Raises pulumi.RunError for clusters that aren't there or don't fit.
    """
    options = pulumi.InvokeOptions(provider=provider)
    named = {
        region: each.existing.cluster
        for region, each in platform.regions.items()
        if each.existing.cluster is not None
    }
    problems: list[Problem] = []
    endpoints: dict[str, str] = {}
    for region, name in named.items():
        reader = _Reader(platform, region, name)
        found, unread = reader.cluster(options)
        problems += unread
        if found is not None:
            problems += reader.problems(found)
            endpoints[region] = str(at(found, _ENDPOINT))
    raise_for(iter(problems))
    return endpoints


@dataclass(frozen=True)
class _Reader:
    platform: Platform
    region: str
    name: str

    @property
    def _path(self) -> KeyPath:
        return ("regions", self.region, "existing")

    @property
    def _place(self) -> str:
        return f"{self.name} --project={self.platform.project.id} --location={self.region}"

    @property
    def _there(self) -> There:
        update = f"gcloud container clusters update {self._place}"
        return There((*self._path, "cluster"), self.name, update)

    def cluster(self, options: pulumi.InvokeOptions) -> tuple[Cluster | None, list[Problem]]:
        return read(
            (*self._path, "cluster"),
            self.name,
            f"a GKE cluster of {self.region}",
            lambda: gcp.container.get_cluster(
                name=self.name,
                location=self.region,
                project=self.platform.project.id,
                opts=options,
            ),
        )

    def problems(self, cluster: Cluster) -> Iterator[Problem]:
        yield from self._version(cluster)
        yield from self._within(cluster)
        pool = f"{self.platform.project.id}.svc.id.goog"
        identities = Fact(
            "workload_identity_configs.workload_pool",
            (pool,),
            "identities of pods",
            f"--workload-pool={pool}",
        )
        for fact in (identities, *self._groups(), *FACTS):
            if fact.needed(self.platform, self.region):
                yield from self._there.unmet(cluster, fact)
        yield from self._datapath(cluster)
        yield from self._address(cluster)
        yield from self._maintenance(cluster)

    def _groups(self) -> Iterator[Fact]:
        group = self.platform.cluster.security_group
        if group is not None:
            path = "authenticator_groups_configs.security_group"
            yield Fact(path, (group,), "rights of groups", f"--security-group={group}")

    def _version(self, cluster: Cluster) -> Iterator[Problem]:
        found = at(cluster, "master_version")
        least, why = GKE_MINIMUM_VERSION, "which serves InferencePool"
        if self.platform.goes_to_zero_in(self.region):
            least, why = f"1.{ZERO_REPLICAS_MINOR}", "whose autoscalers go to replicas: 0"
        if found and _numbers(found) < _numbers(least):
            minor = ".".join(least.split(".")[:2])
            yield self._there.refused(
                f"master_version is {found}",
                f"{least} or later, {why}",
                f"--master --cluster-version={minor}",
                f"gcloud container clusters upgrade {self._place}",
            )

    def _within(self, cluster: Cluster) -> Iterator[Problem]:
        network, there = self.platform.network, self.platform.regions[self.region].existing
        subnetwork = f"projects/{network.project}/regions/{self.region}/subnetworks"
        for key, path, found, wanted in (
            ("network", ("network", "existing"), cluster.network, network.existing),
            (
                "subnet",
                (*self._path, "subnetwork"),
                cluster.subnetwork,
                f"{subnetwork}/{there.subnetwork}",
            ),
        ):
            if found and found.rpartition("/v1/")[2] != wanted:
                yield Problem(
                    path,
                    shown(str(wanted).rpartition("/")[2]),
                    f"the {key} of cluster {self.name}, {found.rpartition('/v1/')[2]}",
                    "name that, or another cluster",
                )
        for key, path in (("pods_range", "cluster"), ("services_range", "services")):
            found = at(cluster, f"ip_allocation_policies.{path}_secondary_range_name")
            wanted = getattr(there, key)
            if found and found != wanted:
                yield Problem(
                    (*self._path, key),
                    shown(wanted),
                    f"{found}, which cluster {self.name} has",
                    f"write {found}",
                )

    def _datapath(self, cluster: Cluster) -> Iterator[Problem]:
        datapath = at(cluster, "datapath_provider")
        enforced = at(cluster, "network_policies.enabled")
        off = at(cluster, "addons_configs.network_policy_configs.disabled")
        if datapath not in {UNTOLD, "ADVANCED_DATAPATH"} and (enforced is not True or off is True):
            yield self._there.refused(
                f"datapath_provider is {words(datapath) or 'not set'}",
                "ADVANCED_DATAPATH, or network policies that are enforced",
                "--enable-network-policy",
            )

    def _address(self, cluster: Cluster) -> Iterator[Problem]:
        """Yield that others may try the control plane's address."""
        by_address = at(cluster, "control_plane_endpoints_configs.ip_endpoints_configs.enabled")
        if by_address in {UNTOLD, False}:
            return
        private = at(cluster, "private_cluster_configs.enable_private_endpoint")
        networks = at(cluster, "master_authorized_networks_configs")
        google = at(cluster, "master_authorized_networks_configs.gcp_public_cidrs_access_enabled")
        blocks = at(cluster, "master_authorized_networks_configs.cidr_blocks.cidr_block")
        if private is not True or networks == UNSET or google is True or blocks == "0.0.0.0/0":
            yield self._there.refused(
                "control plane has an address that more than named networks reach",
                "the DNS endpoint alone, or a private address with authorized networks",
                "--no-enable-ip-access",
            )

    def _maintenance(self, cluster: Cluster) -> Iterator[Problem]:
        if at(cluster, "maintenance_policies") == UNSET:
            yield self._there.refused(
                "maintenance_policies are not set",
                "a window in which GKE upgrades it",
                "--maintenance-window-start=2026-01-03T02:00:00Z "
                "--maintenance-window-end=2026-01-03T08:00:00Z "
                "--maintenance-window-recurrence='FREQ=WEEKLY;BYDAY=SA,SU'",
            )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))

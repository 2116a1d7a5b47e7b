"""MetricsAdapter: hands Cloud Monitoring's metrics to the autoscalers of one cluster.

Owns the adapter, its namespace, its rights, and the registration as the cluster's custom metrics
API. Does not own the autoscalers (ModelServer) nor the scraping (PodMonitoring).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import PodSpecArgsDict, ProbeArgsDict
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from catalog import releases
from catalog.limits.images import IMAGE
from components.inference import pods
from components.names import LABEL_LENGTH, dns_label
from components.operations.metrics_adapter_rights import adapter_rights
from components.ready import after
from components.validation import Problems, component_type, register

NAMESPACE = "custom-metrics"
PORT = 10250
"""The firewall rule of every GKE cluster lets the control plane reach nodes on this port."""
GROUP = "custom.metrics.k8s.io"
EXTERNAL_GROUP = "external.metrics.k8s.io"
VERSIONS: Mapping[str, Mapping[str, int]] = {
    GROUP: {"v1beta1": 100, "v1beta2": 200},
    EXTERNAL_GROUP: {"v1beta1": 100},
}
"""Versions of the APIs with their priority: the autoscaler takes the highest."""
CERTIFICATES = "/certificates"
REPLICAS = 2


class MetricsAdapterArgs(TypedDict):
    """Arguments of `MetricsAdapter`."""

    project: pulumi.Input[str]
    """Project id."""
    project_number: pulumi.Input[str]
    """Project number, of the project that owns the workload pool."""
    workload_pool: pulumi.Input[str]
    """Workload identity pool of the cluster: `PROJECT_ID.svc.id.goog`."""
    external: NotRequired[bool]
    """Whether it serves metrics of others than pods too, as autoscalers to zero need (default
    false)."""
    image: NotRequired[Annotated[pulumi.Input[str], IMAGE]]
    """Container image (default: the catalog's)."""


def validate_metrics_adapter(name: str) -> Problems:
    """Check that the names made from the component's are allowed."""
    problems = Problems()
    length = len(dns_label(name))
    if not 0 < length <= LABEL_LENGTH:
        problems.add(
            "name",
            f"found {name!r}, which makes a Kubernetes name of {length} characters; allowed: 1 to "
            f"{LABEL_LENGTH}; shorten it",
        )
    return problems


def _asks(path: str, period_seconds: int) -> ProbeArgsDict:
    """Return a probe of the kind of server that the adapter is: anyone may ask for its health."""
    return {
        "http_get": {"path": path, "port": "https", "scheme": "HTTPS"},
        "period_seconds": period_seconds,
    }


class MetricsAdapter(pulumi.ComponentResource):
    """Installs the Custom Metrics Stackdriver Adapter in a cluster.

    One a cluster: a cluster has one custom metrics API. Its account, named after the component so
    that clusters of a project share no right, may read the project's metrics: they have no finer
    scope. Unlike Google's manifest it runs without root, and serves external metrics only where
    asked to. The API server takes its self-signed certificate unchecked, as in that manifest: the
    adapter makes a new one at every start. Source:
    https://github.com/GoogleCloudPlatform/k8s-stackdriver/tree/master/custom-metrics-stackdriver-adapter
    and https://cloud.google.com/kubernetes-engine/docs/tutorials/autoscaling-metrics

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    """

    api_version: pulumi.Output[str]
    """The API version autoscalers ask, known once it is registered."""

    def __init__(
        self, name: str, args: MetricsAdapterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(MetricsAdapter), name, {}, opts)
        validate_metrics_adapter(name).raise_if_any(f"MetricsAdapter {name}")
        self._physical_name = dns_label(name)
        self._selector = pods.selector_labels("metrics-adapter", self._physical_name)
        child = pulumi.ResourceOptions(parent=self)

        self._namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": NAMESPACE,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
            opts=child,
        ).metadata.name
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata=self._metadata(),
            # The pods that need its token say so.
            automount_service_account_token=False,
            opts=child,
        )
        rights = adapter_rights(
            name,
            self._physical_name,
            self._namespace,
            self._selector,
            pulumi.ResourceOptions(parent=self),
        )
        needed: list[pulumi.Resource] = [account, *rights, self._viewer(name, args)]
        deployment = kubernetes.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=self._metadata(),
            spec={
                "replicas": REPLICAS,
                "selector": {"match_labels": self._selector},
                "template": {"metadata": {"labels": self._selector}, "spec": self._pod(args)},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-disruption-budget",
            metadata=self._metadata(),
            spec={"max_unavailable": 1, "selector": {"match_labels": self._selector}},
            opts=child,
        )
        service = kubernetes.core.v1.Service(
            f"{name}-service",
            metadata=self._metadata(),
            spec={
                "selector": self._selector,
                "ports": [{"port": 443, "target_port": PORT, "protocol": "TCP"}],
            },
            opts=child,
        )
        groups = VERSIONS if args.get("external", False) else (GROUP,)
        registered = [
            each for group in groups for each in self._register(name, group, [deployment, service])
        ]
        newest = max(VERSIONS[GROUP], key=VERSIONS[GROUP].__getitem__)
        self.api_version = after(f"{GROUP}/{newest}", *[each.id for each in registered])
        register(self)

    def _metadata(self) -> ObjectMetaArgsDict:
        return {
            "name": self._physical_name,
            "namespace": self._namespace,
            "labels": self._selector,
        }

    def _viewer(self, name: str, args: MetricsAdapterArgs) -> pulumi.Resource:
        return gcp.projects.IAMMember(
            f"{name}-metrics-viewer",
            project=args["project"],
            role="roles/monitoring.viewer",
            member=pulumi.Output.format(
                "principal://iam.googleapis.com/projects/{0}/locations/global"
                "/workloadIdentityPools/{1}/subject/ns/{2}/sa/{3}",
                args["project_number"],
                args["workload_pool"],
                NAMESPACE,
                self._physical_name,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _register(
        self, name: str, group: str, needed: Sequence[pulumi.Resource]
    ) -> Sequence[kubernetes.apiregistration.v1.APIService]:
        return [
            kubernetes.apiregistration.v1.APIService(
                f"{name}-{version}" if group == GROUP else f"{name}-external-{version}",
                metadata={"name": f"{version}.{group}", "labels": self._selector},
                spec={
                    "group": group,
                    "version": version,
                    "group_priority_minimum": 100,
                    "version_priority": priority,
                    "insecure_skip_tls_verify": True,
                    "service": {
                        "name": self._physical_name,
                        "namespace": self._namespace,
                        "port": 443,
                    },
                },
                # Without its server an API blocks the deletion of every namespace, so it goes
                # first and comes last.
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(needed)),
            )
            for version, priority in VERSIONS[group].items()
        ]

    def _pod(self, args: MetricsAdapterArgs) -> PodSpecArgsDict:
        external = str(args.get("external", False)).lower()
        return {
            "service_account_name": self._physical_name,
            # It answers for the API server, and asks it who may see what.
            "automount_service_account_token": True,
            "enable_service_links": False,
            "security_context": pods.pod_security(pods.DISTROLESS_USER, pods.DISTROLESS_USER),
            "topology_spread_constraints": pods.spread_over_nodes(self._selector),
            "volumes": [pods.scratch("certificates", "1Mi")],
            "containers": [
                {
                    "name": "adapter",
                    "image": args.get("image", releases.METRICS_ADAPTER_IMAGE),
                    "command": ["/adapter"],
                    "args": [
                        "--use-new-resource-model=true",
                        "--fallback-for-container-metrics=true",
                        f"--enable-external-metrics-api={external}",
                        f"--secure-port={PORT}",
                        f"--cert-dir={CERTIFICATES}",
                    ],
                    "ports": [{"name": "https", "container_port": PORT}],
                    "readiness_probe": _asks("/readyz", 5),
                    "liveness_probe": {**_asks("/livez", 10), "failure_threshold": 6},
                    "resources": pods.resources(
                        {"cpu": "250m", "memory": "400Mi"}, {"memory": "400Mi"}
                    ),
                    "security_context": pods.container_security(read_only_root=True),
                    "volume_mounts": [{"name": "certificates", "mount_path": CERTIFICATES}],
                }
            ],
        }

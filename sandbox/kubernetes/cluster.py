"""Finds the cluster a kubeconfig points at."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from sandbox.errors import kubernetes
from sandbox.gcp.effects.cluster import CLUSTER
from sandbox.values import Values, as_map, is_map
from sandbox.world import CloudResource, World

DELETE_UNREACHABLE: Final = "PULUMI_K8S_DELETE_UNREACHABLE"
"""Set to `true`, the objects of a cluster that is gone are gone too."""
_FIRST_LINE: Final = 80


@dataclass(frozen=True)
class Access:
    """What a `kubernetes` provider resource was configured with."""

    host: str = ""
    """Host of the API server of the kubeconfig's context; '' when there is none."""
    problem: str = "no kubeconfig was given to the provider"
    namespace: str = "default"
    upsert: bool = False
    delete_unreachable: bool = False


@dataclass(frozen=True)
class Cluster:
    """A cluster that exists."""

    resource: CloudResource

    @property
    def id(self) -> str:
        """Its id, which is the scope of its objects in the world."""
        return self.resource.id

    @property
    def project(self) -> str:
        """The project it is in."""
        return self.resource.project

    @property
    def asks_admission(self) -> bool:
        """Whether Binary Authorization decides which images its pods may run."""
        asks = self.resource.inputs.get("binaryAuthorization")
        return is_map(asks) and asks.get("evaluationMode") == "PROJECT_SINGLETON_POLICY_ENFORCE"

    @property
    def region(self) -> str:
        """Its region, also of a zonal cluster."""
        location = self.id.split("/")[3]
        return location.rsplit("-", 1)[0] if location.count("-") > 1 else location

    @property
    def network(self) -> str:
        """Its VPC as the input names it."""
        return str(self.resource.inputs.get("network", "default"))

    @property
    def version(self) -> str:
        """The version of its control plane."""
        return str(self.resource.outputs.get("masterVersion", ""))

    def feature(self, *path: str) -> Any:
        """Return an input of the cluster, such as `feature("gatewayApiConfig", "channel")`."""
        value: Any = self.resource.inputs
        for name in path:
            value = value.get(name) if is_map(value) else None
        return value


def access_of(settings: Values) -> Access:
    """Read a provider's configuration: `kubeconfig` is YAML or JSON text, or a path to it."""
    namespace = str(settings.get("namespace") or "default")
    host, problem = _host(settings.get("kubeconfig"), settings.get("context"))
    return Access(
        host,
        problem,
        namespace,
        _flag(settings.get("upsertExistingObjects")),
        _flag(settings.get("deleteUnreachable") or os.environ.get(DELETE_UNREACHABLE)),
    )


def _flag(value: object) -> bool:
    return str(value).lower() == "true"


def _host(kubeconfig: object, context: object) -> tuple[str, str]:
    if not isinstance(kubeconfig, str) or not kubeconfig.strip():
        return "", "no kubeconfig was given to the provider"
    text = kubeconfig
    if "\n" not in text and not text.lstrip().startswith("{") and Path(text).is_file():
        text = Path(text).read_text(encoding="utf-8")
    try:
        config: Any = yaml.safe_load(text)
        wanted = context or config["current-context"]
        contexts = {item["name"]: item["context"] for item in config["contexts"]}
        clusters = {item["name"]: item["cluster"] for item in config["clusters"]}
        server = clusters[contexts[wanted]["cluster"]]["server"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        shown = text.strip().splitlines()[0][:_FIRST_LINE]
        return "", (
            f"the kubeconfig '{shown}...' has no usable current-context, contexts and clusters "
            f"({type(error).__name__}: {error})"
        )
    address = str(server) if "//" in str(server) else f"//{server}"
    return urlsplit(address).hostname or "", ""


def find_cluster(world: World, access: Access) -> Cluster | None:
    """Return the cluster whose DNS or IP endpoint the kubeconfig names, or None."""
    for resource in world.by_type(CLUSTER):
        endpoints = as_map(resource.outputs.get("controlPlaneEndpointsConfig"))
        dns = as_map(endpoints.get("dnsEndpointConfig")).get("endpoint")
        if access.host and access.host in {dns, resource.outputs.get("endpoint")}:
            return Cluster(resource)
    return None


def reach(world: World, access: Access) -> Cluster:
    """Return the cluster, or the provider's error for one that does not answer."""
    cluster = find_cluster(world, access)
    if cluster is None:
        why = access.problem or f"dial tcp: lookup {access.host}: no such host"
        raise kubernetes(
            "configured Kubernetes cluster is unreachable: unable to load schema information from "
            f"the API server: {why}"
        )
    return cluster

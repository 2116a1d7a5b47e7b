"""What could be read of a config, for the checks that look across its areas."""

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from pydantic import TypeAdapter, ValidationError

from catalog.problems import KeyPath
from config.api_management import ApiManagement
from config.audit import Audit
from config.batch_inference import BatchInference
from config.binary_authorization import BinaryAuthorization
from config.cluster import Cluster
from config.consumers import Consumer
from config.data import Data
from config.edge_protection import EdgeProtection
from config.encryption import Encryption
from config.feature_store import FeatureStore
from config.gateway import Gateway
from config.gpu_pools import GpuPool
from config.guardrails import Guardrail, GuardrailFloor
from config.models import Model
from config.network import Network, Region
from config.operations import Alerts, Budget, Slos
from config.perimeter import Perimeter
from config.pipelines import Pipeline
from config.platform import Platform
from config.project import Project
from config.secrets import Secret
from config.services import Service
from config.teams import Team
from config.training import Training
from config.vector_indexes import VectorIndex
from config.vertex import VertexEndpoint

_COLLECTIONS: Final = (
    "regions",
    "gpu_pools",
    "models",
    "teams",
    "guardrails",
    "consumers",
    "pipelines",
    "training",
    "vector_indexes",
    "vertex",
    "services",
    "batch_inference",
    "secrets",
)


@dataclass(frozen=True)
class Known:
    """The readable parts: an area or entry with an error of its own is left out.

    `names` has every key that stands in a collection, also of entries that were left out: a
    reference to one of those is not wrong. A collection that could not be read at all is missing.
    `unread` has the areas that are there and could not be read.
    """

    project: Project | None
    gateway: Gateway | None
    perimeter: Perimeter | None
    alerts: Alerts | None
    slos: Slos | None
    budget: Budget | None
    audit: Audit | None
    api_management: ApiManagement | None
    guardrail_floor: GuardrailFloor | None
    data: Data
    network: Network
    regions: Mapping[str, Region]
    cluster: Cluster
    gpu_pools: Mapping[str, GpuPool]
    models: Mapping[str, Model]
    teams: Mapping[str, Team]
    guardrails: Mapping[str, Guardrail]
    consumers: Mapping[str, Consumer]
    pipelines: Mapping[str, Pipeline]
    training: Mapping[str, Training]
    edge_protection: EdgeProtection | None
    encryption: Encryption | None
    binary_authorization: BinaryAuthorization | None
    images: Mapping[str, str]
    feature_store: FeatureStore | None
    vector_indexes: Mapping[str, VectorIndex]
    vertex: Mapping[str, VertexEndpoint]
    services: Mapping[str, Service]
    batch_inference: Mapping[str, BatchInference]
    secrets: Mapping[str, Secret]
    names: Mapping[str, Set[str]]
    unread: Set[str]

    def region_names(self, chosen: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the chosen regions, or every region of the platform."""
        return tuple(self.names.get("regions", ())) if chosen is None else chosen


def known_from(
    parts: Mapping[str, object],
    names: Mapping[str, Set[str]] | None = None,
    unread: Set[str] = frozenset(),
) -> Known:
    """Return what `parts`, values of Platform's fields, say; `names` as in Known, by default
    theirs."""
    collections = {
        name: cast("Mapping[str, object]", parts.get(name) or {}) for name in _COLLECTIONS
    }
    return Known(
        project=cast("Project | None", parts.get("project")),
        gateway=cast("Gateway | None", parts.get("gateway")),
        perimeter=cast("Perimeter | None", parts.get("perimeter")),
        alerts=cast("Alerts | None", parts.get("alerts")),
        slos=cast("Slos | None", parts.get("slos")),
        budget=cast("Budget | None", parts.get("budget")),
        audit=cast("Audit | None", parts.get("audit")),
        api_management=cast("ApiManagement | None", parts.get("api_management")),
        guardrail_floor=cast("GuardrailFloor | None", parts.get("guardrail_floor")),
        cluster=cast("Cluster", parts.get("cluster") or Cluster()),
        data=cast("Data", parts.get("data") or Data()),
        network=cast("Network", parts.get("network") or Network()),
        regions=cast("Mapping[str, Region]", collections["regions"]),
        gpu_pools=cast("Mapping[str, GpuPool]", collections["gpu_pools"]),
        models=cast("Mapping[str, Model]", collections["models"]),
        teams=cast("Mapping[str, Team]", collections["teams"]),
        guardrails=cast("Mapping[str, Guardrail]", collections["guardrails"]),
        consumers=cast("Mapping[str, Consumer]", collections["consumers"]),
        pipelines=cast("Mapping[str, Pipeline]", collections["pipelines"]),
        training=cast("Mapping[str, Training]", collections["training"]),
        encryption=cast("Encryption | None", parts.get("encryption")),
        edge_protection=cast("EdgeProtection | None", parts.get("edge_protection")),
        binary_authorization=cast("BinaryAuthorization | None", parts.get("binary_authorization")),
        images=cast("Mapping[str, str]", parts.get("images") or {}),
        feature_store=cast("FeatureStore | None", parts.get("feature_store")),
        vector_indexes=cast("Mapping[str, VectorIndex]", collections["vector_indexes"]),
        vertex=cast("Mapping[str, VertexEndpoint]", collections["vertex"]),
        services=cast("Mapping[str, Service]", collections["services"]),
        batch_inference=cast("Mapping[str, BatchInference]", collections["batch_inference"]),
        secrets=cast("Mapping[str, Secret]", collections["secrets"]),
        names={name: entries.keys() for name, entries in collections.items()}
        if names is None
        else names,
        unread=unread,
    )


def readable(values: Mapping[str, object], broken: Set[KeyPath]) -> Known:
    """Return the areas and entries of `values` that have no error at or below them in `broken`."""
    parts: dict[str, object] = {}
    names: dict[str, Set[str]] = {}
    unread: set[str] = set()
    for area in Platform.model_fields:
        value = values.get(area)
        if area in _COLLECTIONS and isinstance(value, Mapping):
            entries = cast("Mapping[str, object]", value)
            names[area] = entries.keys()
            bad = {path[1] for path in broken if path[0] == area and len(path) > 1}
            value = {key: entry for key, entry in entries.items() if key not in bad}
        try:
            parts[area] = _adapter(area).validate_json(json.dumps(value))
        except ValidationError:
            if value is not None:
                unread.add(area)
    return known_from(parts, names, unread)


@cache
def _adapter(area: str) -> TypeAdapter[object]:
    return TypeAdapter(Platform.model_fields[area].rebuild_annotation())

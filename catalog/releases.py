"""Versions of the software the platform runs, and the API versions its objects are written for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from catalog.table import read, rows


@dataclass(frozen=True)
class Image:
    """A container image with its tag, and where the choice comes from."""

    image: str
    source: str


@dataclass(frozen=True)
class Chart:
    """A Helm chart in an OCI registry with its version, and where the choice comes from."""

    chart: str
    version: str
    source: str


@dataclass(frozen=True)
class Minimum:
    """The lowest version that works, and where that is said."""

    version: str
    source: str


@dataclass(frozen=True)
class CustomResource:
    """A Kubernetes kind: its group/version and who installs its definition (gke or platform)."""

    api_version: str
    installed_by: str
    source: str


_document = read("releases.yaml")

AS_OF = dt.date.fromisoformat(str(_document["as_of"]))
IMAGES: Mapping[str, Image] = rows(Image, _document, "images")
CHARTS: Mapping[str, Chart] = rows(Chart, _document, "charts")
CUSTOM_RESOURCES: Mapping[str, CustomResource] = rows(CustomResource, _document, "custom_resources")

ENDPOINT_PICKER_IMAGE = IMAGES["endpoint_picker"].image
BODY_BASED_ROUTER_IMAGE = IMAGES["body_based_router"].image
METRICS_ADAPTER_IMAGE = IMAGES["metrics_adapter"].image
LEADER_WORKER_SET_IMAGE = IMAGES["leader_worker_set"].image
LEADER_WORKER_SET_CHART = CHARTS["leader_worker_set"]
ENVOY_IMAGE = IMAGES["envoy"].image
GKE_MINIMUM_VERSION = rows(Minimum, _document, "gke")["minimum"].version

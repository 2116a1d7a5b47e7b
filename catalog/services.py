"""Google Cloud APIs: what to enable for each area and what a perimeter restricts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from catalog.table import read, rows

AREAS = (
    *("foundation", "inference", "vertex_ai", "serverless", "apigee", "perimeter"),
    *("services-access", "notifications", "budget"),
    *("warehouse", "cache", "encryption", "vertex", "training", "batch_inference", "lineage"),
    *("data_quality", "feature_store", "scheduled_queries"),
    *("services", "dataflow", "api_gateway", "iap", "binary_authorization", "audit"),
    *("shared-vpc", "shared-vpc-run", "shared-vpc-dataflow"),
)


@dataclass(frozen=True)
class Service:
    """One API: the areas that need it, whether a service perimeter can restrict it, and whether
    data, keys or identities are read and written through it, so that this is worth a log."""

    areas: tuple[str, ...]
    perimeter: bool
    audit: bool = False


_document = read("services.yaml")

AS_OF = dt.date.fromisoformat(str(_document["as_of"]))
SERVICES: Mapping[str, Service] = rows(Service, _document, "services")
RESTRICTED_SERVICES: tuple[str, ...] = tuple(
    sorted(name for name, service in SERVICES.items() if service.perimeter)
)
AUDITED_SERVICES: frozenset[str] = frozenset(
    name for name, service in SERVICES.items() if service.audit
)
"""The APIs whose reads and writes of data are worth an audit log."""
SUPPORTED_SERVICES: frozenset[str] = frozenset(RESTRICTED_SERVICES) | {
    f"{name}.googleapis.com" for name in cast("list[str]", _document["supported"])
}
"""Every API that a service perimeter can restrict, of the platform or not."""
_IDENTITIES = cast("Mapping[str, list[str]]", _document["identities"])


def services_to_enable(areas: Iterable[str] = AREAS) -> tuple[str, ...]:
    """Return the APIs the areas need (default: all), sorted: host names such as
    `run.googleapis.com`."""
    wanted = set(areas)
    return tuple(sorted(name for name, service in SERVICES.items() if wanted & set(service.areas)))


def identities_for(areas: Iterable[str]) -> tuple[str, ...]:
    """Return the APIs whose service agent must exist before grants are made, sorted."""
    return tuple(sorted({name for area in areas for name in _IDENTITIES.get(area, ())}))

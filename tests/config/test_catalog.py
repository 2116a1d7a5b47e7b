"""The catalog's tables: complete, sourced, and within what is possible."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from catalog import machines, metrics, prices, releases, services, strict_yaml
from catalog.machines import CAPACITIES, GPU_MACHINE_TYPES, MACHINE_TYPES, REGIONS
from catalog.prices import MACHINE_PRICES, PRICES, UNPRICED
from catalog.table import CatalogError, read, row
from components.cluster.gke_cluster import MINIMUM_MINOR_VERSION
from cost.rates import CATALOG as RATES
from sandbox.gcp import rows
from sandbox.gcp.effects.cluster import DEFAULT_VERSION
from sandbox.gcp.services import service_of
from sandbox.sdk_shapes import ListOf, Scalar
from sandbox.sdk_types import resource_type, tokens
from tests.config.samples import ROOT
from tests.sandbox.shapes import shape_at

CONFIDENCES = {"high", "medium", "low"}
TODAY = dt.datetime.now(tz=dt.UTC).date()


@pytest.mark.parametrize("table", [machines, metrics, prices, releases, services])
def test_tables_have_a_date(table: object) -> None:
    as_of = getattr(table, "AS_OF", None)
    assert isinstance(as_of, dt.date)
    assert dt.date(2025, 1, 1) < as_of <= TODAY


@pytest.mark.parametrize(
    "file", sorted((ROOT / "catalog").glob("*.yaml")), ids=lambda file: file.name
)
def test_a_file_is_read_alike_in_both_ways(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert strict_yaml.load(text, own=True) == strict_yaml.load(text)


@pytest.mark.parametrize("name", MACHINE_TYPES)
def test_machine(name: str) -> None:
    machine = MACHINE_TYPES[name]
    assert machine.zones
    for zone in machine.zones:
        region = zone.rpartition("-")[0]
        assert zone in REGIONS[region], zone
        assert zone in machine.zones_in(region)
        assert region in machine.regions
    assert machine.capacities
    assert machine.capacities <= set(CAPACITIES)
    assert machine.boot_disk_type in PRICES
    assert machine.confidence in CONFIDENCES
    assert (machine.gpu_count > 0) == bool(machine.gpu_type) == (machine.gpu_memory_gib > 0)
    assert machine.gpu_count in {0, 1, 2, 4, 8}
    # Google sells between 2 and 18 GiB of memory for each vCPU, and somewhat less beside TPUs.
    assert (1.7 if machine.is_tpu else 2) <= machine.memory_gib / machine.vcpus <= 18


def test_machine_names_tell_their_size() -> None:
    for name, machine in MACHINE_TYPES.items():
        size = name.rpartition("-")[2]
        counts = size.endswith(("g", "t"))
        assert int(size.rstrip("gt")) == (machine.gpu_count if counts else machine.vcpus)


def test_topologies_are_of_whole_nodes() -> None:
    for machine in MACHINE_TYPES.values():
        nodes = [machine.nodes_of(each) for each in machine.topologies]
        assert nodes == [2**power for power in range(len(nodes))]
        assert machine.is_tpu == machine.gpu_type.startswith("tpu")


def test_every_gpu_machine_type_of_the_supported_families_is_there() -> None:
    assert sorted(GPU_MACHINE_TYPES) == sorted(
        [f"g2-standard-{size}" for size in (4, 8, 12, 16, 24, 32, 48, 96)]
        + [
            f"{series}-{size}g"
            for series in ("a2-highgpu", "a2-ultragpu", "a3-highgpu")
            for size in (1, 2, 4, 8)
        ]
        + ["a3-megagpu-8g", "a3-ultragpu-8g", "a4-highgpu-8g"]
        + [f"g4-standard-{size}" for size in (48, 96, 192, 384)]
        + [f"ct5lp-hightpu-{size}t" for size in (1, 4, 8)]
        + [f"ct6e-standard-{size}t" for size in (1, 4, 8)]
        + ["ct5p-hightpu-4t"]
    )


@pytest.mark.parametrize("gpu", machines.PARTITIONS)
def test_partitions_are_parts_of_a_gpu(gpu: str) -> None:
    whole = machines.GPUS[gpu]
    for size, each in machines.PARTITIONS[gpu].items():
        assert size.endswith(f"g.{each.memory_gib:g}gb")
        assert each.usable_gib < each.memory_gib
        assert each.count * each.usable_gib <= whole.usable_gib
        assert each.count * each.compute <= 1
        assert whole.part(each).bandwidth_gbps * each.count <= whole.bandwidth_gbps


def test_partial_h100_machines_are_not_sold_on_demand() -> None:
    for size in (1, 2, 4):
        assert MACHINE_TYPES[f"a3-highgpu-{size}g"].capacities == {"spot", "flex-start"}


def test_regions_and_zones_look_like_it() -> None:
    for region, zones in REGIONS.items():
        assert re.fullmatch(r"[a-z]+-[a-z]+[0-9]+", region)
        assert len(zones) >= 3
        assert all(re.fullmatch(rf"{region}-[a-f]", zone) for zone in zones)


def test_a_zone_asked_for_elsewhere_is_empty() -> None:
    assert MACHINE_TYPES["a2-ultragpu-1g"].zones_in("us-west1") == ()


@pytest.mark.parametrize("name", MACHINE_TYPES)
def test_machine_price(name: str) -> None:
    price = MACHINE_PRICES[name]
    assert price.on_demand > 0
    if price.spot is None:
        assert f"spot-{MACHINE_TYPES[name].series}" in UNPRICED
    else:
        assert 0.1 < price.spot / price.on_demand < 0.7
    assert price.source
    assert price.confidence in CONFIDENCES
    assert price.as_of <= TODAY


def test_no_price_is_for_a_machine_that_is_not_in_the_table() -> None:
    assert MACHINE_PRICES.keys() == MACHINE_TYPES.keys()


def test_a_gpu_costs_about_the_same_in_every_size() -> None:
    # A table with a wrong row shows here: the catalogs these come from had some.
    for series in {machine.series for machine in GPU_MACHINE_TYPES.values()} - {"g2"}:
        each = [
            MACHINE_PRICES[name].on_demand / machine.gpu_count
            for name, machine in GPU_MACHINE_TYPES.items()
            if machine.series == series
        ]
        assert max(each) / min(each) < 1.05, series


@pytest.mark.parametrize("name", PRICES)
def test_price(name: str) -> None:
    price = PRICES[name]
    assert price.usd >= 0
    assert price.usd > 0 or "free" in price.note
    assert re.fullmatch(r"(million )?[A-Za-z]+(-[a-z]+)?", price.unit)
    assert price.source.startswith("https://cloud.google.com/")
    assert price.confidence in CONFIDENCES
    assert price.as_of <= TODAY


def test_what_has_no_price_says_why() -> None:
    assert all(UNPRICED.values())


def test_images_are_pinned_and_sourced() -> None:
    for image in releases.IMAGES.values():
        assert re.fullmatch(
            r"[a-z0-9./-]+:(distroless-)?v[0-9]+\.[0-9]+\.[0-9]+(-gke\.[0-9]+)?", image.image
        )
        assert image.source.startswith("https://")


def test_a_chart_is_of_the_release_of_its_image() -> None:
    for name, chart in releases.CHARTS.items():
        image = releases.IMAGES.get(name)
        assert image is None or image.image.endswith(f":v{chart.version}")
        assert chart.chart.startswith("oci://")
        assert chart.source.startswith("https://")


def test_endpoint_picker_and_router_are_of_one_release() -> None:
    picker = releases.ENDPOINT_PICKER_IMAGE.rpartition(":")[2]
    assert releases.BODY_BASED_ROUTER_IMAGE.rpartition(":")[2] == picker


def test_custom_resources_are_of_the_family_of_the_endpoint_picker() -> None:
    versions = {kind: resource.api_version for kind, resource in releases.CUSTOM_RESOURCES.items()}
    assert versions["InferencePool"] == "inference.networking.k8s.io/v1"
    assert versions["InferenceObjective"] == "inference.networking.x-k8s.io/v1alpha2"
    for resource in releases.CUSTOM_RESOURCES.values():
        assert re.fullmatch(r"[a-z0-9.-]+/v[0-9]+(?:(?:alpha|beta)[0-9]+)?", resource.api_version)
        assert resource.installed_by in {"gke", "platform"}
        assert resource.source.startswith("https://")


def _components() -> str:
    return "".join(path.read_text() for path in sorted((ROOT / "components").rglob("*.py")))


def _served_by_gke() -> dict[str, dict[str, str]]:
    """Return custom kinds of a GKE cluster: their rows in the rehearsal's table."""
    table = strict_yaml.load((ROOT / "sandbox" / "kubernetes.yaml").read_text())
    return {kind: row for row in cast("Any", table)["installed"] for kind in row["kinds"]}


def test_every_custom_resource_in_use_is_in_the_catalog_and_every_other_is_not() -> None:
    source = _components()
    used = {kind for kind in releases.CUSTOM_RESOURCES if f'"{kind}"' in source}
    assert used == releases.CUSTOM_RESOURCES.keys()
    by_gke = {kind for kind, row in releases.CUSTOM_RESOURCES.items() if row.installed_by == "gke"}
    assert by_gke <= _served_by_gke().keys()
    assert re.findall(r'\bKind\("([^"]+)", ', source) == ["v1"]  # the core Service


def test_what_gke_installs_is_there_from_the_minimum_version_on() -> None:
    for kind, resource in releases.CUSTOM_RESOURCES.items():
        if resource.installed_by == "gke":
            row = _served_by_gke()[kind]
            group, _, version = resource.api_version.partition("/")
            assert row["group"] == group
            assert version in row["versions"]
            assert _version(row.get("since", "0.0.0-gke.0")) <= _version(
                releases.GKE_MINIMUM_VERSION
            )


def test_clusters_are_of_the_minimum_version_or_later() -> None:
    minimum = _version(releases.GKE_MINIMUM_VERSION)
    assert _version(f"{MINIMUM_MINOR_VERSION}.0-gke.0")[:2] == minimum[:2]
    assert _version(DEFAULT_VERSION) >= minimum


def test_definitions_in_the_tests_are_of_the_catalogs_releases() -> None:
    modules = (ROOT / "tools" / "go" / "inference-extension" / "go.mod").read_text()
    extension = re.search(r"gateway-api-inference-extension (v\S+)", modules)
    gateway_api = re.search(r"sigs.k8s.io/gateway-api (v\d+)", modules)
    assert extension and gateway_api
    assert extension[1] == releases.ENDPOINT_PICKER_IMAGE.rpartition(":")[2]
    for kind in ("Gateway", "HTTPRoute"):
        assert releases.CUSTOM_RESOURCES[kind].api_version.endswith(f"/{gateway_api[1]}")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def test_services() -> None:
    for name, service in services.SERVICES.items():
        assert name.endswith(".googleapis.com")
        assert service.areas
        assert set(service.areas) <= set(services.AREAS)
    assert list(services.services_to_enable()) == sorted(services.SERVICES)
    assert "run.googleapis.com" not in services.services_to_enable(["foundation", "inference"])
    assert set(services.identities_for(services.AREAS)) <= set(services.services_to_enable())


def test_the_service_of_every_type_in_use_is_known_and_enabled() -> None:
    sources = [*(ROOT / "components").rglob("*.py"), *(ROOT / "stacks").rglob("*.py")]
    used = {
        each
        for source in sources
        for each in re.findall(r"\bgcp\.([a-z0-9]+\.[A-Z]\w+)", source.read_text())
    }
    types = {
        f"{module}.{name}": token
        for token in tokens("gcp")
        for _, module, _, name in [re.split("[:/]", token)]
    }
    needed = {
        service_of(found) for each in used & types.keys() if (found := resource_type(types[each]))
    }
    assert len(needed) > 20
    assert needed - {None} <= services.SERVICES.keys()
    modules = {each.partition(".")[0] for each in used}
    # Organisations and folders are no project's.
    assert {name for name in modules if rows.service(name).service is None} <= {"organizations"}


def test_the_types_of_the_price_table_exist() -> None:
    known = {*tokens("gcp"), *tokens("kubernetes")}
    priced = {price.type for price in PRICES.values() if price.type}
    assert priced
    assert priced | prices.USAGE.keys() <= known
    free = cast("Any", read("prices.yaml"))["free"]["types"]
    names = {(token.split(":")[1].partition("/")[0], token.split(":")[2]) for token in known}
    assert {(module, name) for module, each in free.items() for name in each} <= names
    assert all(prices.is_free(f"gcp:{module}/x:{each[0]}") for module, each in free.items())
    assert not prices.is_free("gcp:compute/instance:Instance")


@pytest.mark.parametrize("name", [name for name, price in PRICES.items() if price.type])
def test_a_priced_type_costs_by_the_month_and_by_inputs_it_has(name: str) -> None:
    price = PRICES[name]
    assert RATES.month(name), f"unit: found {price.unit}, allowed: ends in -hour, -month or -second"
    found = resource_type(price.type)
    assert found
    if price.times:
        shape = shape_at(found, price.times)
        # Numbers that need 64 bits are text.
        number = isinstance(shape, Scalar) and shape.kind in {"integer", "number", "string"}
        assert number or isinstance(shape, ListOf), (
            f"times: found {price.times}, allowed: a number or list of {price.type}'s inputs"
        )


@dataclass(frozen=True)
class Sample:
    """A row to try the loader on."""

    count: int
    price: float = 0.0
    day: dt.date | None = None
    names: tuple[str, ...] = ()


def test_rows_become_typed() -> None:
    assert row(Sample, "x", {"count": 1, "price": 2, "names": ["a"]}) == Sample(
        1, 2.0, None, ("a",)
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"count": 1, "cuont": 2}, "x: unknown columns"),
        ({}, "x: missing columns"),
        ({"count": "1"}, "x.count: found '1'"),
        ({"count": True}, "x.count: found True"),
        ({"count": 1, "names": [1]}, "x.names: found"),
        ({"count": 1, "names": "a"}, "x.names: found"),
    ],
)
def test_wrong_rows_are_refused(columns: dict[str, object], message: str) -> None:
    with pytest.raises(CatalogError, match=f"^{re.escape(message)}"):
        row(Sample, "x", columns)


def test_a_missing_table_is_refused() -> None:
    with pytest.raises(FileNotFoundError):
        read("nothing.yaml")

"""Everything is in the allowed locations."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, entries, get, text
from resources.resource import Resource

_TOPIC: Final = "gcp:pubsub/topic:Topic"
_REPLICATED: Final = "gcp:secretmanager/secret:Secret"
_SPANNER: Final = "gcp:spanner/instance:Instance"
_ZONE: Final = re.compile(r"([a-z]+-[a-z]+[0-9]+)-[a-z]")
_PLACED: Final = ("customPlacementConfig", "dataLocations")
# Properties that name a place, and those that name several.
_ONE: Final = (
    ("location",),
    ("region",),
    ("zone",),
    ("locationId",),
    ("alternativeLocationId",),
    ("analyticsRegion",),
    ("apiConsumerDataLocation",),
    ("settings", "backupConfiguration", "location"),
)
_SEVERAL: Final = (
    ("messageStoragePolicy", "allowedPersistenceRegions"),
    ("nodeLocations",),
    ("clusterAutoscaling", "autoProvisioningLocations"),
    _PLACED,
    ("distributionPolicyZones",),
    ("replicaZones",),
)


def _region(place: str) -> str:
    name = place.rpartition("/")[2].lower()
    match = _ZONE.fullmatch(name)
    return match[1] if match else name


def _places(resource: Resource) -> Iterator[str]:
    # A bucket in two regions names a continent beside them.
    placed = entries(resource.props, *_PLACED)
    paths = _ONE[1:] if isinstance(placed, tuple) and placed else _ONE
    found: list[object] = [text(resource.props, *path) for path in paths]
    for path in _SEVERAL:
        listed = entries(resource.props, *path)
        found += listed if isinstance(listed, tuple) else ()
    if resource.type == _SPANNER:
        config = text(resource.props, "config")
        found.append(
            config.rpartition("/")[2].removeprefix("regional-") if isinstance(config, str) else ""
        )
    if resource.type == _REPLICATED:
        replicas = entries(resource.props, "replication", "userManaged", "replicas")
        known = replicas if isinstance(replicas, tuple) else ()
        found += [text(each, "location") for each in known]
        if get(resource.props, "replication", "auto") is not MISSING:
            found.append("global")
    for place in found:
        if isinstance(place, str) and place:
            yield _region(place)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = {name.lower() for name in limits.names("allowedLocations")}
    if not set(_places(resource)) <= allowed:
        yield "is outside the allowed locations"
    if resource.type == _TOPIC and get(resource.props, "messageStoragePolicy") is MISSING:
        yield "has no messageStoragePolicy, so its messages may be kept anywhere"


RULE: Final = ResourceRule(
    id="data-residency",
    display_name="Data stays in its regions",
    description=(
        "Every resource with a location is in an allowed one, and topics and secrets keep their "
        "data there."
    ),
    why="Data in another country is under another law.",
    remediation="move the resource, or allow the location in the policy config.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/architecture/framework/security/data-residency-sovereignty",
    limits=(NamesLimit("allowedLocations", "Regions, multi-regions and global that may be used"),),
    applies=lambda resource_type: resource_type.startswith("gcp:"),
    check=_check,
)

"""Limits of buckets and of the cache."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from catalog.limits import Choice, LimitError, Range, Text
from catalog.needs import encrypting_services
from catalog.problems import Problem, joined, shown

MINIMUM_DAYS: Final[Mapping[str, int]] = {
    "STANDARD": 0,
    "NEARLINE": 30,
    "COLDLINE": 90,
    "ARCHIVE": 365,
}
"""From warm to cold, the days that an object is paid for even when it is deleted earlier.

https://cloud.google.com/storage/docs/storage-classes
"""
_CLASSES: Final = tuple(MINIMUM_DAYS)
NOT_GOOGLE: Final = "(?![a-z0-9-]*g[o0][o0]gle)"
"""Pattern before a name that becomes part of a bucket's.

https://cloud.google.com/storage/docs/buckets#naming
"""
STORAGE_CLASSES: Final = Choice(_CLASSES, default="STANDARD")
COLDER_CLASSES: Final = Choice(_CLASSES[1:])
DAYS: Final = Range(1, 36500, "days")
OLD_VERSIONS_DAYS: Final = Range(1, 36500, "days", default=30)
KMS_KEY: Final = Text(
    r"projects/[^/\s]+/locations/[^/\s]+/keyRings/[^/\s]+/cryptoKeys/[^/\s]+",
    "a key of Cloud KMS: projects/<project>/locations/<region>/keyRings/<ring>/cryptoKeys/<key>",
    "`gcloud kms keys list` shows them",
)
BUCKET: Final = Text(
    "(?!goog)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
    "3 to 63 lowercase letters, digits or . _ -, a letter or digit first and last, not goog first",
    "`gcloud storage buckets list` shows them",
)
# The policy packs allow as much, as CIS does.
ROTATION_DAYS: Final = Range(1, 90, "days", default=90)
KEY_USER: Final = Choice(encrypting_services())

CACHE_GIB: Final = Range(1, 300, "GiB", default=1)
CACHE_TIER: Final = Choice(("basic", "standard"), default="basic")
READ_REPLICAS: Final = Range(0, 5, default=0)
# https://cloud.google.com/memorystore/docs/redis/read-replicas-overview
_SMALLEST_WITH_READ_REPLICAS_GIB: Final = 5


@dataclass(frozen=True)
class _SoftDelete(Range):
    """Days that a deleted object can be had back: none at all, or a week and more."""

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase."""
        return f"0, or {self.default} to {self.high}"

    def check(self, value: Any) -> None:
        """Raise LimitError for another number."""
        super().check(value)
        if isinstance(value, int) and 0 < value < self.default:
            raise LimitError(self.allowed, "change it")


SOFT_DELETE_DAYS: Final = _SoftDelete(0, 90, default=7)


def bucket(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield ages of a bucket's objects that do not fit each other or the storage classes."""
    start = given.get("storage_class", STORAGE_CLASSES.default)
    colder: Mapping[str, int] = given.get("colder_after_days") or {}
    known = {name: age for name, age in colder.items() if name in COLDER_CLASSES.values}
    if start in MINIMUM_DAYS:
        yield from _colder(start, known)
        yield from _deletion({start: 0, **known}, given)
    if given.get("versioning") and given.get("retention_days") is not None:
        yield Problem(
            ("retention_days",),
            f"{shown(given['retention_days'])} with versioning",
            "one of versioning and retention_days",
            "remove one: Cloud Storage keeps no old versions in a bucket with a retention policy",
        )
    yield from _lock(given)


def _lock(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a lock of no retention."""
    if given.get("retention_locked") and given.get("retention_days") is None:
        yield Problem(
            ("retention_locked",),
            "true without retention_days",
            "true with retention_days",
            "add retention_days, or remove it",
        )


def _colder(start: str, colder: Mapping[str, int]) -> Iterator[Problem]:
    warmer_ones = _CLASSES[: _CLASSES.index(start) + 1]
    for name, age in colder.items():
        path = ("colder_after_days", name)
        if name in warmer_ones:
            yield Problem(
                path,
                f"a class no colder than {start}, that of new objects",
                joined({*_CLASSES}.difference(warmer_ones)),
                "remove it, or choose a warmer storage_class",
            )
        elif age < (least := MINIMUM_DAYS[start]):
            yield Problem(
                path,
                shown(age),
                f"{least} or more: {start} bills each object that long",
                f"raise it to {least} or choose a warmer storage_class",
            )
    steps = sorted(colder.items(), key=lambda step: (step[1], step[0]))
    for (warmer, _), (name, age) in pairwise(steps):
        if _CLASSES.index(name) < _CLASSES.index(warmer):
            yield Problem(
                ("colder_after_days", name),
                shown(age),
                f"less than the age for {warmer}, which is colder",
                "exchange the ages, or remove one",
            )


def _deletion(ages: Mapping[str, int], given: Mapping[str, Any]) -> Iterator[Problem]:
    days, kept = given.get("delete_after_days"), given.get("retention_days")
    if days is None:
        return
    path = ("delete_after_days",)
    if kept is not None and days < kept:
        yield Problem(
            path,
            shown(days),
            f"retention_days, {kept}, or more (nothing is deleted before)",
            "raise it or lower retention_days",
        )
    last = max(ages, key=lambda name: ages[name])
    least = ages[last] + MINIMUM_DAYS[last]
    if days < least:
        yield Problem(
            path,
            shown(days),
            f"{least} or more: objects are {last} from day {ages[last]} on, which bills"
            f" {MINIMUM_DAYS[last]} days",
            f"raise it to {least} or end with a warmer class",
        )


def bills(key: str, days: int, storage_class: str) -> Iterator[Problem]:
    """Yield days after which objects go that are paid for longer."""
    least = MINIMUM_DAYS.get(storage_class, 0)
    if days < least:
        yield Problem(
            (key,),
            shown(days),
            f"{least} or more: {storage_class} bills each object that long",
            f"raise it to {least} or choose a warmer storage class",
        )


def key_location(key: str) -> str:
    """Return where a key is, of its full name."""
    return key.split("/")[3]


def key_place(key: object, region: str) -> Iterator[Problem]:
    """Yield a key that is not where what it encrypts is."""
    if not isinstance(key, str) or not KMS_KEY.matches(key):
        return
    location = key_location(key)
    if location != region.lower():
        yield Problem(
            ("kms_key",),
            f"a key in {location}",
            f"a key in {region}, where the data is",
            "name one of that location: `gcloud kms keys list` shows them",
        )


def cache(given: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield read replicas that a cache of such a size or tier cannot have."""
    replicas = given.get("read_replicas", READ_REPLICAS.default)
    memory = given.get("memory_gib", CACHE_GIB.default)
    if not replicas:
        return
    if given.get("tier", CACHE_TIER.default) == "basic":
        yield Problem(
            ("read_replicas",),
            shown(replicas),
            "0 with tier basic",
            "remove it, or set tier: standard",
        )
    elif memory < _SMALLEST_WITH_READ_REPLICAS_GIB:
        yield Problem(
            ("memory_gib",),
            shown(memory),
            f"{_SMALLEST_WITH_READ_REPLICAS_GIB} to {CACHE_GIB.high} with read_replicas",
            "raise it, or remove read_replicas",
        )

"""Encryption: one key for each place."""

from collections.abc import Iterator

from catalog.limits.storage import key_location
from catalog.problems import Problem, shown
from config.known import Known


def check_encryption(known: Known) -> Iterator[Problem]:
    """Check that no two keys are in one place."""
    keys = () if known.encryption is None else known.encryption.keys
    for index, key in enumerate(keys):
        if key_location(key) in map(key_location, keys[:index]):
            yield Problem(
                ("encryption", "keys", index),
                shown(key),
                "one key in each place",
                "remove it, or the other: give single buckets and datasets a kms_key",
            )

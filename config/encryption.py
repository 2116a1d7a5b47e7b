"""Encryption: the keys of one's own that everything is encrypted with."""

from collections.abc import Mapping
from typing import Annotated

from catalog.limits import storage as limits
from config.data import KmsKey
from config.fields import Settings
from config.services import Member


class Encryption(Settings):
    """Keys of Cloud KMS for everything that takes one: buckets, tables, topics, secrets, images,
    node disks, cluster secrets, services, jobs and the cache, each with that of its region."""

    rotation_days: Annotated[int, limits.ROTATION_DAYS]
    """Days after which a key that is made gets a new version. Old ones stay, for what they
    encrypted."""
    administrators: tuple[Member, ...] = ()
    """Who manages the keys that are made, without being able to decrypt."""
    keys: tuple[KmsKey, ...] = ()
    """Existing keys, each for what is in its region, or of global for secrets. In every other place
    one is made. Default: all are made."""

    @property
    def key_by_location(self) -> Mapping[str, str]:
        """The existing keys, by where they are."""
        return {limits.key_location(key): key for key in self.keys}

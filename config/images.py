"""Images: what runs in the place of the catalog's image of the same name."""

import re
from dataclasses import dataclass

from catalog.limits.images import ARTIFACT_REGISTRY


def tag_of(reference: str) -> str | None:
    """Return the tag of a reference; None where it has a digest only."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2] or None


@dataclass(frozen=True)
class Repository:
    """A repository of Artifact Registry."""

    location: str
    project: str
    name: str

    @property
    def prefix(self) -> str:
        """What the names of its images begin with."""
        return f"{self.location}{ARTIFACT_REGISTRY}{self.project}/{self.name}/"

    @property
    def id(self) -> str:
        """Its full name."""
        return f"projects/{self.project}/locations/{self.location}/repositories/{self.name}"


def repository_of(reference: str) -> Repository | None:
    """Return the repository of an image in Artifact Registry; None of an image elsewhere."""
    found = re.match(f"([a-z0-9-]+){re.escape(ARTIFACT_REGISTRY)}([^/]+)/([^/]+)/", reference)
    return None if found is None else Repository(*found.groups())

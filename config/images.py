"""Images: what runs in the place of the catalog's image of the same name."""

import re
from dataclasses import dataclass
from typing import Annotated

from catalog.limits import Text
from catalog.limits.names import ANY_TAG, DIGEST, TAG

ImageReference = Annotated[
    str,
    Text(
        r"(?:(?:docker\.io|registry\.k8s\.io|[a-z0-9-]+-docker\.pkg\.dev)/)?[a-z0-9_-]+(?:/[a-z0-9][a-z0-9._-]*)*"
        f"(?:{TAG}|(?:{ANY_TAG})?{DIGEST})",
        "an image of Docker Hub, registry.k8s.io or the project's Artifact Registry with a tag that"
        " stays, a sha256 digest or both",
        "write it like vllm/vllm-openai:v0.26.0@sha256:...",
    ),
]
"""The registries are those that ImageMirror mirrors, and the one that needs no mirror."""


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
        return f"{self.location}-docker.pkg.dev/{self.project}/{self.name}/"

    @property
    def id(self) -> str:
        """Its full name."""
        return f"projects/{self.project}/locations/{self.location}/repositories/{self.name}"


def repository_of(reference: str) -> Repository | None:
    """Return the repository of an image in Artifact Registry; None of an image elsewhere."""
    found = re.match("([a-z0-9-]+)-docker[.]pkg[.]dev/([^/]+)/([^/]+)/", reference)
    return None if found is None else Repository(*found.groups())

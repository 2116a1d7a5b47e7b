"""Images: what runs in the place of the catalog's image of the same name."""

from typing import Annotated

from catalog.limits import Text

_TAG = ":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = "@sha256:[0-9a-f]{64}"

ImageReference = Annotated[
    str,
    Text(
        r"(?:(?:docker\.io|registry\.k8s\.io)/)?[a-z0-9_-]+(?:/[a-z0-9][a-z0-9._-]*)*"
        f"(?:{_TAG}|{_DIGEST}|{_TAG}{_DIGEST})",
        "an image of Docker Hub or registry.k8s.io with a tag, a sha256 digest or both",
        "write it like vllm/vllm-openai:v0.26.0@sha256:...",
    ),
]
"""The registries are those that ImageMirror mirrors."""


def tag_of(reference: str) -> str | None:
    """The tag of a reference; None where it has a digest only."""
    return reference.partition("@")[0].rpartition("/")[2].partition(":")[2] or None

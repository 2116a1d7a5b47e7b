"""Limits of container images: where they are, and tags that stay with them.

https://pkg.go.dev/github.com/distribution/reference
"""

from typing import Final

from catalog.limits import Text

ARTIFACT_REGISTRY: Final = "-docker.pkg.dev/"
"""What stands between the location and the project in a name of Artifact Registry."""
DOCKER_HUB: Final = "docker.io"
KUBERNETES_REGISTRY: Final = "registry.k8s.io"

# Tags that mean another image tomorrow.
_MOVING: Final = "latest|main|master|head|edge|nightly|stable|dev|canary"
_TAG: Final = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
ANY_TAG: Final = f":{_TAG}"
DIGEST: Final = "@sha256:[0-9a-f]{64}"
_STAYS: Final = f"(?:(?:{ANY_TAG})?{DIGEST}|:(?!(?:{_MOVING})$){_TAG})"
_PATH: Final = "(?:/[a-z0-9][a-z0-9._-]*)"
_MIRRORED: Final = (
    rf"(?:{DOCKER_HUB}|{KUBERNETES_REGISTRY}|[a-z0-9-]+{ARTIFACT_REGISTRY[:-1]})".replace(
        ".", r"\."
    )
)

IMAGE: Final = Text(
    f"(?:[a-z0-9][a-z0-9.-]*(?::[0-9]+)?/)?[a-z0-9][a-z0-9._-]*{_PATH}*{_STAYS}",
    "a container image with a digest, or a tag that stays (not latest)",
    "write it like us-docker.pkg.dev/acme/services/sentiment:1.4.0",
)
FULL_IMAGE: Final = Text(
    f"[a-z0-9][a-z0-9.-]*(?::[0-9]+)?{_PATH}+{_STAYS}",
    "a container image with host, path and a digest, or a tag that stays (not latest)",
    "write it like us-docker.pkg.dev/acme/services/sentiment:1.4.0",
)
CLUSTER_IMAGE: Final = Text(
    f"{_MIRRORED}{_PATH}+{_STAYS}",
    f"an image of {DOCKER_HUB}, {KUBERNETES_REGISTRY} or an Artifact Registry, with a digest or a"
    " tag that stays (not latest)",
    "nodes reach no other registry: copy it to us-docker.pkg.dev/acme/images/guardrail:1.0",
)
"""The registries are those that ImageMirror mirrors, and the one that needs no mirror."""
CATALOG_IMAGE: Final = Text(
    rf"(?:{_MIRRORED}/)?[a-z0-9_-]+{_PATH}*{_STAYS}",
    f"an image of Docker Hub, {KUBERNETES_REGISTRY} or the project's Artifact Registry with a tag"
    " that stays, a sha256 digest or both",
    "write it like vllm/vllm-openai:v0.26.0@sha256:...",
)
"""The same, in the place of an image of the catalog: those of Docker Hub need no host."""

"""Limits of container images: where they are, and tags that stay with them.

https://pkg.go.dev/github.com/distribution/reference
"""

from typing import Final

from catalog.limits import Text
from catalog.limits.names import PROJECT

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

_ATTESTOR: Final = "[A-Za-z0-9_-]{1,63}"
ATTESTOR: Final = Text(
    f"projects/{PROJECT}/attestors/{_ATTESTOR}",
    "the full name of an attestor",
    "write it like projects/acme/attestors/scanned",
)
ATTESTOR_USE: Final = Text(
    f"(?:projects/{PROJECT}/attestors/)?{_ATTESTOR}",
    "the name of an attestor of the project, or a full name",
    "write it like scanned or projects/acme/attestors/scanned",
)
EXEMPT: Final = Text(
    rf"[a-z0-9][a-z0-9.-]*(?::[0-9]+)?{_PATH}+(?:/|{ANY_TAG}|:)?(?:{DIGEST})?\*{{0,2}}",
    "an image's name with host and path, or what names begin with and then * or **",
    "write it like us-docker.pkg.dev/acme/tools/agent:1.0 or us-docker.pkg.dev/acme/tools/**",
)
"""https://cloud.google.com/binary-authorization/docs/reference/rest/v1/Policy"""
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

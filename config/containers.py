"""Containers on Cloud Run: what pipelines and services share."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from catalog.limits.names import TAG
from config.fields import Matching, Settings

Image = Annotated[
    str,
    Matching(
        r"[a-z0-9][a-z0-9.-]*(?::[0-9]+)?(?:/[a-z0-9][a-z0-9._-]*)+"
        r"(?:(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?@sha256:[0-9a-f]{64}|" + TAG + ")",
        "a container image with host, path and a digest, or a tag that stays (not latest)",
        "write it like us-docker.pkg.dev/acme/services/sentiment:1.4.0",
    ),
]
Variable = Annotated[
    str,
    Matching(
        "(?!(?:PORT|K_SERVICE|K_REVISION|K_CONFIGURATION)$|CLOUD_RUN_|X_GOOGLE_)[A-Za-z_][A-Za-z0-9_]{0,127}",
        "letters, digits or underscores, no digit first, not one Cloud Run sets (PORT, K_...)",
        "rename it",
    ),
]
UrlPath = Annotated[
    str, Matching("/[^ ?#]*", "a path that starts with /", "write it like /healthz")
]
HealthPath = Annotated[
    str,
    Matching("none|/[^ ?#]*", "a path that starts with /, or none", "write it like /healthz"),
]
NO_HEALTH = "none"


class Container(Settings):
    """A container image and the size and number of its instances."""

    region: str = Field(description="Region of the service and its data.")
    image: Image = Field(description="Container image of the service, with tag or digest.")
    cpu: Literal["1", "2", "4", "6", "8"] = Field(
        default="1", description="vCPUs of an instance, in quotes; 4 or more with a GPU."
    )
    memory_mib: int = Field(
        default=512, ge=512, le=32768, description="Memory of an instance in MiB."
    )
    gpu: Literal["nvidia-l4"] | None = Field(
        default=None, description="GPU of an instance. Default: none."
    )
    min_instances: int = Field(default=0, ge=0, le=1000, description="Instances that always run.")
    max_instances: int = Field(
        default=5, ge=1, le=1000, description="Instances Cloud Run may start at most."
    )
    concurrency: int = Field(
        default=40, ge=1, le=1000, description="Requests an instance works on at a time."
    )
    port: int = Field(default=8080, ge=1, le=65535, description="Port the container listens on.")
    health_path: HealthPath = Field(
        default="/",
        description="Path that answers GET with 200 while all is well; none where there is none.",
    )
    ready_path: UrlPath | None = Field(
        default=None,
        description="Path that answers GET with 200 once the container can work. Default:"
        " health_path.",
    )
    environment: Mapping[Variable, str] = Field(
        default_factory=dict, description="Environment variables. No secrets: they'd be in clear."
    )

    @property
    def liveness_path(self) -> str | None:
        """The path that tells whether an instance is well, if there is one."""
        return None if self.health_path == NO_HEALTH else self.health_path

    @property
    def image_name(self) -> str:
        """The last part of the image's path, without tag and digest."""
        return self.image.partition("@")[0].rpartition("/")[2].partition(":")[0]

"""Containers on Cloud Run: what pipelines, services and batches share."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.limits import cloud_run as limits
from catalog.limits.images import FULL_IMAGE
from config.fields import Settings
from config.secrets import SecretUse, name_of

Variable = Annotated[str, limits.VARIABLE]


class Program(Settings):
    """A container image on Cloud Run, and what it is given."""

    region: str
    """Region of it and its data."""
    image: Annotated[str, FULL_IMAGE]
    """Container image, with tag or digest."""
    memory_mib: Annotated[int, limits.MEMORY_MIB] = limits.MEMORY_MIB.default
    """Memory in MiB."""
    environment: Mapping[Variable, str] = Field(default_factory=dict)
    """Environment variables. No secrets: they'd be in clear."""
    secrets: Mapping[Variable, SecretUse] = Field(default_factory=dict)
    """Environment variables whose values are secrets."""
    secret_files: Mapping[Annotated[str, limits.SECRET_FILE], SecretUse] = Field(
        default_factory=dict
    )
    """Files whose contents are secrets, by path."""

    @property
    def image_name(self) -> str:
        """The last part of the image's path, without tag and digest."""
        return self.image.partition("@")[0].rpartition("/")[2].partition(":")[0]

    @property
    def secret_names(self) -> tuple[str, ...]:
        """Names of the secrets it reads, each once."""
        uses = (*self.secrets.values(), *self.secret_files.values())
        return tuple(dict.fromkeys(name_of(use) for use in uses))


class Container(Program):
    """A container that answers, and the number of its instances."""

    cpu: Annotated[str, limits.CPU] = limits.CPU.default
    """vCPUs of an instance, in quotes; 4, 6 or 8 with an L4, 20 with an RTX PRO 6000."""
    gpu: Annotated[str, limits.GPU] | None = None
    """GPU of an instance. Default: none."""
    min_instances: Annotated[int, limits.MIN_INSTANCES] = limits.MIN_INSTANCES.default
    """Instances that always run."""
    max_instances: Annotated[int, limits.MAX_INSTANCES] = limits.MAX_INSTANCES.default
    """Instances Cloud Run may start at most."""
    concurrency: Annotated[int, limits.CONCURRENCY] = limits.CONCURRENCY.default
    """Requests an instance works on at a time."""
    port: Annotated[int, limits.CONTAINER_PORT] = limits.CONTAINER_PORT.default
    """Port the container listens on."""
    health_path: Annotated[str, limits.HEALTH_PATH] = limits.HEALTH_PATH.default
    """Path that answers GET with 200 while all is well; none where there is none."""
    ready_path: Annotated[str, limits.READY_PATH] | None = None
    """Path that answers GET with 200 once the container can work. Default: health_path."""

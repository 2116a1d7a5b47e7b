"""ServiceImages: the project's own registry for the images of its services.

Owns the repository. Does not own the images: a build pushes them. Cloud Run's service agent may
read the repositories of its own project.
"""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits.images import ARTIFACT_REGISTRY
from components.validation import Problems, component_type, register

REPOSITORY = "services"

_SECONDS_A_DAY = 86400
_UNTAGGED_DAYS = 14
_VERSIONS_KEPT = 20


class ServiceImagesArgs(TypedDict):
    """Arguments of ServiceImages."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the repository: that of the services."""
    deletion_protection: NotRequired[bool]
    """Whether the repository is protected from deletion; default true."""


def validate_service_images(name: str, args: ServiceImagesArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(ServiceImagesArgs, args)
    problems.check_name(name, "name")
    return problems


def images_prefix(project: str, region: str) -> str:
    """Return what the names of images in the repository of a region begin with."""
    return f"{region}{ARTIFACT_REGISTRY}{project}/{REPOSITORY}/"


class ServiceImages(pulumi.ComponentResource):
    """An Artifact Registry repository `services` for container images, scanned where that is on.

    A tag, once pushed, stays what it is. Untagged images go after 14 days; the 20 most recent
    versions of each image stay.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/artifact-registry/docs/docker
    """

    prefix: pulumi.Output[str]
    """`<region>-docker.pkg.dev/<project>/services/`; waits for the repository and the grants."""

    def __init__(
        self, name: str, args: ServiceImagesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ServiceImages), name, {}, opts)
        validate_service_images(name, args).raise_if_any(f"ServiceImages {name}")
        repository = gcp.artifactregistry.Repository(
            f"{name}-images",
            project=args["project"],
            location=args["region"],
            repository_id=REPOSITORY,
            description="Images of the platform's services",
            format="DOCKER",
            mode="STANDARD_REPOSITORY",
            docker_config={"immutable_tags": True},
            cleanup_policies=[
                {
                    "id": "untagged",
                    "action": "DELETE",
                    "condition": {
                        "tag_state": "UNTAGGED",
                        "older_than": f"{_UNTAGGED_DAYS * _SECONDS_A_DAY}s",
                    },
                },
                {
                    "id": "recent",
                    "action": "KEEP",
                    "most_recent_versions": {"keep_count": _VERSIONS_KEPT},
                },
            ],
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.get("deletion_protection", True) or None
            ),
        )
        self.prefix = pulumi.Output.all(args["project"], repository.location, repository.id).apply(
            lambda values: images_prefix(str(values[0]), str(values[1]))
        )
        register(self)

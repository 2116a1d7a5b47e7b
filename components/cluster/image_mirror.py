"""ImageMirror: pull-through caches of public image registries in the project's own region.

Inside an enforced VPC Service Controls perimeter nodes reach no registry but the project's own.
Owns the remote repositories, who may read them, and the permission to fetch from outside the
perimeter. Does not own the images, nor the perimeter.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import Choice, Entries
from catalog.limits.images import (
    ANY_TAG,
    ARTIFACT_REGISTRY,
    DIGEST,
    DOCKER_HUB,
    KUBERNETES_REGISTRY,
)
from components.ready import after
from components.validation import Problems, component_type, register

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?(/[a-z0-9._-]+)*")
_IMAGE_PATH = re.compile(rf"[a-z0-9._-]+(/[a-z0-9._-]+)*({ANY_TAG})?({DIGEST})?")

# A cached image is fetched anew when it is asked for.
_RETENTION = f"{90 * 86400}s"
_UNTAGGED_RETENTION = f"{7 * 86400}s"
_VERSIONS_KEPT = 10


class Upstream(TypedDict):
    """A registry to mirror: give either `public_repository` or `uri`."""

    host: str
    """What names of its images begin with: a registry host, such as `registry.k8s.io`, or the host
    and path of one repository, such as `us-docker.pkg.dev/google-samples/containers`."""
    public_repository: NotRequired[Annotated[str, Choice(("DOCKER_HUB",))]]
    """A registry Artifact Registry knows: `DOCKER_HUB`."""
    uri: NotRequired[str]
    """Address of any other registry or Artifact Registry repository, beginning with `https://`."""


DEFAULT_UPSTREAMS: Mapping[str, Upstream] = {
    "docker-hub": {"host": DOCKER_HUB, "public_repository": "DOCKER_HUB"},
    "kubernetes": {"host": KUBERNETES_REGISTRY, "uri": f"https://{KUBERNETES_REGISTRY}"},
}


class ImageMirrorArgs(TypedDict):
    """Arguments of ImageMirror."""

    project: pulumi.Input[str]
    """Id of the project."""
    region: str
    """Region of the repositories: that of the cluster that pulls."""
    upstreams: NotRequired[Annotated[Mapping[str, Upstream], Entries("a registry to mirror")]]
    """Registries by short name, which ends the repository's name; default Docker Hub and
    registry.k8s.io."""
    readers: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Emails, by any short name, of the service accounts that pull: they may read these
    repositories only."""
    vpc_service_controls: NotRequired[bool]
    """Whether remote repositories of the project and region may fetch from outside its service
    perimeter; default false. The API takes it only of a project inside a perimeter, from a caller
    with accesscontextmanager.policies.update, and destroying the component leaves it allowed."""


def validate_image_mirror(name: str, args: ImageMirrorArgs) -> Problems:
    """Check the plain values of the arguments, and that the names made from them are allowed."""
    problems = Problems.of(ImageMirrorArgs, args)
    upstreams = args.get("upstreams", DEFAULT_UPSTREAMS)
    placed: dict[str, str] = {}
    for key, upstream in upstreams.items():
        path = f"upstreams.{key}"
        problems.check_name(f"{name}-{key}", "upstreams", key)
        _check_upstream(problems, path, upstream)
        other = placed.setdefault(upstream["host"], path)
        if other != path:
            problems.add(
                f"{path}.host",
                f"found {upstream['host']!r}, which {other} has; give each host once",
            )
    for key, email in args.get("readers", {}).items():
        if isinstance(email, str) and not re.fullmatch(r"[^@:\s]+@[^@:\s]+", email):
            problems.add(
                f"readers.{key}",
                f"found {email!r}; allowed: the email of a service account, without a prefix",
            )
    return problems


def _check_upstream(problems: Problems, path: str, upstream: Upstream) -> None:
    if not _HOST.fullmatch(upstream["host"]):
        problems.add(
            f"{path}.host",
            f"found {upstream['host']!r}; allowed: a registry host like registry.k8s.io, with a "
            "path where it is one repository, no scheme",
        )
    given = [key for key in ("public_repository", "uri") if key in upstream]
    if len(given) != 1:
        problems.add(
            path,
            f"found {' and '.join(given) or 'neither'}; allowed: one of public_repository and uri",
        )
    uri = upstream.get("uri", "https://")
    if not uri.startswith("https://"):
        problems.add(f"{path}.uri", f"found {uri!r}; allowed: an address that begins https://")


def full_image_name(image: str) -> str:
    """Return an image's name with its host, as container runtimes complete it.

    `nginx` is `docker.io/library/nginx`, `vllm/vllm-openai` is `docker.io/vllm/vllm-openai`.
    https://github.com/distribution/reference/blob/main/normalize.go
    """
    first, slash, rest = image.partition("/")
    if not slash:
        return f"{DOCKER_HUB}/library/{image}"
    if "." not in first and ":" not in first and first != "localhost":
        return f"{DOCKER_HUB}/{image}"
    if first == DOCKER_HUB and "/" not in rest:
        return f"{DOCKER_HUB}/library/{rest}"
    return image


class ImageMirror(pulumi.ComponentResource):
    """Artifact Registry remote repositories, one for each registry mirrored.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/artifact-registry/docs/repositories/remote-overview
    https://cloud.google.com/sdk/gcloud/reference/artifacts/vpcsc-config/allow
    """

    repository_ids: Mapping[str, pulumi.Output[str]]
    """By short name: `projects/<project>/locations/<region>/repositories/<repository>`."""

    def __init__(
        self, name: str, args: ImageMirrorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(ImageMirror), name, {}, opts)
        validate_image_mirror(name, args).raise_if_any(f"ImageMirror {name}")
        self._label = f"ImageMirror {name}"
        upstreams = args.get("upstreams", DEFAULT_UPSTREAMS)
        # Creating a remote repository asks its upstream, which the perimeter would refuse.
        first = [self._outside_perimeter(name, args)] if args.get("vpc_service_controls") else []
        repositories = {
            key: self._repository(f"{name}-{key}", args, upstream, first)
            for key, upstream in upstreams.items()
        }
        self._addresses = {
            upstreams[key]["host"]: self._address(f"{name}-{key}", args, repository)
            for key, repository in repositories.items()
        }
        self.repository_ids = {key: repository.id for key, repository in repositories.items()}
        register(self)

    def mirrors(self, image: str) -> bool:
        """Return whether the mirror serves an image."""
        return any(full_image_name(image).startswith(f"{host}/") for host in self._addresses)

    def reference(self, image: str) -> pulumi.Output[str]:
        """Return the name under which the mirror serves an image; tag and digest stay.

        `vllm/vllm-openai:v0.18.1` becomes
        `<region>-docker.pkg.dev/<project>/<repository>/vllm/vllm-openai:v0.18.1`. The output waits
        for the repository and the readers' grants. An image of Artifact Registry keeps its name, as
        that is reached without a mirror. Raises `pulumi.InputPropertiesError` for an image of a
        registry that is not mirrored.
        """
        problems = Problems()
        full_name = full_image_name(image)
        hosts = [host for host in self._addresses if full_name.startswith(f"{host}/")]
        host = max(hosts, key=len, default="")
        path = full_name.removeprefix(f"{host}/")
        if not hosts and ARTIFACT_REGISTRY in image:
            return pulumi.Output.from_input(image)
        if not hosts:
            allowed = ", ".join(sorted(self._addresses))
            problems.add(
                "image",
                f"found {image!r}; allowed: images of {allowed}; add its registry to upstreams",
            )
        elif not _IMAGE_PATH.fullmatch(path):
            problems.add(
                "image",
                f"found {image!r}; allowed: a name like vllm/vllm-openai:v0.18.1, in lowercase, "
                "with a tag, a sha256 digest or both",
            )
        problems.raise_if_any(self._label)
        return pulumi.Output.concat(self._addresses[host], "/", path)

    def _outside_perimeter(
        self, name: str, args: ImageMirrorArgs
    ) -> gcp.artifactregistry.VpcscConfig:
        return gcp.artifactregistry.VpcscConfig(
            f"{name}-outside-perimeter",
            project=args["project"],
            location=args["region"],
            vpcsc_policy="ALLOW",
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _repository(
        self, name: str, args: ImageMirrorArgs, upstream: Upstream, first: Sequence[pulumi.Resource]
    ) -> gcp.artifactregistry.Repository:
        description = f"Pull-through cache of {upstream['host']}"
        return gcp.artifactregistry.Repository(
            name,
            project=args["project"],
            location=args["region"],
            repository_id=name,
            description=description,
            format="DOCKER",
            mode="REMOTE_REPOSITORY",
            remote_repository_config={
                "description": description,
                "docker_repository": {"public_repository": upstream["public_repository"]}
                if "public_repository" in upstream
                else None,
                "common_repository": {"uri": upstream["uri"]} if "uri" in upstream else None,
            },
            cleanup_policy_dry_run=False,
            cleanup_policies=[
                {
                    "id": "delete-old",
                    "action": "DELETE",
                    "condition": {"tag_state": "ANY", "older_than": _RETENTION},
                },
                {
                    "id": "delete-untagged",
                    "action": "DELETE",
                    "condition": {"tag_state": "UNTAGGED", "older_than": _UNTAGGED_RETENTION},
                },
                # What runs stays at hand, even where its upstream drops it.
                {
                    "id": "keep-recent",
                    "action": "KEEP",
                    "most_recent_versions": {"keep_count": _VERSIONS_KEPT},
                },
            ],
            vulnerability_scanning_config={"enablement_config": "INHERITED"},
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=first,
                delete_before_replace=True,
            ),
        )

    def _address(
        self, name: str, args: ImageMirrorArgs, repository: gcp.artifactregistry.Repository
    ) -> pulumi.Output[str]:
        grants = [
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-read-by-{key}",
                project=args["project"],
                location=args["region"],
                repository=repository.repository_id,
                role="roles/artifactregistry.reader",
                member=pulumi.Output.concat("serviceAccount:", email),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for key, email in args.get("readers", {}).items()
        ]
        address = pulumi.Output.format(
            f"{{0}}{ARTIFACT_REGISTRY}{{1}}/{{2}}",
            repository.location,
            repository.project,
            repository.repository_id,
        )
        return after(address, *[grant.id for grant in grants])

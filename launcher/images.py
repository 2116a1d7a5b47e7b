"""The first of two steps of a new environment: all but what runs images of its own, and the images.

A Cloud Run service can't be made before its image is pushed, and an image not be pushed before its
repository, which the same program makes: so the engine first leaves out what runs them.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.config_folder import make_command
from config.images import repository_of
from config.platform import Platform
from launcher.backend import check_stack_exists
from launcher.console import show
from launcher.paths import ROOT, StackPaths, checked, plain_pulumi
from launcher.problem import LaunchError
from launcher.pulumi_cli import command_line
from sandbox.gcp.admission import attestation
from sandbox.world import World

SERVICES: Final = ROOT / "services"
BUILD_CONFIG: Final = SERVICES / "cloudbuild.yaml"
RUNS_IMAGES: Final = (
    "**gcp:cloudrunv2/job:Job::**",
    "**gcp:cloudrunv2/service:Service::**",
    "**inference:index:CalloutService$kubernetes:apps/v1:Deployment::**",
)
"""What can't be made before its image is there, as the engine excludes it with its dependents."""
BUILDER: Final = "IMAGE_BUILDER"
"""The variable that names the account which builds run as; without it, the project's default."""
KEY: Final = "ATTESTATION_KEY"
"""The variable that names the version of the key which attests; without it, nothing does."""
_SCANNED_IN: Final = ("europe", "asia")
"""Where Artifact Analysis scans beside the United States, as names of regions begin."""
_REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"


def own_images(platform: Platform) -> Mapping[str, str]:
    """Return the images in repositories of the environment's project, with the repository's id."""
    images = (*platform.service_images, *platform.cluster_images)
    found = {image: repository_of(image) for image in images}
    return {
        image: repository.id
        for image, repository in found.items()
        if repository and repository.project == platform.project.id
    }


def own_secrets(platform: Platform) -> Sequence[str]:
    """Return the full names of the secrets that the environment makes, whose values are given."""
    return [
        f"projects/{platform.project.id}/secrets/{name}"
        for name, secret in platform.secrets.items()
        if not secret.existing
    ]


def push_placeholders(platform: Platform, world: World) -> None:
    """Put what people and builds push into the sandbox cloud, which runs no containers."""
    admission = platform.binary_authorization
    attestors = () if admission is None else admission.attestors_of(platform.project.id)
    for attestor in attestors:
        world.put_content(attestor.partition("/attestors/")[0], attestor)
    for named, repository in own_images(platform).items():
        image = platform.pinned(named)
        world.put_content(repository, image)
        for attestor in attestors:
            world.put_content(repository, attestation(image, attestor))
    for secret in own_secrets(platform):
        world.put_content(secret, secret)


def service_of(image: str) -> str | None:
    """Return the folder of services/ that an image is built from; None where none has its name."""
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0].replace("-", "_")
    return name if (SERVICES / name / "requirements.in").exists() else None


def image_source(image: str) -> str:
    """Return what an image is built from, in words."""
    service = service_of(image)
    return "built elsewhere" if service is None else f"services/{service}"


def push(places: StackPaths) -> None:
    """Make all but what runs images on Google Cloud, then build and push those that aren't there.

    Raises LaunchError for what is missing on this machine, and where a step fails.
    """
    platform = checked(places)
    builder = _builder()
    _check_attests(platform, builder)
    check_stack_exists(places)
    if wanted := set(own_images(platform).values()) - _made(places):
        show(f"first all but what runs images, for {', '.join(sorted(wanted))}")
        # Of what the engine excludes, the packs would see no inputs: they judge the whole before.
        _run(command_line("preview", places), "the preview")
        line = [plain_pulumi(), "up", "--stack", places.stack, *places.config_option]
        line.append("--exclude-dependents")
        line += [part for each in RUNS_IMAGES for part in ("--exclude", each)]
        _run(line, "what the images need")
    for image in own_images(platform):
        if builder.has(image):
            show(f"{image}: is there")
            _check_attested(platform, image, builder)
        else:
            _push(image, builder)
    for secret in own_secrets(platform):
        project, name = secret.split("/")[1::2]
        show(
            f"{secret}: give it a value, if it has none: gcloud secrets versions add {name} "
            f"--project={project} --data-file=-"
        )
    show(f"Next: {make_command(f'up STACK={places.stack} CLOUD=gcp')}")


def _check_attests(platform: Platform, builder: "Builder") -> None:
    """Raise LaunchError where what is built could not run: nothing attests to it."""
    if platform.binary_authorization is None:
        return
    if not builder.scans:
        raise LaunchError(
            f"binary_authorization runs no image without an attestation, and {builder.program} "
            "makes none: install gcloud, by which Cloud Build scans and attests"
        )
    if not os.environ.get(KEY):
        raise LaunchError(
            f"binary_authorization runs no image without an attestation, and {KEY} is not set: "
            "export the output attestation_key of identity/, the version of the key that signs"
        )


def _check_attested(platform: Platform, image: str, builder: "Builder") -> None:
    """Raise LaunchError where what is there could not run: it was pushed past the build that signs,
    and what has its tag stays."""
    admission = platform.binary_authorization
    for attestor in () if admission is None else admission.attestors_of(platform.project.id):
        if not builder.attested(image, attestor):
            raise LaunchError(
                f"{image} is there, and {attestor} has not attested to it, so it does not run: let "
                "its owner sign for it, or give the stack file another tag, which is then built"
            )


def _push(image: str, builder: "Builder") -> None:
    service = service_of(image)
    if service is None:
        raise LaunchError(
            f"{image} isn't there, and nothing in services/ is built under that name: push it "
            "yourself, or change the image in the stack file"
        )
    unscanned = "" if builder.scans else f", which {builder.program} neither scans nor attests to"
    show(f"{image}: building{unscanned} ...")
    for line in builder.build(image, service):
        _run(line, image)


class Builder:
    """Cloud Build through gcloud, which needs no container engine on this machine."""

    program = "gcloud"
    scans = True

    def has(self, image: str) -> bool:
        """Return whether an image was pushed."""
        return _asked([self.program, "artifacts", "docker", "images", "describe", image])

    def attested(self, image: str, attestor: str) -> bool:
        """Return whether an attestor has signed for an image that was pushed."""
        line = [self.program, "artifacts", "docker", "images", "describe", image]
        digest = _told([*line, "--format=value(image_summary.fully_qualified_digest)"])
        line = [self.program, "container", "binauthz", "attestations", "list"]
        line += [f"--attestor={attestor}", f"--artifact-url=https://{digest}"]
        return bool(digest and _told([*line, "--format=value(name)"]))

    def build(self, image: str, service: str) -> Sequence[Sequence[str]]:
        """Return the commands that build and push an image."""
        repository = repository_of(image)
        project = "" if repository is None else repository.project
        values = {
            "_IMAGE": image,
            "_NAME": image.partition("@")[0].partition(":")[0],
            "_SERVICE": service,
            "_LOCATION": next((each for each in _SCANNED_IN if image.startswith(each)), "us"),
            "_ATTESTATION_KEY": os.environ.get(KEY, ""),
        }
        given = ",".join(f"{name}={value}" for name, value in values.items())
        line = [self.program, "builds", "submit", str(SERVICES), f"--config={BUILD_CONFIG}"]
        line += [f"--substitutions={given}", f"--project={project}"]
        if builder := os.environ.get(BUILDER):
            line.append(f"--service-account=projects/{project}/serviceAccounts/{builder}")
        return [line]


class Docker(Builder):
    """Docker on this machine, which scans nothing."""

    program = "docker"
    scans = False

    def has(self, image: str) -> bool:
        """Return whether an image was pushed."""
        return _asked([self.program, "manifest", "inspect", image])

    def build(self, image: str, service: str) -> Sequence[Sequence[str]]:
        """Return the commands that build and push an image."""
        line = [self.program, "build", "--platform=linux/amd64", f"--build-arg=SERVICE={service}"]
        return [[*line, "-t", image, str(SERVICES)], [self.program, "push", image]]


def _builder() -> Builder:
    for builder in (Builder(), Docker()):
        if shutil.which(builder.program):
            return builder
    raise LaunchError(
        "images are built by Cloud Build or by docker, and neither gcloud nor docker is on PATH: "
        "install one of them"
    )


def _made(places: StackPaths) -> set[str]:
    line = [plain_pulumi(), "stack", "export", "--stack", places.stack]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LaunchError(f"the state of {places.stack} can't be read:\n{done.stderr.strip()}")
    deployment = json.loads(done.stdout)["deployment"]
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    return {each["id"] for each in resources if each["type"] == _REPOSITORY and "id" in each}


def _asked(line: Sequence[str]) -> bool:
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


def _told(line: Sequence[str]) -> str:
    """Return what a command prints; '' where it fails."""
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _run(line: Sequence[str], what: str) -> None:
    code = subprocess.run(line, cwd=ROOT, check=False).returncode
    if code != 0:
        raise LaunchError(
            f"{what}: `{' '.join(line[:3])}` ended with {code}, see above; fix that, then run "
            f"`{make_command('images CLOUD=gcp')}` again: what was pushed stays"
        )

"""What people and builds put into resources: images of repositories, values of secrets.

Nothing of a program stands for them, and what runs them can't start before they are there.
"""

from collections.abc import Iterator
from typing import Final

from catalog.config_folder import make_command
from sandbox.errors import google
from sandbox.gcp.admission import refusal
from sandbox.gcp.repositories import is_known
from sandbox.gcp.request import Request
from sandbox.values import Value, Values, as_list, is_map
from sandbox.world import World

SECRET: Final = "gcp:secretmanager/secret:Secret"  # noqa: S105 a type
_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"


def missing_image(world: World, image: str) -> str:
    """Return what is wrong with an image of a repository in this world, or ''."""
    if not is_known(world, image) or world.has_content(image):
        return ""
    return f"Image '{image}' not found."


def check_contents(request: Request) -> None:
    """Raise the cloud's error for a service of Cloud Run with a container without its image, one
    that the policy does not let in, or without a secret's value."""
    template = request.inputs.get("template")
    for image in _images(template):
        _check_image(request, image, "Revision is not ready and cannot serve traffic. ")
        if wrong := refusal(request.world, request.project, request.inputs, image):
            raise google(400, wrong, "failedPrecondition")
    for secret, version in _secrets(template):
        _check_version(request, secret, version)


def check_job(request: Request) -> None:
    """Raise the cloud's error for a job of Cloud Run with a container without its image.

    Whether the policy lets it in is asked at each execution:
    https://cloud.google.com/binary-authorization/docs/run/overview
    """
    template = request.inputs.get("template")
    for image in _images(template.get("template") if is_map(template) else None):
        _check_image(request, image, "Job failed to deploy. ")


def _check_image(request: Request, image: str, said: str) -> None:
    if wrong := missing_image(request.world, image):
        told = f"{said}{wrong} Build and push it: `{make_command('images')}`"
        raise google(400, told, "failedPrecondition")


def _images(template: Value) -> Iterator[str]:
    for container in _containers(template):
        yield str(container.get("image", ""))


def _check_version(request: Request, secret: str, version: str) -> None:
    id_ = secret if "/" in secret else f"projects/{request.project}/secrets/{secret}"
    id_ = request.own_name(id_)
    if request.world.get(SECRET, id_) is None or request.world.has_content(id_):
        return
    made = [each.id for each in request.world.by_type(_VERSION) if each.id.startswith(f"{id_}/")]
    if made and (version == "latest" or f"{id_}/versions/{version}" in made):
        return
    name = id_.rpartition("/")[2]
    raise google(
        400,
        f"Secret {id_}/versions/{version} was not found. Add it: `gcloud secrets versions add "
        f"{name} --project={request.project} --data-file=-`",
        "failedPrecondition",
    )


def forget_contents(request: Request) -> None:
    """Let the contents of a deleted resource go with it."""
    request.world.forget_contents(request.id)


def _containers(template: Value) -> Iterator[Values]:
    for each in as_list(template.get("containers", [])) if is_map(template) else ():
        if is_map(each):
            yield each


def _secrets(template: Value) -> Iterator[tuple[str, str]]:
    """Yield each secret and version that a template of Cloud Run names."""
    for container in _containers(template):
        for variable in as_list(container.get("envs", [])):
            source = variable.get("valueSource") if is_map(variable) else None
            key = source.get("secretKeyRef") if is_map(source) else None
            if is_map(key):
                yield str(key.get("secret")), str(key.get("version") or "latest")
    for volume in as_list(template.get("volumes", [])) if is_map(template) else ():
        given = volume.get("secret") if is_map(volume) else None
        if is_map(given):
            for item in as_list(given.get("items", [])):
                version = item.get("version") if is_map(item) else None
                yield str(given.get("secret")), str(version or "latest")

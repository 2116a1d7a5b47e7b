"""Repositories of Artifact Registry, by the names of their images."""

import re
from typing import Final

from sandbox.world import World

REPOSITORY: Final = "gcp:artifactregistry/repository:Repository"
_IMAGE: Final = re.compile("([a-z0-9-]+)-docker[.]pkg[.]dev/([^/]+)/([^/]+)/.+")


def repository_id(image: str) -> str | None:
    """Return the id of the repository that an image is in; None of one outside Artifact
    Registry."""
    found = _IMAGE.fullmatch(image)
    if found is None:
        return None
    location, project, name = found.groups()
    return f"projects/{project}/locations/{location}/repositories/{name}"


def is_known(world: World, image: str) -> bool:
    """Return whether the image's repository is one of this world.

    Nothing is known of what remote repositories fetch, and of other projects.
    """
    repository = world.get(REPOSITORY, repository_id(image) or "")
    return repository is not None and repository.inputs.get("mode") != "REMOTE_REPOSITORY"

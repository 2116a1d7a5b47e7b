"""Images: of programs the platform runs, in releases that fit together."""

from collections.abc import Iterator

from catalog.limits.images import ARTIFACT_REGISTRY
from catalog.problems import KeyPath, Problem, did_you_mean, joined, shown
from catalog.releases import IMAGES
from config.images import repository_of, tag_of
from config.known import Known

_ONE_RELEASE = ("endpoint_picker", "body_based_router")


def check_images(known: Known) -> Iterator[Problem]:
    """Name the catalog has, and one release of the inference extension."""
    for name in known.images:
        if name not in IMAGES:
            yield Problem(
                ("images", name),
                "an image the platform does not run",
                joined(IMAGES),
                did_you_mean(name, IMAGES, "remove it or choose one of them"),
            )
    for name, image in known.images.items():
        yield from _check_repository(known, ("images", name), image)
    tags = {name: tag_of(known.images.get(name, IMAGES[name].image)) for name in _ONE_RELEASE}
    overridden = [name for name in _ONE_RELEASE if name in known.images]
    if overridden and None not in tags.values() and len(set(tags.values())) > 1:
        other = next(name for name in _ONE_RELEASE if name != overridden[-1])
        yield Problem(
            ("images", overridden[-1]),
            shown(known.images[overridden[-1]]),
            f"the release of {other}, {tags[other]}, as both speak one protocol",
            "change both",
        )


def _check_repository(known: Known, path: KeyPath, image: str) -> Iterator[Problem]:
    """Nodes may read the project's own repositories; a grant on others is their owners'."""
    repository = repository_of(image)
    if (
        ARTIFACT_REGISTRY in image
        and known.project
        and (repository is None or repository.project != known.project.id)
    ):
        yield Problem(
            path,
            shown(image),
            f"an image of a repository of {known.project.id}, or of a public registry",
            "copy it to a repository of the project: nodes may read that",
        )

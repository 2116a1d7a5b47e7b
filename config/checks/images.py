"""Images: of programs the platform runs, in releases that fit together."""

from collections.abc import Iterator

from catalog.releases import IMAGES
from config.errors import Problem, did_you_mean, listed, shown
from config.images import tag_of
from config.known import Known

_ONE_RELEASE = ("endpoint_picker", "body_based_router")


def check_images(known: Known) -> Iterator[Problem]:
    """Name the catalog has, and one release of the inference extension."""
    for name in known.images:
        if name not in IMAGES:
            yield Problem(
                ("images", name),
                "an image the platform does not run",
                listed(IMAGES),
                did_you_mean(name, IMAGES, "remove it or choose one of them"),
            )
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

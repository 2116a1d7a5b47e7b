"""Services that requests pass: run from an image, or there already."""

from collections.abc import Iterator

from catalog.limits import inference as limits
from catalog.limits.inference import UNPRIVILEGED_PORT
from catalog.problems import KeyPath, Problem, below, joined
from config.callouts import Callout

_OF_AN_IMAGE = ("health_port", "replicas", "max_replicas", "cpu", "memory", "environment")


def check_callout(path: KeyPath, callout: Callout) -> Iterator[Problem]:
    """Check what is run and how, or where it is."""
    if (callout.image is None) == (callout.service is None):
        yield Problem(
            path,
            "neither image nor service" if callout.image is None else "image and service together",
            "exactly one of image, service",
            "give an image to run, or the name of a Service that is there",
        )
    elif callout.service is not None:
        extra = sorted(callout.model_fields_set.intersection(_OF_AN_IMAGE))
        if extra:
            yield Problem(
                (*path, extra[0]),
                "a setting of what an image runs",
                f"none of {joined(_OF_AN_IMAGE)} beside service",
                "remove it: whoever runs the Service decides",
            )
    else:
        yield from below(path, limits.callout_replicas(callout.model_dump()))
        for key in ("port", "health_port"):
            port = getattr(callout, key)
            if port is not None and port < UNPRIVILEGED_PORT.low:
                yield Problem(
                    (*path, key),
                    str(port),
                    f"{UNPRIVILEGED_PORT.low} or more beside image (it doesn't run as root)",
                    "let the server listen on a higher port",
                )

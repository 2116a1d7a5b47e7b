"""Which published model a repository holds, also under another owner or quantised."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from catalog.models import MODELS
from sizing.quantization import WORD, scheme
from sizing.shape import Shape, ShapeError, shape_of

_SIZE: Final = re.compile(r"(?<![a-z0-9.])[0-9]+(?:\.[0-9]+)?b(?![a-z0-9])")
# What a name may say beside the model without changing how long its context is.
_PLAIN: Final = re.compile(
    r"instruct|thinking|chat|it|pt|hf|base|bf16|dynamic|static|per|tensor|unsloth|kv|v[0-9.]+|"
    rf"g[0-9]+|quantized\.[a-z0-9]+|{WORD.pattern}"
)


@dataclass(frozen=True)
class Published:
    """A model of the catalog, as a repository holds it."""

    name: str
    shape: Shape
    context: int | None
    """The longest context; None where the repository may have another one than the model."""


def _plain(repository: str) -> str:
    return repository.rpartition("/")[2].lower().replace("_", "-").removeprefix("meta-")


def _by_name() -> Mapping[str, str]:
    """Return the models by their plain names, and by those without what says how they are tuned."""
    tuned = re.compile(r"(?:-(?:instruct|thinking|chat|it|hf|base|8k|bf16|v[0-9.]+))+$")
    found = {_plain(name): name for name in MODELS}
    for name in MODELS:
        found.setdefault(tuned.sub("", _plain(name)), name)
    return found


_BY_NAME: Final = _by_name()


@cache
def published(repository: str, kept_as: str | None = None) -> Published | None:
    """Return what the catalog knows of a repository; None where it is nothing.

    `kept_as` is the scheme that its weights are quantised by, if its name doesn't say.
    The longest name of a model within the repository's counts; what stands beside it may say how
    the weights are quantised, and must not be another size.
    """
    if repository in MODELS:
        return _of(repository, kept_as, exact=True)
    sought = _plain(repository)
    inside = [
        name
        for name in _BY_NAME
        if re.search(rf"(?<![a-z0-9.]){re.escape(name)}(?![a-z0-9.])", sought)
    ]
    if repository.startswith("gs://") or not inside:
        return None
    name = max(inside, key=len)
    rest = sought.replace(name, "", 1)
    if _SIZE.search(rest):
        return None
    words = [word for word in rest.split("-") if word]
    return _of(
        _BY_NAME[name],
        kept_as or scheme(rest),
        exact=all(_PLAIN.fullmatch(word) for word in words),
    )


def _of(name: str, kept_as: str | None, *, exact: bool) -> Published:
    config = MODELS[name]
    shape = shape_of(quantised(config, kept_as) if kept_as else config)
    return Published(name, shape, shape.context if exact else None)


def shape_of_file(path: Path, kept_as: str | None = None) -> Shape:
    """Return the shape that a config.json says. Raises ShapeError where it can't be read."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise ShapeError(str(problem.strerror)) from None
    except ValueError as problem:
        raise ShapeError(f"no JSON: {problem}") from None
    if not isinstance(config, dict):
        raise ShapeError("no JSON object in it")
    values = cast("Mapping[str, Any]", config)
    return shape_of(quantised(values, kept_as) if kept_as else values)


def quantised(config: Mapping[str, Any], kept_as: str) -> Mapping[str, Any]:
    """Return a config.json as if the weights were quantised by a scheme."""
    return {**config, "quantization_config": {"quant_method": kept_as}}

"""The digests of a stack's images, resolved once: `images.<stack>.lock.yaml` beside its file."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, cast

from catalog import strict_yaml
from catalog.config_folder import config_folder, make_command
from catalog.problems import Problem, shown
from config.errors import ConfigError

_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}")


def lock_file(stack: str) -> Path:
    """Return where a stack's lock is, whether it is there or not."""
    return config_folder() / f"images.{stack}.lock.yaml"


def locked_digests(stack: str) -> Mapping[str, str]:
    """Return digests by the images' names with tag; none where the stack has no lock.

    Raises ConfigError for a file that `make lock-images` did not write.
    """
    file = lock_file(stack)
    return _digests(file.name, file.read_text(encoding="utf-8")) if file.exists() else {}


@cache
def _digests(source: str, text: str) -> Mapping[str, str]:
    remedy = f"write it anew: `{make_command('lock-images')}`"
    try:
        document = strict_yaml.load(text)
    except strict_yaml.YamlError as error:
        problem = Problem((), f"broken YAML ({error})", "images: by name, digests", remedy)
        raise ConfigError(source, [problem]) from None
    images = document.get("images") if isinstance(document, dict) else None
    if not isinstance(images, dict):
        problem = Problem((), shown(document), "images: by name, digests", remedy)
        raise ConfigError(source, [problem])
    found = cast("dict[object, object]", images)
    problems = [
        Problem(("images", str(name)), shown(digest), "sha256: and 64 hexadecimal digits", remedy)
        for name, digest in found.items()
        if not (isinstance(digest, str) and _DIGEST.fullmatch(digest))
    ]
    if problems:
        raise ConfigError(source, problems)
    return {str(name): str(digest) for name, digest in found.items()}

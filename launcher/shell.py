"""What the caller's shell says to Pulumi and to its provider of Google Cloud."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

# PULUMI_K8S_DELETE_UNREACHABLE is played by the sandbox.
_MEANT: Final = re.compile(r"PULUMI_(?!K8S_)|(?:GOOGLE|GCLOUD|CLOUDSDK)_")


@contextmanager
def set_aside() -> Generator[None]:
    """Hide it, as it is meant for a real cloud: options of the engine (PULUMI_OPTION_REFRESH) and
    defaults of the provider (GOOGLE_REGION) would change what is rehearsed."""
    hidden = {name: os.environ.pop(name) for name in [*os.environ] if _MEANT.match(name)}
    try:
        yield
    finally:
        os.environ.update(hidden)

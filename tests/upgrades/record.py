"""Records what an `up` left on the sandbox: `python -m tests.upgrades.record dev`."""

import argparse
import datetime as dt
import io
import json
import tarfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from launcher.paths import ROOT, StackPaths, stack_paths

_LEFT_OUT = ("stackTrace", "sourcePosition")
"""Properties of a resource that are of the machine."""


def main() -> None:
    """Write the archive of a stack, named by the day, or by the SDK that made it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stack", help="a stack that `make up` has made on the sandbox")
    parser.add_argument("--sdk", action="store_true", help="as that of this version of the SDK")
    given = parser.parse_args()
    places = stack_paths(given.stack)
    day = dt.datetime.now(tz=dt.UTC).date()
    of = f"sdks/gcp-{version('pulumi-gcp')}" if given.sdk else str(day)
    written = Path(__file__).parent / f"{of}-{places.stack}.tar.xz"
    with tarfile.open(written, "w:xz") as archive:
        for file, inside in _files(places):
            entry = tarfile.TarInfo(inside)
            content = _content(file)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    print(written.relative_to(ROOT))


def _files(places: StackPaths) -> Iterator[tuple[Path, str]]:
    """Yield each file, and its name in the archive."""
    yield places.config, places.config.name
    meta = places.checkpoint.parents[2] / "meta.yaml"
    settings = places.home / "work" / f"Pulumi.{places.stack}.yaml"
    for file in (places.home / "passphrase", meta, places.checkpoint, settings, places.world):
        yield file, str(file.relative_to(places.home.parent))


def _content(file: Path) -> bytes:
    if file.suffix != ".json":
        return file.read_bytes()
    state = json.loads(file.read_text(encoding="utf-8"))
    for resource in state["checkpoint"]["latest"]["resources"]:
        for name in _LEFT_OUT:
            resource.pop(name, None)
    return json.dumps(state).encode()


if __name__ == "__main__":
    main()

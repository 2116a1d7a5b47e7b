"""`make lock-images`: resolves the tags of a stack's images to digests, once."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import yaml

from catalog.config_folder import make_command
from catalog.words import plural
from config.image_lock import lock_file, locked_digests
from launcher.console import show
from launcher.paths import ROOT, StackPaths, checked, shown_file
from launcher.problem import LaunchError

_HEAD: Final = """\
# Written by `make lock-images STACK={stack}`: which image each tag meant then, and what runs since.
# A line stays until somebody deletes it; a tag that means another image now is told.
"""


def lock_images(places: StackPaths) -> None:
    """Write the digests of the stack's images into its lock; what is locked stays.

    Raises LaunchError, after writing the others, for images whose registry gives no digest, and for
    tags that have moved.
    """
    platform = checked(places)
    wanted = [image for image in platform.all_images if "@" not in image]
    held = locked_digests(platform.environment)
    found, problems = resolved(wanted, held, digest_of)
    file = lock_file(platform.environment)
    write_lock(file, platform.environment, found)
    show(
        f"{shown_file(file)}: {plural(len(found), 'image')}, {len(found.keys() - held)} of them new"
    )
    if problems:
        raise LaunchError("\n".join(problems))
    show(
        "Next: sup-image-digest: mandatory in the environment's policies lets nothing run without "
        f"a digest; then {make_command(f'preview STACK={places.stack}')}"
    )


def resolved(
    images: Iterable[str], held: Mapping[str, str], ask: Callable[[str], str]
) -> tuple[Mapping[str, str], list[str]]:
    """Return the digests of images, those held where there are any, and what is wrong.

    `ask` gives the digest that a tag has now, or raises LaunchError.
    """
    found: dict[str, str] = {}
    problems: list[str] = []
    for image in images:
        if image in held:
            found[image] = held[image]
        try:
            now = ask(image)
        except LaunchError as problem:
            problems.append(str(problem))
            continue
        if found.setdefault(image, now) != now:
            problems.append(
                f"{image}: its tag is now {now}, and locked is {held[image]}, which goes on "
                "running: somebody pushed under the tag again. Delete its line to take the new one"
            )
    return found, problems


def write_lock(file: Path, stack: str, digests: Mapping[str, str]) -> None:
    """Write a stack's lock."""
    text = yaml.safe_dump({"images": dict(sorted(digests.items()))}, width=1000)
    file.write_text(_HEAD.format(stack=stack) + text, encoding="utf-8")


def digest_of(image: str) -> str:
    """Return the digest that an image's tag has in its registry. Raises LaunchError for none."""
    done = subprocess.run([_crane(), "digest", image], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no answer"])[-1].removeprefix("Error: ")
        host = image.partition("/")[0]
        raise LaunchError(
            f"{image}: no digest, {why}. Push it first, by `{make_command('images CLOUD=gcp')}` "
            "where services/ has it; a private registry asks for "
            f"`gcloud auth configure-docker {host}`"
        )
    return done.stdout.strip()


def _crane() -> str:
    built = ROOT / ".engine" / "crane" / "crane"
    found = shutil.which("crane") or (str(built) if built.exists() else None)
    if found is None:
        raise LaunchError("`crane` isn't there: run `python3 tools/crane.py`")
    return found

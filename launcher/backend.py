"""A stack in the state backend that the ordinary Pulumi CLI is logged in to: made, or missing."""

import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import yaml

from catalog.config_folder import make_command
from launcher.console import show
from launcher.paths import ROOT, StackPaths, plain_pulumi, shown_file
from launcher.problem import LaunchError

ENCRYPTION_KEYS: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")
"""What Pulumi writes into a stack file to find the key of the stack's secrets again."""
_STEP: Final = "see step 3 of README.md, On Google Cloud"
_NO_LOGIN: Final = ("PULUMI_ACCESS_TOKEN must be set", "not logged in", "pulumi login")
_EXPIRED: Final = ("could not find default credentials", "invalid_grant", "invalid_rapt")
"""What Google's client libraries say without a login, or with one that is over."""
_NO_STACK: Final = ("no stack named", "no stack found", "could not find stack")


def check_stack_exists(places: StackPaths) -> None:
    """Raise LaunchError with the command to run where Pulumi isn't logged in or has no stack."""
    asked = [plain_pulumi(), "stack", "--stack", places.stack, "--show-name", "--non-interactive"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = done.stderr
    if any(each in said for each in _NO_LOGIN):
        raise LaunchError(
            "pulumi is not logged in to a state backend: run `pulumi login gs://<bucket>` ("
            f"{_STEP}), then this again"
        )
    if any(each in said for each in _EXPIRED):
        raise LaunchError(
            "the login to Google Cloud is missing or has expired: run `gcloud auth "
            "application-default login`, then this again"
        )
    if any(each in said for each in _NO_STACK):
        raise LaunchError(
            f"the state backend has no stack named {places.stack!r}: run "
            f"`{make_command(f'init STACK={places.stack} SECRETS=gcpkms://<key>')}` ({_STEP}), "
            "then this again"
        )


def init(places: StackPaths, secrets: str, program: str = "") -> None:
    """Make the stack in the state backend, and leave its file as its authors wrote it.

    `program` is the folder of a program beside the platform's. Pulumi writes the whole file anew,
    without comments, to note how the stack's secrets are encrypted: it gets a copy, of which only
    that note is kept. Raises LaunchError if there is no file, and if Pulumi refuses.
    """
    config = places.config.parent / program / places.config.name
    if not config.exists():
        raise LaunchError(
            f"there is no {shown_file(config)}: write it after {program}/Pulumi.dev.yaml of the "
            "program, then this again"
        )
    line = [plain_pulumi(), "stack", "init", "--stack", places.stack, "--no-select"]
    line += ["--secrets-provider", secrets] if secrets else []
    with TemporaryDirectory() as folder:
        for file in (ROOT / program / "Pulumi.yaml", config):
            shutil.copy(file, folder)
        done = subprocess.run(line, cwd=folder, check=False)
        seals = _encryption_of((Path(folder) / config.name).read_text(encoding="utf-8"))
    if done.returncode != 0:
        raise LaunchError(f"pulumi made no stack {places.stack!r} (see above): {_STEP}")
    written = config.read_text(encoding="utf-8")
    config.write_text(without_encryption(written) + seals, encoding="utf-8")
    kept = "noted the key of its secrets in it" if seals else "it stays as it is"
    step = make_command(f"preview STACK={places.stack} CLOUD=gcp")
    if program:
        line = ["pulumi", "up", "--cwd", str(ROOT / program), "--stack", places.stack]
        step = " ".join([*line, *([f"--config-file {config}"] if places.config_option else [])])
    show(f"{shown_file(config)}: {kept}. Next: {step}")


def without_encryption(text: str) -> str:
    """Return a stack file's text without what Pulumi wrote into it."""
    kept = re.sub(rf"(?m)^(?:{'|'.join(ENCRYPTION_KEYS)}):.*\n?", "", text)
    return kept if kept.endswith("\n") else f"{kept}\n"


def _encryption_of(text: str) -> str:
    document: dict[str, object] = yaml.safe_load(text) or {}
    return "".join(f"{key}: {document[key]}\n" for key in ENCRYPTION_KEYS if key in document)

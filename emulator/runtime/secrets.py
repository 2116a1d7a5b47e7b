"""The values of secrets: those the stack gives them, and those somebody adds by hand."""

import re
from dataclasses import dataclass
from pathlib import Path

from sandbox.world import World

SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"  # noqa: S105 -- a type


class MissingSecretError(LookupError):
    """A secret that a service names has no value; says where to put it."""


@dataclass(frozen=True)
class Secrets:
    """The secrets of a project in a world, and those whose values are added by hand."""

    world: World
    project: str
    by_hand: Path | None = None

    def value(self, secret: object, version: object, wanted_by: str) -> str:
        """Return the value of a version. Raises MissingSecretError."""
        name, wanted = str(secret).rpartition("/")[2], str(version or "latest")
        versions = self._versions(name)
        if wanted in versions:
            return versions[wanted]
        place = (
            "" if self.by_hand is None else f": put its value into the file {self.by_hand}/{name}"
        )
        which = "no version" if wanted == "latest" else f"no version {wanted}"
        raise MissingSecretError(
            f"{wanted_by} is to come from secret {name}, which has {which} in the stack{place}"
        )

    def _versions(self, name: str) -> dict[str, str]:
        """Return the values of the enabled versions by number, and that of the latest."""
        wanted = rf"projects/[^/]+/secrets/{re.escape(name)}|{re.escape(name)}"
        found: dict[str, str] = {}
        versions = [
            version
            for version in self.world.by_type(SECRET_VERSION, project=self.project)
            if re.fullmatch(wanted, str(version.inputs.get("secret")))
        ]
        for version in versions:
            number = version.id.rpartition("/")[2]
            if version.inputs.get("enabled", True):
                given = version.inputs.get("secretData") or version.inputs.get("secretDataWo")
                found[number] = found["latest"] = str(given or "")
        file = None if self.by_hand is None else self.by_hand / name
        if not versions and file is not None and file.is_file():
            found["1"] = found["latest"] = file.read_text()
        return found

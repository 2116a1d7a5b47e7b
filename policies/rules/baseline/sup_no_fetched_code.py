"""Containers run what is in their image, not what they fetch as they start."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.programs import COMMANDS, has_programs
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of, objects
from resources.properties import Props, elements, get, is_mapping, is_sequence, search
from resources.resource import Resource

_FILES: Final = "core/ConfigMap"
_SCRIPT: Final = re.compile(r".*\.(sh|bash|py|pl|rb|js)|.*entrypoint.*", re.IGNORECASE)
_RUNS: Final = r"(?:\S*/)?(?:(?:ba|da|z|k|a)?sh|python[0-9.]*|perl|ruby|node|php)\b"
_GETS: Final = r"\b(?:curl|wget|aria2c)\b"
_FAR: Final = r"https?://(?!localhost|127\.|\[::1\]|metadata\.)"
_TAKES: Final = rf"[\"']?(?:\$\(|`|<\()\s*{_GETS}"
_INSTALLERS: Final = (
    r"apk|apt|apt-get|brew|cargo|composer|conda|cpanm?|dnf|gem|go|luarocks|mamba|micromamba|microdnf"
    r"|npm|pip[0-9.]*|pipx|pnpm|poetry|tdnf|uv|yarn|yum|zypper"
)
_FETCHED: Final = (
    # Piped, substituted, or written down and run.
    rf"{_GETS}[^;&\n]*\|\s*(?:(?:sudo|env|exec|\w+=\S*)\s+)*{_RUNS}",
    rf"(?:{_RUNS}|\beval|\bsource|(?<!\S)\.)\s+(?:-\S+\s+)*{_TAKES}",
    rf"{_GETS}[^;&|]*{_FAR}.*?(?:&&|;|\n)\s*(?:chmod\s+\S*[x7]|{_RUNS}\s+\S+\.(?:sh|py|pl|rb|js)|\./)",
    # Installed.
    rf"\b(?:{_INSTALLERS})\s+(?:(?:pip|tool|-\S+)\s+)*(?:add|ci|get|i|install|run|sync)\s(?!.*--no-index)",
    r"\b(?:bunx|npx|uvx|pnpm\s+dlx)\s+[\w@-]",
    r"\bgit\s+(?:-\S+\s+)*(?:clone|pull|submodule)\b",
    rf"\bkubectl\s+(?:apply|create|replace)\s[^;&|\n]*{_FAR}",
    # Read and evaluated by the program itself.
    r"\bexec\s*\(.*\b(?:urlopen|urlretrieve|(?:requests|httpx)\.get)\s*\(",
    r"\b(?:urlopen|urlretrieve|(?:requests|httpx)\.get)\s*\(.*\bexec\s*\(",
)
_FETCHES: Final = re.compile("|".join(_FETCHED), re.DOTALL)
_LONGEST: Final = 50_000


def _command(name: str, value: object, _holder: Props) -> list[str] | None:
    if name not in COMMANDS:
        return None
    if isinstance(value, str):
        return [value]
    if not is_sequence(value):
        return None
    return [" ".join(each for each in elements(value) if isinstance(each, str))]


def _scripts(resource: Resource) -> Iterator[str]:
    for made in objects(resource.type, resource.props):
        files = get(made, "data")
        for name in files if is_mapping(files) else ():
            script = get(files, name)
            if isinstance(script, str) and (_SCRIPT.fullmatch(name) or script.startswith("#!")):
                yield script


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    if kind_of(resource.type) == _FILES:
        found = _scripts(resource)
    else:
        found = search(resource.props, _command)
    if any(_FETCHES.search(each[:_LONGEST]) for each in found):
        yield "fetches code as it starts, and runs it"


RULE: Final = ResourceRule(
    id="sup-no-fetched-code",
    display_name="Containers run their image",
    description=(
        "No command, hook, probe or script of a container downloads code and runs it, or installs "
        "packages."
    ),
    why=(
        "What is fetched was scanned, signed and tested by nobody, and differs from start to start."
    ),
    remediation="put it into the image, or into a volume of a version that was tested.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/security/application-security-checklist/",
    applies=has_programs,
    check=_check,
)

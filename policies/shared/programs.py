"""What programs are told by variables, options and files of configuration.

A setting is found wherever a resource holds it: the variables of a container, its arguments, also
as one line of a shell, the values of a chart, a map of variables, a file within a ConfigMap. Its
name is in small letters with dashes, so that `--trust-remote-code`, `trust_remote_code: true`,
`trustRemoteCode` and `TRUST_REMOTE_CODE` are one.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Final, NamedTuple

from catalog import strict_yaml
from catalog.vllm_options import OPTIONS
from resources.images import runs_images
from resources.kubernetes import kind_of
from resources.pods import CHARTS
from resources.properties import (
    UNKNOWN,
    Absence,
    Props,
    elements,
    is_mapping,
    is_sequence,
    search,
    text,
)

_FILES: Final = "core/ConfigMap"
# What has variables without containers.
_FUNCTIONS: Final = (
    "gcp:appengine/flexibleAppVersion:FlexibleAppVersion",
    "gcp:appengine/standardAppVersion:StandardAppVersion",
    "gcp:cloudfunctions/function:Function",
    "gcp:cloudfunctionsv2/function:Function",
)
_ELSEWHERE: Final = ("valueFrom", "valueSource")
# A value may begin on the next line, where that is no key of its own.
_LINE: Final = re.compile(
    r"(?m)^[\s-]*[\"']?([A-Za-z][\w.-]*)[\"']?\s*[:=](?![ \t]*\n[\s-]*[\w.\"'-]+\s*[:=](?:\s|$))"
    r"\s*[\"']?(.*?)[\"',]?\s*$"
)
_SERVES: Final = ("model", "model-path", "model-tag", "served-model-name")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Where collectors of telemetry say what they send to, and what they call it:
# https://opentelemetry.io/docs/collector/configuration/#exporters, and the same of Prometheus,
# Vector and Fluent Bit.
_SECTIONS: Final = ("exporters", "outputs", "remoteWrite", "remote_write", "sinks")
_ADDRESS: Final = re.compile(
    r"(.*_)?(endpoints?|urls?|hosts?|address|brokers|server|bootstrap_servers|dsn)", re.IGNORECASE
)
_MAY_EXPORT: Final = re.compile("|".join(("(?i:\\[output)", *_SECTIONS))).search
_CLASSIC: Final = re.compile(r"(?ims)^\s*\[OUTPUT\]\s*$(.*?)(?=^\s*\[|\Z)")
_CLASSIC_HOST: Final = re.compile(r"(?im)^\s*(?:host|url|proxy)\s+(\S+)\s*$")
_LONGEST: Final = 200_000


# Properties that hold what is run: of containers, their hooks and probes, of steps and jobs.
COMMANDS: Final = ("args", "command", "commands", "entrypoint", "script", "source")
# A word of a line, within which quotes hold spaces.
_WORD: Final = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_CALLS: Final = re.compile(r"\b(?:curl|wget)\b[^;&|\n]*")
# Who a machine is, it asks in clear.
_CALLED: Final = re.compile(r"[a-z]+://(?!metadata\b)[^\s\"']+")
# What stands for a value that another object has.
_ELSE: Final = Absence.MISSING


class Setting(NamedTuple):
    """One setting of a program."""

    name: str
    value: object
    """Text, or what stands for a value that is not known or comes from elsewhere."""
    option: bool = False
    """Whether it is an option of a command line."""
    elsewhere: bool = False
    """Whether its value is taken from another object."""


def has_programs(token: str) -> bool:
    """Return whether resources of this type may tell programs something."""
    return runs_images(token) or token in CHARTS or token in _FUNCTIONS or kind_of(token) == _FILES


def settings(token: str, props: Props, wanted: Callable[[str], object]) -> Iterator[Setting]:
    """Yield what programs are told by a resource, of the names that are wanted."""
    if has_programs(token):
        yield from search(props, partial(_settings, wanted))


def _settings(
    wanted: Callable[[str], object], name: str, value: object, holder: Props
) -> Iterable[Setting] | None:
    if name == "value" or name in _ELSEWHERE:
        named = text(holder, "name")
        if isinstance(named, str):
            name = named
            if not isinstance(value, str | bool | int) and value is not UNKNOWN:
                value = _ELSE
    if isinstance(value, str | bool | int | Absence):
        plain = _plain(name)
        found = [Setting(plain, _text(value), elsewhere=value is _ELSE)] if wanted(plain) else []
        if isinstance(value, str):
            if "--" in value:
                found += (each for each in _options(value) if wanted(each.name))
            if "\n" in value and len(value) < _LONGEST:
                found += (each for each in _lines(value) if wanted(each.name))
        return found
    if not is_sequence(value):
        return None
    words = [each for each in elements(value) if isinstance(each, str)]
    if not any("--" in each for each in words):
        return None
    return [each for each in _given(_words(words)) if wanted(each.name)]


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool | int) else value


@cache
def _plain(name: str) -> str:
    return _CAMEL.sub("-", name).lower().replace("_", "-")


def _options(line: str) -> Iterator[Setting]:
    return _given(each.replace("'", "").strip('"') for each in _WORD.findall(line))


def _words(arguments: Iterable[str]) -> Iterator[str]:
    """Yield the words of arguments, of which one may be a line of a shell."""
    before = ""
    for each in arguments:
        of_line = not each.startswith("--") and not before.startswith("--") and "--" in each
        yield from _WORD.findall(each) if of_line else (each,)
        before = each


def _given(words: Iterable[str]) -> Iterator[Setting]:
    """Yield options as argparse takes them: `--a=b`, `--a b c`, `--a.b c`, `--a '{"b": "c"}'`."""
    found: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, given, own = word[2:].partition("=")
            found.setdefault(name, []).extend([own] if given else ())
            name = "" if given else name
        elif word.startswith("-"):
            name = ""
        elif name and word:
            found[name].append(word)
    for name, values in found.items():
        first, *further = name.split(".")
        for value in values or ["true"]:
            if further:
                yield Setting(_plain(further[-1]), value)
            yield Setting(_full(_plain(first)), value, option=True)
            yield from _within(value)


def _within(value: str) -> Iterator[Setting]:
    """Yield what an object holds that is written as text, of JSON or YAML."""
    if not value.lstrip().startswith(("{", "[{")):
        return
    try:
        document = strict_yaml.load(value)
    except strict_yaml.YamlError:
        return
    yield from search({"": document}, _leaf)


def _leaf(name: str, value: object, _holder: Props) -> list[Setting] | None:
    if is_mapping(value) or is_sequence(value):
        return None
    return [Setting(_plain(name), _text(value))]


@cache
def _full(name: str) -> str:
    """Return the option of vLLM that a name is short for."""
    alike = () if name in OPTIONS else [each for each in OPTIONS if each.startswith(name)]
    return alike[0] if len(alike) == 1 else name


def _lines(value: str) -> Iterator[Setting]:
    found = [(_plain(name), own) for name, own in _LINE.findall(value)]
    # The file of a model server says the same as its command line.
    serves = any(name in _SERVES for name, _ in found)
    for name, own in found:
        yield Setting(name, own, option=serves)
        yield from _within(own)


def exported(token: str, props: Props) -> Iterator[object]:
    """Yield where collectors of telemetry send what they collect."""
    if has_programs(token):
        yield from search(props, _exported)


def _exported(name: str, value: object, _holder: Props) -> list[object] | None:
    if name in _SECTIONS and (is_mapping(value) or is_sequence(value)):
        return [*search({name: value}, _addresses)]
    if not isinstance(value, str) or not _MAY_EXPORT(value) or len(value) > _LONGEST:
        return None
    found: list[object] = [
        host for part in _CLASSIC.findall(value) for host in _CLASSIC_HOST.findall(part)
    ]
    try:
        document = strict_yaml.load(value)
    except strict_yaml.YamlError:
        return found
    return [*found, *search(document, _exported)] if is_mapping(document) else found


def called(token: str, props: Props) -> Iterator[object]:
    """Yield the addresses that commands of containers call, hooks and probes among them."""
    if has_programs(token):
        yield from search(props, _called)


def _called(name: str, value: object, _holder: Props) -> list[object] | None:
    if name not in COMMANDS or not is_sequence(value):
        return None
    line = " ".join(each for each in elements(value) if isinstance(each, str))
    calls = _CALLS.findall(line) if "://" in line else ()
    return [address for each in calls for address in _CALLED.findall(each)]


def _addresses(name: str, value: object, _holder: Props) -> list[object] | None:
    if not _ADDRESS.fullmatch(name):
        return None
    if isinstance(value, str):
        return [value]
    words: list[object] = [each for each in elements(value) if isinstance(each, str)]
    return words or None

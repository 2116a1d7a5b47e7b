"""Names of places where data goes, and whether they are the stack's own."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from policies.shared.projects import own_projects, project_of
from resources.properties import MISSING, UNKNOWN, Absence, entries, text
from resources.resource import Resource, stack_of

_BUCKET: Final = "gcp:storage/bucket:Bucket"
_RECORD: Final = "gcp:dns/recordSet:RecordSet"
_SERVICES: Final = (
    "gcp:cloudfunctionsv2/function:Function",
    "gcp:cloudrun/service:Service",
    "gcp:cloudrunv2/service:Service",
)
_URL: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^/?#]*@)?(?P<host>[^/:?#]+)")
# The address that Cloud Run gives a service, by the number of its project.
_NUMBERED: Final = re.compile(r"[a-z0-9-]+-([0-9]+)\.[a-z0-9-]+\.run\.app")
_TABLE: Final = re.compile(r"(?:bq://)?`?([a-z][a-z0-9.:-]*?)[.:][\w$-]+(?:\.[\w$*-]+)?`?")
_BUCKET_NAME: Final = re.compile(
    r"(?:gs://|storage\.googleapis\.com/|(?:.*/)?buckets/)?([a-z0-9][a-z0-9._-]*)(?:/.*)?"
)
# Queries that write elsewhere: an export, or a table of a project.
_EXPORT: Final = re.compile(r"(?i)\buri\s*=\s*(?:r?[\"'])([^\"']+)")
_WRITES: Final = re.compile(
    r"(?i)\b(?:insert\s+(?:into\s+)?|merge\s+(?:into\s+)?"
    r"|create\s+(?:or\s+replace\s+)?(?:table|materialized\s+view)\s+(?:if\s+not\s+exists\s+)?)"
    r"`?([a-z][a-z0-9-]*)(?:`?\.`?[\w$-]+){2}`?"
)


@dataclass(frozen=True)
class Own:
    """What is the stack's own, or as good by what the environment says."""

    projects: frozenset[str]
    buckets: frozenset[str]
    hosts: frozenset[str]
    registries: frozenset[str]


def own_of(
    resources: Sequence[Resource],
    projects: Sequence[str],
    places: Sequence[str],
    registries: Sequence[str],
) -> Own:
    """Return what is the stack's own; `places` are buckets and hosts the environment names."""
    stack = stack_of(resources)
    hosts = set(places)
    for token in _SERVICES:
        for each in stack.by_type.get(token, ()):
            urls = entries(each.props, "urls")
            for url in (text(each.props, "uri"), *(urls if isinstance(urls, tuple) else ())):
                match = _URL.match(url) if isinstance(url, str) else None
                hosts |= {match["host"]} if match else set()
    for each in stack.by_type.get(_RECORD, ()):
        name = text(each.props, "name")
        hosts |= {name.rstrip(".")} if isinstance(name, str) and not _google(name) else set()
    buckets = {text(each.props, "name") for each in stack.by_type.get(_BUCKET, ())}
    named = {each for each in buckets if isinstance(each, str)}
    return Own(
        own_projects(stack, projects),
        frozenset(named | set(places)),
        frozenset(hosts),
        frozenset(registries),
    )


def elsewhere(value: object, kind: str, own: Own) -> str:
    """Return what is wrong with a destination of this kind; empty where it is one's own."""
    if kind == "outside":
        return "" if value in (MISSING, UNKNOWN) else "leads outside Google Cloud"
    # What is not known yet is judged when it is.
    if not isinstance(value, str) or isinstance(value, Absence) or not value:
        return ""
    return _KINDS[kind](value, own)


def _url(value: str, own: Own) -> str:
    match = _URL.match(value)
    if match is None:
        return _host(value, own)
    if match["scheme"] != "https":
        return "is not https"
    return _host(match["host"], own)


def _host(value: str, own: Own) -> str:
    host = value.lower().rstrip(".")
    match = _NUMBERED.fullmatch(host)
    if host in own.hosts or _google(host) or (match and match[1] in own.projects):
        return ""
    return "is a host that is neither the stack's nor named by the environment"


def _google(host: str) -> bool:
    return host.rstrip(".").endswith(".googleapis.com")


def _project(value: str, own: Own) -> str:
    if not own.projects or value.removeprefix("projects/") in own.projects:
        return ""
    return "is in a project that the environment does not name"


def _name(value: str, own: Own) -> str:
    project = project_of(value)
    return "" if project in (None, "_", "-") else _project(project or "", own)


def _bucket(value: str, own: Own) -> str:
    match = _BUCKET_NAME.fullmatch(value)
    if match and (match[1] in own.buckets or not own.projects):
        return ""
    return "is a bucket that is neither the stack's nor named by the environment"


def _table(value: str, own: Own) -> str:
    if project_of(value) is not None:
        return _name(value, own)
    match = _TABLE.fullmatch(value)
    # With a dataset and a table alone it is in the own project.
    parts = re.split(r"[.:]", value.removeprefix("bq://"))
    if match is None or (len(parts) < 3 and ":" not in value and "bq://" not in value):
        return ""
    return _project(parts[0].strip("`"), own)


def _sink(value: str, own: Own) -> str:
    return _bucket(value, own) if value.startswith("storage.googleapis.com/") else _name(value, own)


def _sql(value: str, own: Own) -> str:
    found = [
        _bucket(each, own) if each.startswith("gs://") else "exports outside Google Cloud"
        for each in _EXPORT.findall(value)
    ]
    found += [_project(each, own) for each in _WRITES.findall(value)]
    return next((each for each in found if each), "")


def _registry(value: str, own: Own) -> str:
    match = _URL.match(value)
    host = match["host"] if match else value.partition("/")[0]
    if match is not None and match["scheme"] != "https":
        return "is not https"
    if match is None and project_of(value) is not None:
        return _name(value, own)
    # Without dots it is one of the presets of Artifact Registry.
    if "." not in host or host in own.registries:
        return ""
    return "is a registry that the environment does not name"


_KINDS: Final = {
    "bucket": _bucket,
    "host": _host,
    "name": _name,
    "project": _project,
    "registry": _registry,
    "sink": _sink,
    "sql": _sql,
    "table": _table,
    "url": _url,
}

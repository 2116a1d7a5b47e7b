"""Names of places where data goes, and whether they are the stack's own."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from policies.shared.mail import PUBLIC_MAIL
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
_PRIVATE: Final = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)
# Names that a cluster answers itself.
_IN_CLUSTER: Final = re.compile(r"[a-z0-9.-]+\.svc(\.cluster\.local)?")
_LOCAL: Final = ("0.0.0.0", "127.0.0.1")  # noqa: S104 - found, not listened on
_ENDPOINT: Final = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?:[^/?#@]*@)?"
    r"(?:\[(?P<v6>[0-9a-f:.]*)\]|(?P<host>[^/:?#\[\]]*))(?::[0-9]+)?(?:[/?#].*)?",
    re.IGNORECASE,
)
_STORES: Final = ("file", "gcs", "gs", "hf")
# Projects of images that Google publishes: https://cloud.google.com/compute/docs/images/os-details
_GOOGLE_IMAGES: Final = frozenset(
    (
        *("batch-custom-image", "centos-cloud", "cos-cloud", "cloud-hpc-image-public"),
        *(
            "debian-cloud",
            "deeplearning-platform-release",
            "fedora-coreos-cloud",
            "gke-node-images",
        ),
        *("opensuse-cloud", "rhel-cloud", "rocky-linux-accelerator-cloud", "rocky-linux-cloud"),
        *("suse-cloud", "ubuntu-os-accelerator-images", "ubuntu-os-cloud", "ubuntu-os-pro-cloud"),
        *("windows-cloud", "windows-sql-cloud"),
    )
)
# A project before an image or a family, in the short form.
_SHORT_IMAGE: Final = re.compile(r"([a-z][a-z0-9-]{4,28}[a-z0-9])/[a-z][a-z0-9-]*")
# Where Google keeps the templates of Dataflow, and what Dataflow makes for a project's own jobs.
_GOOGLE_TEMPLATES: Final = re.compile(r"gs://dataflow-templates(-[a-z0-9-]+)?/.*")
_STAGING: Final = re.compile(r"dataflow-staging-[a-z0-9-]+-(?:[0-9a-f]{32}|(?P<number>[0-9]+))")
_IMAGE: Final = re.compile(
    r"(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)/([a-z][a-z0-9.:-]*)/.*"
)
_TABLE: Final = re.compile(r"(?:bq://)?`?([a-z][a-z0-9.:-]*?)[.:][\w$-]+(?:\.[\w$*-]+)?`?")
# Git's own way of writing an address has a colon before the path.
_REPOSITORY: Final = re.compile(
    r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?(?P<host>[^/:]+(?::[0-9]+(?=/))?)[/:]?(?P<path>.*?)"
    r"(?:\.git)?/?"
)
_REMOTE: Final = re.compile(r"[a-z][a-z0-9+.-]*://|[^/]*@|[\w-]+\.[\w.-]+/")
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
class OwnResources:
    """What is the stack's own, or as good by what the environment says."""

    projects: frozenset[str]
    buckets: frozenset[str]
    hosts: frozenset[str]
    registries: frozenset[str]
    keys: frozenset[str] = frozenset()
    """Projects of keys, beside the own ones."""


def own_resources(
    resources: Sequence[Resource],
    projects: Sequence[str],
    places: Sequence[str],
    registries: Sequence[str],
    keys: Sequence[str] = (),
) -> OwnResources:
    """Return what is the stack's own; `places` are buckets and hosts the environment names."""
    stack = stack_of(resources)
    own = own_projects(stack, projects)
    hosts = set(places)
    for token in _SERVICES:
        for each in stack.by_type.get(token, ()):
            if not _is_in(each, own):
                continue
            urls = entries(each.props, "urls")
            for url in (text(each.props, "uri"), *(urls if isinstance(urls, tuple) else ())):
                match = _URL.match(url) if isinstance(url, str) else None
                hosts |= {match["host"]} if match else set()
    for each in stack.by_type.get(_RECORD, ()):
        name = text(each.props, "name")
        hosts |= {name.rstrip(".")} if isinstance(name, str) and not _google(name) else set()
    buckets = {
        text(each.props, "name") for each in stack.by_type.get(_BUCKET, ()) if _is_in(each, own)
    }
    named = {each for each in buckets if isinstance(each, str)}
    return OwnResources(
        own,
        frozenset(named | set(places)),
        frozenset(hosts),
        frozenset(registries),
        frozenset(keys),
    )


def _is_in(resource: Resource, projects: frozenset[str]) -> bool:
    project = text(resource.props, "project")
    return not projects or project in (MISSING, UNKNOWN) or project in projects


def destination_problem(value: object, kind: str, own: OwnResources) -> str:
    """Return what is wrong with a destination of this kind; empty where it is one's own."""
    if kind == "outside":
        return "" if value in (MISSING, UNKNOWN) else "leads outside Google Cloud"
    if kind == "mirror":
        named = text(value, "backendRef", "name")
        known = value in (MISSING, UNKNOWN) or named is UNKNOWN or named in own.hosts
        return "" if known else "sends a copy of each request to another backend"
    # What is not known yet is judged when it is.
    if not isinstance(value, str) or isinstance(value, Absence) or not value:
        return ""
    return _KINDS[kind](value, own)


def _url(value: str, own: OwnResources) -> str:
    match = _URL.match(value)
    if match is None:
        return _host(value, own)
    if match["scheme"] != "https":
        return "is not https"
    return _host(match["host"], own)


def _public_url(value: str, own: OwnResources) -> str:
    match = _URL.match(value)
    # What answers Google there is nobody of the stack's.
    if match is not None and _is_private(match["host"]):
        return "is an address that Google does not reach"
    return _url(value, own)


def _host(value: str, own: OwnResources) -> str:
    host = value.lower().rstrip(".")
    if _IN_CLUSTER.fullmatch(host) or _is_private(host):
        return ""
    match = _NUMBERED.fullmatch(host)
    if host in own.hosts or _google(host) or (match and match[1] in own.projects):
        return ""
    return "is a host that is neither the stack's nor named by the environment"


def _endpoint(value: str, own: OwnResources) -> str:
    """Return what is wrong with where a program sends to: a URL, or a host with a port."""
    match = _ENDPOINT.fullmatch(value.strip())
    host = (match["host"] or match["v6"]).lower().rstrip(".") if match else ""
    # A word without dots is a Service beside it; one with a variable in it is told by that.
    if not host or not {".", ":"} & {*host} or "$" in value or _IN_CLUSTER.fullmatch(host):
        return "" if match or "$" in value else _host(value, own)
    if _is_private(host) or host in _LOCAL:
        return ""
    return "is not https" if match and match["scheme"] == "http" else _host(host, own)


def _weights(value: str, _own: OwnResources) -> str:
    """Return what is wrong with where a model server gets its model: a repository, whose mirror is
    told apart, a folder, a bucket, which the perimeter and its grants hold, or another store."""
    scheme, found, _ = value.strip().partition("://")
    return "leads outside Google Cloud" if found and scheme not in _STORES else ""


def _silence(value: str, _own: OwnResources) -> str:
    off = value.strip().lower() in ("0", "false", "no", "off")
    return "tells its makers how it is used" if off else ""


def _proxy(value: str, own: OwnResources) -> str:
    # A proxy is asked in clear, and passes TLS through.
    return _endpoint(re.sub(r"^http://", "", value), own)


def _is_private(value: str) -> bool:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return any(address in each for each in _PRIVATE)


def _address(value: str, own: OwnResources) -> str:
    return "" if _is_private(value) else _host(value, own)


def _google(host: str) -> bool:
    return host.rstrip(".").endswith(".googleapis.com")


def _project(value: str, own: OwnResources) -> str:
    if not own.projects or value.removeprefix("projects/") in own.projects:
        return ""
    return "is in a project that the environment does not name"


def _name(value: str, own: OwnResources) -> str:
    project = project_of(value)
    return "" if project in (None, "_", "-") else _project(project or "", own)


def _key(value: str, own: OwnResources) -> str:
    return "" if project_of(value) in own.keys else _name(value, own)


def _bucket(value: str, own: OwnResources) -> str:
    match = _BUCKET_NAME.fullmatch(value)
    if match and (match[1] in own.buckets or not own.projects):
        return ""
    staging = _STAGING.fullmatch(match[1]) if match else None
    if staging and (staging["number"] is None or staging["number"] in own.projects):
        return ""
    return "is a bucket that is neither the stack's nor named by the environment"


def _template(value: str, own: OwnResources) -> str:
    return "" if _GOOGLE_TEMPLATES.fullmatch(value) else _bucket(value, own)


def _image(value: str, own: OwnResources) -> str:
    match = _IMAGE.fullmatch(value)
    return _project(match[1], own) if match else "is an image of no registry of Google's"


def _disk_image(value: str, own: OwnResources) -> str:
    short = _SHORT_IMAGE.fullmatch(value)
    project = project_of(value) or (short[1] if short and short[1] != "family" else None)
    # Without a project it is the own one's, or of a family that Google publishes.
    return "" if project is None or project in _GOOGLE_IMAGES else _project(project, own)


def _output(value: str, own: OwnResources) -> str:
    if value.startswith("gs://"):
        return _bucket(value, own)
    if _URL.match(value):
        return _url(value, own)
    return _name(value, own) if project_of(value) is not None else _table(value, own)


def _table(value: str, own: OwnResources) -> str:
    if project_of(value) is not None:
        return _name(value, own)
    match = _TABLE.fullmatch(value)
    # With a dataset and a table alone it is in the own project.
    parts = re.split(r"[.:]", value.removeprefix("bq://"))
    if match is None or (len(parts) < 3 and ":" not in value and "bq://" not in value):
        return ""
    return _project(parts[0].strip("`"), own)


def _sink(value: str, own: OwnResources) -> str:
    return _bucket(value, own) if value.startswith("storage.googleapis.com/") else _name(value, own)


def _sql(value: str, own: OwnResources) -> str:
    found = [
        _bucket(each, own) if each.startswith("gs://") else "exports outside Google Cloud"
        for each in _EXPORT.findall(value)
    ]
    found += [_project(each, own) for each in _WRITES.findall(value)]
    return next((each for each in found if each), "")


def _script(value: str, own: OwnResources) -> str:
    found = (_host(match["host"], own) for match in _URL.finditer(value))
    return "names a host that is neither the stack's nor the environment's" if any(found) else ""


def _registry(value: str, own: OwnResources) -> str:
    match = _URL.match(value)
    host = match["host"] if match else value.partition("/")[0]
    if match is not None and match["scheme"] != "https":
        return "is not https"
    if match is None and project_of(value) is not None:
        return _name(value, own)
    # Without dots it is one of the presets of Artifact Registry.
    if "." not in host or _begins(value, own.registries):
        return ""
    # Anybody has repositories on Google's hosts: the project tells whose they are.
    image = _IMAGE.match(f"{_plain(value)}/")
    if image and image[1] in own.projects:
        return ""
    return "is a registry that the environment does not name"


def _plain(address: str) -> str:
    """Return an address without scheme and user, as host and path."""
    match = _REPOSITORY.fullmatch(address)
    return f"{match['host'].lower()}/{match['path']}".rstrip("/") if match else address


def _begins(address: str, names: frozenset[str]) -> bool:
    """Return whether an address is one of the names, a host or the beginning of a path, or below
    it."""
    plain = f"{_plain(address)}/"
    return any(plain.startswith(f"{_plain(name)}/") for name in names)


def _repository(value: str, own: OwnResources) -> str:
    if value.startswith("http://"):
        return "is not https"
    image = _IMAGE.match(f"{_plain(value)}/")
    if _begins(value, own.hosts) or (image and image[1] in own.projects):
        return ""
    return "is a repository that the environment does not name"


def _chart(value: str, own: OwnResources) -> str:
    # Without a scheme it is a folder of the program, or a name in a repository given beside it.
    match = _URL.match(value)
    return _registry(f"https://{_plain(value)}", own) if match else ""


def _manifest(value: str, own: OwnResources) -> str:
    # A file of the program is the program's own.
    return _repository(value, own) if _REMOTE.match(value) else ""


def _email(value: str, _own: OwnResources) -> str:
    domain = value.rpartition("@")[2].lower()
    return "is an address that anybody gets" if domain in PUBLIC_MAIL else ""


def _everything(value: str, _own: OwnResources) -> str:
    return "takes every place" if value in ("*", "_") else ""


_KINDS: Final = {
    "silence": _silence,
    "weights": _weights,
    "address": _address,
    "bucket": _bucket,
    "chart": _chart,
    "disk image": _disk_image,
    "email": _email,
    "endpoint": _endpoint,
    "everything": _everything,
    "host": _host,
    "image": _image,
    "key": _key,
    "manifest": _manifest,
    "name": _name,
    "output": _output,
    "project": _project,
    "proxy": _proxy,
    "public url": _public_url,
    "registry": _registry,
    "repository": _repository,
    "script": _script,
    "sink": _sink,
    "sql": _sql,
    "table": _table,
    "template": _template,
    "url": _url,
}

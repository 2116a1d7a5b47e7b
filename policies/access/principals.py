"""Principals, in one spelling whichever way a grant writes them.

https://cloud.google.com/iam/docs/principal-identifiers
"""

import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Final

import yaml

_AGENTS: Final = frozenset(
    yaml.safe_load(Path(__file__).with_name("google_agents.yaml").read_text(encoding="utf-8"))[
        "projects"
    ]
)
_KINDS: Final[Mapping[str, str]] = {
    kind.lower(): kind
    for kind in (
        "domain",
        "group",
        "principal",
        "principalSet",
        "projectEditor",
        "projectOwner",
        "projectViewer",
        "serviceAccount",
        "user",
    )
}
_PUBLIC: Final[Mapping[str, str]] = {
    "allusers": "allUsers",
    "allauthenticatedusers": "allAuthenticatedUsers",
    "principalset://goog/public:all": "allUsers",
}
# Entities of access lists; `project-owners-123456` is who owns the project.
_ENTITY: Final = re.compile(
    r"(?P<kind>user|group|domain|project-(?:owners|editors|viewers))-(?P<name>.+)", re.IGNORECASE
)
_ENTITIES: Final[Mapping[str, str]] = {
    "project-owners": "projectOwner",
    "project-editors": "projectEditor",
    "project-viewers": "projectViewer",
}
# The spellings of deny and access policies.
_LONG: Final = (
    (re.compile(r"principal://goog/subject/(?P<name>.+@.+)"), "user"),
    (re.compile(r"principalSet://goog/group/(?P<name>.+@.+)"), "group"),
    (
        re.compile(r"principal://iam\.googleapis\.com/projects/-/serviceAccounts/(?P<name>.+@.+)"),
        "serviceAccount",
    ),
)
_ACCOUNT: Final = re.compile(r"serviceAccount:[^@]+@(?P<project>[a-z0-9.:-]+)")
_SUFFIX: Final = ".iam.gserviceaccount.com"
_GOOGLES: Final = frozenset({"cloudservices.gserviceaccount.com", "system.gserviceaccount.com"})
_POOL: Final = re.compile(
    r"serviceAccount:(?P<a>[a-z0-9.:-]+)\.svc\.id\.goog(\[.*)?"
    r"|principal(Set)?://.*/workloadIdentityPools/(?P<b>[a-z0-9.:-]+)\.svc\.id\.goog/.*"
)


def member(text: str) -> str:
    """Return a member in the spelling of IAM: no spaces around it, the kind as documented, mail
    in lower case, and a deleted principal as itself, since it may be restored with all its
    grants.
    """
    found = text.strip()
    if found.lower().startswith("deleted:"):
        found = found.partition(":")[2].partition("?uid=")[0]
    public = _PUBLIC.get(found.lower())
    if public:
        return public
    for pattern, kind in _LONG:
        match = pattern.fullmatch(found)
        if match:
            return _of_kind(kind, match["name"])
    entity = _ENTITY.fullmatch(found)
    if entity:
        kind = entity["kind"].lower()
        return _of_kind(_ENTITIES.get(kind, kind), entity["name"])
    prefix, colon, name = found.partition(":")
    kind = _KINDS.get(prefix.strip().lower()) if colon else None
    return _of_kind(kind, name) if kind else found


def _of_kind(kind: str, name: str) -> str:
    name = name.strip()
    if kind in ("principal", "principalSet"):
        return f"{kind}:{name}"
    name = name.lower()
    # Access lists, and Kubernetes, call service accounts users.
    if kind == "user" and name.endswith(".gserviceaccount.com"):
        kind = "serviceAccount"
    return f"{kind}:{name}"


def is_agent(who: str) -> bool:
    """Return whether a member is an account of Google's own, which nobody else can act through."""
    match = _ACCOUNT.fullmatch(who)
    if match is None:
        return False
    host = match["project"]
    project = host.removesuffix(_SUFFIX)
    return host in _GOOGLES or (
        project != host and (project in _AGENTS or project.startswith("gcp-sa-"))
    )


def is_workload(who: str) -> bool:
    """Return whether a member is what a workload runs as: an account, a pod or a federated
    identity.

    Identities of a workforce pool are people.
    """
    kinds = ("serviceAccount:", "principal:", "principalSet:")
    return who.startswith(kinds) and "/workforcePools/" not in who and not is_agent(who)


def project_of(who: str) -> str | None:
    """Return the project that a service account or pod belongs to, None where its name does not
    tell."""
    pool = _POOL.fullmatch(who)
    if pool:
        return pool["a"] or pool["b"]
    match = _ACCOUNT.fullmatch(who)
    if match is None or is_agent(who) or not match["project"].endswith(_SUFFIX):
        return None
    project = match["project"].removesuffix(_SUFFIX)
    # The project of a domain, such as example.com:app, is turned around in an account's name.
    name, dot, domain = project.partition(".")
    return f"{domain}:{name}" if dot else name


def is_foreign(account: object, own: Container[str]) -> bool:
    """Return whether an account, by its e-mail, belongs to a project that isn't among one's own."""
    project = project_of(f"serviceAccount:{account}") if isinstance(account, str) else None
    return project is not None and project not in own

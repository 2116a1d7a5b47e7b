"""What roles and permissions let their holder do, in a few words that matter for reach."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

_HERE: Final = Path(__file__).resolve().parent
Capabilities = frozenset[str]
NOTHING: Final[Capabilities] = frozenset()
# What nobody holds for good, and no workload at all, each as a message says it.
ELEVATED: Final[Mapping[str, str]] = {
    "administer": "gives itself any access",
    "share": "gives others access",
    "own-accounts": "gives itself service accounts",
    "impersonate": "becomes service accounts",
    "act-as": "deploys code as service accounts",
    "make-keys": "makes keys",
    "issue": "issues certificates",
    "build": "runs builds as service accounts",
    "publish": "replaces what others run",
    "read-secrets": "reads secrets",
    "decrypt": "decrypts",
    "delete-audit": "turns logging off",
    "federate": "lets identities of elsewhere in",
    "enter": "gets into workloads or nodes",
    "root": "is root on machines",
    "lower-guards": "changes policies, perimeters or guardrails",
    "open-network": "opens the network",
    "delete": "deletes data, its copies or alerts",
}
# Of these, what hands a single resource on to anybody, or is all that it has.
HANDS_ON: Final[Capabilities] = frozenset(
    {"administer", "share", "own-accounts", "make-keys", "federate", "root"}
)
# Of these, what a workload has on no single resource either.
BY_HAND: Final[Capabilities] = HANDS_ON | {"publish"}
_AGENT: Final = re.compile(r"roles/.*serviceAgent", re.IGNORECASE)
_NAMED_READER: Final = re.compile(r"roles/.*(viewer|reader)", re.IGNORECASE)
_NAMED_ADMIN: Final = re.compile(r"roles/(.*admin|.*owner|editor)", re.IGNORECASE)


@cache
def _table(name: str) -> Mapping[str, Any]:
    # libyaml reads the thousand roles in a tenth of the time, where it is there.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((_HERE / f"{name}.yaml").read_text(encoding="utf-8"), loader)  # noqa: S506


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    return {
        capability: re.compile(re.sub(r"\s+", "", pattern), re.IGNORECASE)
        for capability, pattern in _table("capabilities").items()
    }


def of_role(role: str) -> Capabilities | None:
    """Return what a predefined or legacy role lets its holder do; None for one that is not
    known."""
    table = _table("roles")
    found = table["roles"].get(role.removeprefix("roles/"), table["legacy"].get(role))
    return None if found is None else frozenset(found)


def elevated(role: str, *, wide: bool, enough: Capabilities = HANDS_ON) -> str | None:
    """Return what makes a role elevated, None for one that is not.

    On a whole project, folder or organization (`wide`) any of `ELEVATED` does, on a single
    resource what is `enough` there. A predefined role that no table knows is judged by its name: on
    a whole project only a reader's passes.
    """
    found = of_role(role)
    if found is None and _AGENT.fullmatch(role):
        return "is Google's own for an agent of a service"
    if found is None and _NAMED_ADMIN.fullmatch(role):
        return "is called an administrator's"
    if found is None:
        # A custom role is judged by its permissions, where it is made.
        unknown = role.startswith("roles/") and not _NAMED_READER.fullmatch(role)
        return "is in no table of roles" if wide and unknown else None
    for capability, says in ELEVATED.items():
        if capability in found and (wide or capability in enough):
            return says
    # It owns the access lists of objects, which uniform access alone makes void.
    return "gives others access" if role == "roles/storage.legacyObjectOwner" else None


def of_kubernetes_role(name: str) -> Capabilities | None:
    """Return what a ClusterRole that every cluster has, or a Role by `<namespace>/<name>`, lets its
    holder do; None for another."""
    found = _table("roles")["kubernetes"].get(name)
    return None if found is None else frozenset(found)


def of_permissions(permissions: Iterable[str]) -> Capabilities:
    """Return what the permissions of a custom role let its holder do."""
    names = list(permissions)
    return frozenset(
        capability
        for capability, pattern in _patterns().items()
        if any(pattern.fullmatch(name) for name in names)
    )

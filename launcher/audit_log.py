"""Who last changed what, by the audit log of Google Cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from launcher import gcloud
from plans.drift import GRANTS
from plans.plan import Step

FRESHNESS: Final = "30d"
_HOLDERS: Final = (
    *("bucket", "topic", "subscription", "secretId", "repository", "serviceAccountId", "tableId"),
    *("datasetId", "cryptoKeyId", "keyRingId", "name", "project"),
)
"""Where a grant names what it is on, the narrow before the wide."""
_MOST: Final = 40
"""So many resources are asked for at once: a filter may have 20,000 characters.
https://cloud.google.com/logging/quotas"""


@dataclass(frozen=True)
class Entry:
    """One change: whose, when (RFC 3339) and by which method of the API."""

    who: str
    when: str
    method: str


def last_changes(steps: Sequence[Step]) -> Mapping[str, Entry]:
    """Return the last change of each resource by its URN, of those that the log tells of.

    Asked of `gcloud`, where there is one that may read the project's log of admin activity, which
    is kept for 400 days: https://cloud.google.com/logging/docs/audit#admin-activity.
    """
    named = {each.urn: name for each in steps if (name := _name(each))}
    projects = {each.urn: project for each in steps if (project := _project(each))}
    found: dict[str, Entry] = {}
    for project in sorted({projects[urn] for urn in named if urn in projects}):
        ours = [urn for urn in named if projects.get(urn) == project]
        entries = [
            each
            for start in range(0, len(ours), _MOST)
            for each in _entries(project, [named[urn] for urn in ours[start : start + _MOST]])
        ]
        for urn in ours:
            own = next((each for each in entries if _is_of(each, named[urn])), None)
            if own:
                found[urn] = _entry(own)
    return found


def _name(step: Step) -> str:
    """Return the last part of a resource's name, as the log has it; of a grant, what it is on."""
    props = step.before.props if step.before else {}
    keys = _HOLDERS if GRANTS.search(step.type) else ("name",)
    found = next((props[key] for key in keys if isinstance(props.get(key), str)), "")
    return str(found).rpartition("/")[2]


def _project(step: Step) -> str:
    project = step.before.props.get("project") if step.before else None
    return project if isinstance(project, str) else ""


def _entries(project: str, names: Sequence[str]) -> list[dict[str, Any]]:
    any_of = " OR ".join(f'protoPayload.resourceName:"{name}"' for name in names)
    activity = f'logName="projects/{project}/logs/cloudaudit.googleapis.com%2Factivity"'
    found = gcloud.several(
        *("logging", "read", f"{activity} AND ({any_of})", f"--project={project}"),
        *(f"--freshness={FRESHNESS}", "--order=desc", "--limit=1000"),
    )
    return found or []


def _is_of(entry: Mapping[str, Any], name: str) -> bool:
    return str(entry["protoPayload"].get("resourceName", "")).split("/")[-1] == name


def _entry(entry: Mapping[str, Any]) -> Entry:
    payload = entry["protoPayload"]
    who = payload.get("authenticationInfo", {}).get("principalEmail", "somebody unnamed")
    return Entry(who, entry.get("timestamp", ""), payload.get("methodName", ""))

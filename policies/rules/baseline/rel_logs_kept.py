"""Logs, audit logs and findings reach those who read them."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit, NumberLimit
from policies.shared.rule import ResourceRule
from policies.shared.types import FIREWALL_POLICY_RULES
from resources.kubernetes import kind_of, objects
from resources.properties import MISSING, UNKNOWN, all_at, elements, entries, flag, get, show, text
from resources.resource import Resource

_L: Final = "gcp:logging/"
_S: Final = "gcp:securitycenter/"
_OWNERS: Final = ("BillingAccount", "Folder", "Organization", "Project")


def _tokens(module: str, owners: tuple[str, ...], what: str) -> tuple[str, ...]:
    names = [f"{each}{what}" for each in owners]
    return tuple(f"{module}{name[0].lower()}{name[1:]}:{name}" for name in names)


_EXCLUSIONS: Final = _tokens(_L, _OWNERS, "Exclusion")
_SINKS: Final = _tokens(_L, _OWNERS, "Sink")
_MUTES: Final = (
    f"{_S}muteConfig:MuteConfig",
    *_tokens(_S, ("V2Folder", "V2Organization", "V2Project"), "MuteConfig"),
)
_MODULES: Final = (
    *_tokens(_S, _OWNERS[1:], "CustomModule"),
    *_tokens(
        _S,
        tuple(f"Management{each}" for each in _OWNERS[1:]),
        "SecurityHealthAnalyticsCustomModule",
    ),
    *_tokens(_S, ("", "ManagementOrganization"), "EventThreatDetectionCustomModule"),
)
_AUDIT: Final = (
    "gcp:folder/iamAuditConfig:IamAuditConfig",
    "gcp:organizations/iamAuditConfig:IamAuditConfig",
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
)
_SNOOZE: Final = "gcp:monitoring/snooze:Snooze"
_LOGGED: Final = (("logConfig.enable", False), ("logConfig.sampleRate", 0))
# Type token or kind: a switch, and the value by which nothing is written or found any more.
_SWITCHES: Final[Mapping[str, tuple[tuple[str, object], ...]]] = {
    "gcp:compute/backendService:BackendService": _LOGGED,
    "gcp:compute/regionBackendService:RegionBackendService": _LOGGED,
    "gcp:compute/routerNat:RouterNat": (("logConfig.enable", False),),
    "gcp:compute/subnetwork:Subnetwork": (
        ("logConfig.filterExpr", "false"),
        ("logConfig.flowSampling", 0),
    ),
    "gcp:dns/policy:Policy": (("enableLogging", False),),
    f"{_L}folderSettings:FolderSettings": (("disableDefaultSink", True),),
    f"{_L}organizationSettings:OrganizationSettings": (("disableDefaultSink", True),),
    **dict.fromkeys(_MODULES, (("enablementState", "DISABLED"),)),
    "networking.gke.io/GCPBackendPolicy": (
        ("spec.default.logging.enabled", False),
        ("spec.default.logging.sampleRate", 0),
    ),
}
# What refuses packets, and where it says that it writes that down.
_FIREWALL: Final = "gcp:compute/firewall:Firewall"
_FIREWALLS: Final = (_FIREWALL, *FIREWALL_POLICY_RULES)
# What tells one kind of entry or finding from the rest; a type, a name of a log or a severity
# alone takes all of them.
_CONTENT: Final = re.compile(
    r"\b(httpRequest\.(?!status\s*>=?\s*0\b)|(json|text)Payload\b(?!\s*:\s*\*)"
    r"|protoPayload\.methodName|(?<!resource\.)labels\.|sample\s*\([^,]+,\s*0*\.\d+\s*\))"
)
_AUDITED: Final = re.compile(r"cloudaudit", re.IGNORECASE)
_WIDENS: Final = re.compile(r"\bOR\b|\bNOT\b|!=|!~|(^|\s)-")
_CATEGORY: Final = re.compile(r"\bcategory\s*=\s*[\"'](?P<name>[^\"']*)")
# One resource, of which somebody has looked at the finding.
_ONE: Final = re.compile(r"\bresource[._]?[nN]ame\s*=\s*[\"'][^\"'*]+[\"']")


def _narrow(found: object, tells: re.Pattern[str]) -> bool:
    """Return whether a filter takes a few kinds of entries alone; one that is not known may."""
    if not isinstance(found, str):
        return found is UNKNOWN
    return bool(tells.search(found)) and not _AUDITED.search(found) and not _WIDENS.search(found)


def _mutes(found: object, allowed: tuple[str, ...]) -> bool:
    """Return whether a filter hides more than a category of one resource, or one that is
    allowed."""
    if not _narrow(found, _CATEGORY):
        return True
    names = [each["name"] for each in _CATEGORY.finditer(found)] if isinstance(found, str) else []
    return bool(set(names) - set(allowed)) and not _ONE.search(str(found))


def _left_out(holder: object) -> bool:
    off = flag(holder, "disabled") is True
    return not off and not _narrow(text(holder, "filter"), _CONTENT)


def _audit(config: object) -> Iterator[str]:
    logs = entries(config, "auditLogConfigs")
    if logs in (MISSING, ()):
        yield "logs no access to data any more"
    for log in logs if isinstance(logs, tuple) else ():
        if entries(log, "exemptedMembers") not in (MISSING, ()):
            yield "exempts members from audit logs"


def _refuses(rule: Resource) -> Iterator[str]:
    """Yield that a firewall refuses in silence."""
    if rule.type == _FIREWALL:
        silent = bool(elements(rule.props, "denies")) and get(rule.props, "logConfig") is MISSING
    else:
        logs = flag(rule.props, "enableLogging") in (True, UNKNOWN)
        silent = text(rule.props, "action") == "deny" and not logs
    if silent:
        yield "refuses packets without a word in the logs"


def _hours(snooze: object) -> float | None:
    times: list[dt.datetime] = []
    for name in ("startTime", "endTime"):
        found = text(snooze, "interval", name)
        try:
            times.append(dt.datetime.fromisoformat(str(found)))
        except ValueError:
            return None
    return (times[1] - times[0]).total_seconds() / 3600


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    kind = resource.type
    if kind in _EXCLUSIONS and _left_out(resource.props):
        yield "leaves out more than a few kinds of log entries"
    elif kind in _SINKS and any(map(_left_out, elements(resource.props, "exclusions"))):
        yield "exclusions leave out more than a few kinds of log entries"
    elif kind in _MUTES and _mutes(text(resource.props, "filter"), limits.names("mutedCategories")):
        yield "mutes more than a category of findings of one resource"
    elif kind in _AUDIT:
        yield from _audit(resource.props)
    elif kind in _FIREWALLS:
        yield from _refuses(resource)
    elif kind == _SNOOZE:
        hours, most = _hours(resource.props), limits.number("maxSnoozeHours")
        if hours is not None and hours > most:
            yield f"silences alerts for more than {show(most, 'hour')}"
    for each in objects(kind, resource.props):
        for path, off in _SWITCHES.get(kind) or _SWITCHES.get(kind_of(kind), ()):
            if any(value == off for value in all_at(each, path.split("."))):
                yield f"{path} keeps what happens from being written down"


_TYPES: Final = frozenset(
    (*_EXCLUSIONS, *_SINKS, *_MUTES, *_AUDIT, _SNOOZE, *_SWITCHES, *_FIREWALLS)
)


RULE: Final = ResourceRule(
    id="rel-logs-kept",
    display_name="Logs and findings are kept",
    description=(
        "No exclusion, mute rule, snooze, exemption or switch takes more than a few kinds of log "
        "entries, findings or alerts away, and firewalls write down what they refuse."
    ),
    why="What is not written down was not seen, neither by those who look nor by an auditor.",
    remediation=(
        "narrow the filter by the content of the entries or the category of the findings, or leave "
        "it out."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/logging/docs/routing/overview#exclusions",
    limits=(
        NumberLimit("maxSnoozeHours", "Most hours that alerts are silenced", default=24),
        NamesLimit("mutedCategories", "Categories of findings that may be muted", default=()),
    ),
    applies=lambda resource_type: resource_type in _TYPES or kind_of(resource_type) in _TYPES,
    check=_check,
)

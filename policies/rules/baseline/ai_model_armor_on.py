"""Model Armor inspects and blocks, in every place it is used.

Whether prompts go to the logs (`templateMetadata.logSanitizeOperations`) is not judged: what one
deployment must keep for its auditors, another must not keep for its users. Nor is whether there is
a floor: Google Cloud keeps what was set when the resource goes.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.properties import (
    EACH,
    MISSING,
    UNKNOWN,
    Props,
    all_at,
    elements,
    entries,
    get,
    is_mapping,
    number,
    text,
)
from resources.resource import Resource

_TEMPLATE: Final = "gcp:modelarmor/template:Template"
_FLOOR: Final = "gcp:modelarmor/floorsetting:Floorsetting"
_ON: Final = ("ENABLED",)
_BLOCKS: Final = (
    Expected("templateMetadata.enforcementType", ("INSPECT_AND_BLOCK",), unset=True),
    Expected("templateMetadata.ignorePartialInvocationFailures", (False,), unset=True, wired=True),
)
# HIGH lets through all but what is beyond doubt, which is what attackers avoid.
_LEVELS: Final = ("LOW_AND_ABOVE", "MEDIUM_AND_ABOVE", MISSING, UNKNOWN)
# What a client takes for an answer is none that was refused.
_CODES: Final = ("customLlmResponseSafetyErrorCode", "customPromptSafetyErrorCode")
_REFUSES: Final = 400
_LANGUAGES: Final = Expected(
    "templateMetadata.multiLanguageDetection.enableMultiLanguageDetection",
    (True,),
    unset=True,
    wired=True,
)
_LINKS: Final = (Expected("filterConfig.maliciousUriFilterSettings.filterEnforcement", _ON),)
# A floor is enforced, and blocks wherever it says what to do.
_ENFORCED: Final = (
    Expected("enableFloorSettingEnforcement", (True,)),
    Expected("aiPlatformFloorSetting.inspectOnly", (False,), unset=True),
    Expected("googleMcpServerFloorSetting.inspectOnly", (False,), unset=True),
)
_HARM: Final = ("filterConfig", "raiSettings", "raiFilters")
# What a template screens of harmful content names each of them:
# https://cloud.google.com/security-command-center/docs/key-concepts-model-armor#ma-filters
_HARMS: Final = frozenset({"DANGEROUS", "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT"})
# What Model Armor's advanced filter for sensitive data looks for.
_INSPECTS: Final = "gcp:dataloss/preventionInspectTemplate:PreventionInspectTemplate"
# What it makes of that: the parts of one whose lists may be empty.
_MASKS: Final = "gcp:dataloss/preventionDeidentifyTemplate:PreventionDeidentifyTemplate"
_CHANGES: Final = ("infoTypeTransformations", "recordTransformations", "imageTransformations")
_SENSITIVE: Final = ("filterConfig", "sdpSettings")
_INJECTION: Final = ("filterConfig", "piAndJailbreakFilterSettings", "filterEnforcement")


def _template(props: Props) -> Iterator[str]:
    yield from unmet(props, (*_BLOCKS, *_LINKS, _LANGUAGES))
    for name in _CODES:
        code = number(props, "templateMetadata", name)
        if isinstance(code, float) and code < _REFUSES:
            yield f"templateMetadata.{name} calls what it refused a success"
    filters = entries(props, *_HARM)
    if filters in (MISSING, (), UNKNOWN):
        yield "has no filter for harmful content"
    else:
        found = {text(each, "filterType") for each in elements(props, *_HARM)}
        if UNKNOWN not in found and not found >= _HARMS:
            yield "leaves out a filter for harmful content"
        if any(text(each, "confidenceLevel") not in _LEVELS for each in elements(props, *_HARM)):
            yield "has a filter for harmful content that lets nearly all pass"
    if text(props, *_INJECTION[:-1], "confidenceLevel") not in _LEVELS:
        yield "has a filter for prompt injection that lets nearly all pass"
    basic = text(props, *_SENSITIVE, "basicConfig", "filterEnforcement")
    if basic != "ENABLED" and not is_mapping(get(props, *_SENSITIVE, "advancedConfig")):
        yield "has no filter for sensitive data"


def _floor(props: Props) -> Iterator[str]:
    filters = get(props, "filterConfig")
    harms = entries(props, *_HARM)
    if filters == {} or harms == ():
        yield "asks nothing of the templates: a list of filters is empty"
    if any(text(each, "confidenceLevel") not in _LEVELS for each in elements(props, *_HARM)):
        yield "has a filter for harmful content that lets nearly all pass"
    if text(props, *_INJECTION[:-1], "confidenceLevel") not in _LEVELS:
        yield "has a filter for prompt injection that lets nearly all pass"


def _changes(part: object) -> bool:
    """Return whether a part of what is made of a finding has an entry."""
    return part is UNKNOWN or (
        is_mapping(part) and any(get(part, name) not in (MISSING, (), []) for name in part)
    )


def _inspects(props: Props) -> Iterator[str]:
    config = get(props, "inspectConfig")
    if config is UNKNOWN:
        return
    if all(entries(config, name) in (MISSING, ()) for name in ("infoTypes", "customInfoTypes")):
        yield "looks for nothing"
    if text(config, "minLikelihood") == "VERY_LIKELY":
        yield "lets through all but what is beyond doubt"
    for rule in all_at(config, ("ruleSets", EACH, "rules", EACH, "exclusionRule")):
        if text(rule, "regex", "pattern") in (".*", ".+", "^.*$", "^.+$"):
            yield "excludes everything that it finds"


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    screened: dict[object, bool] = {}
    for each in resources:
        if each.type == _FLOOR:
            for finding in unmet(each.props, _ENFORCED):
                yield StackFinding(finding, each)
            for finding in _floor(each.props):
                yield StackFinding(finding, each)
        elif each.type == _INSPECTS:
            yield from (StackFinding(finding, each) for finding in _inspects(each.props))
        elif each.type == _MASKS:
            if not any(_changes(get(each.props, "deidentifyConfig", name)) for name in _CHANGES):
                yield StackFinding("leaves what was found as it is", each)
        elif each.type == _TEMPLATE:
            for finding in _template(each.props):
                yield StackFinding(finding, each)
            # Answers need no filter for prompt injection, so one template of a place is enough.
            place = text(each.props, "location")
            screens = text(each.props, *_INJECTION) == "ENABLED"
            screened[place] = screens or screened.get(place, False)
    for screens in screened.values():
        if not screens:
            yield StackFinding("has a location where no template filters prompt injection")


RULE: Final = StackRule(
    id="ai-model-armor-on",
    display_name="Model Armor blocks",
    description=(
        "Model Armor templates block, with all filters for content, and somewhere in each "
        "location for prompt injection; floor settings are enforced."
    ),
    why="A filter that is off or only looks lets the attack or the leak through.",
    remediation="set templateMetadata.enforcementType to INSPECT_AND_BLOCK and enable the filters.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/security-command-center/docs/model-armor-overview",
    check=_check,
)

"""Model Armor inspects and blocks, in every place it is used.

Whether prompts go to the logs (`templateMetadata.logSanitizeOperations`) is not judged: what one
deployment must keep for its auditors, another must not keep for its users.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.expected import Expected, unmet
from policies.shared.limits import Limits
from policies.shared.rule import StackFinding, StackRule
from resources.properties import MISSING, UNKNOWN, Props, entries, get, is_mapping, text
from resources.resource import Resource

_TEMPLATE: Final = "gcp:modelarmor/template:Template"
_FLOOR: Final = "gcp:modelarmor/floorsetting:Floorsetting"
_ON: Final = ("ENABLED",)
_BLOCKS: Final = (Expected("templateMetadata.enforcementType", ("INSPECT_AND_BLOCK",), unset=True),)
_LINKS: Final = (Expected("filterConfig.maliciousUriFilterSettings.filterEnforcement", _ON),)
# A floor is enforced, and blocks wherever it says what to do.
_ENFORCED: Final = (
    Expected("enableFloorSettingEnforcement", (True,)),
    Expected("aiPlatformFloorSetting.inspectOnly", (False,), unset=True),
    Expected("googleMcpServerFloorSetting.inspectOnly", (False,), unset=True),
)
_SENSITIVE: Final = ("filterConfig", "sdpSettings")
_INJECTION: Final = ("filterConfig", "piAndJailbreakFilterSettings", "filterEnforcement")


def _template(props: Props) -> Iterator[str]:
    yield from unmet(props, (*_BLOCKS, *_LINKS))
    if entries(props, "filterConfig", "raiSettings", "raiFilters") in (MISSING, (), UNKNOWN):
        yield "has no filter for harmful content"
    basic = text(props, *_SENSITIVE, "basicConfig", "filterEnforcement")
    if basic != "ENABLED" and not is_mapping(get(props, *_SENSITIVE, "advancedConfig")):
        yield "has no filter for sensitive data"


def _check(resources: Sequence[Resource], _limits: Limits) -> Iterator[StackFinding]:
    screened: dict[object, bool] = {}
    for each in resources:
        if each.type == _FLOOR:
            for finding in unmet(each.props, _ENFORCED):
                yield StackFinding(finding, each)
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

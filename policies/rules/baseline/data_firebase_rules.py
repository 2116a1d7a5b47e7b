"""Firebase's rules let nobody in without a condition."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import entries, text
from resources.resource import Resource

_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
# Without a condition, or with one that everybody meets.
_OPEN: Final = re.compile(
    r"\ballow\s+[a-z,\s]+(;|:\s*if\s*\(?\s*(true|1\s*==\s*1|!\s*false|request\.time\s*[<>])[^&]*?;)"
)


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    files = entries(resource.props, "source", "files")
    for index, each in enumerate(files if isinstance(files, tuple) else ()):
        content = text(each, "content")
        if isinstance(content, str) and _OPEN.search(_COMMENT.sub(" ", content)):
            yield f"source.files[{index}] allows everyone"


RULE: Final = ResourceRule(
    id="data-firebase-rules",
    display_name="Firebase's rules ask who it is",
    description="No rule set of Firebase allows access without a condition on who asks.",
    why="Whoever has the name of the project reads and writes the whole database.",
    remediation="write a condition on request.auth.",
    severity=Severity.CRITICAL,
    level=EnforcementLevel.MANDATORY,
    url="https://firebase.google.com/docs/rules/insecure-rules",
    applies=lambda resource_type: resource_type == "gcp:firebaserules/ruleset:Ruleset",
    check=_check,
)

"""What is pushed to an address carries a token of the sender."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits
from policies.shared.rule import ResourceRule
from resources.properties import MISSING, UNKNOWN, all_at, get, text
from resources.resource import Resource

_TOKENS: Final = ("oidcToken", "oauthToken")
# Type token: the block that holds an address, the property that makes it one, and the tokens.
_TARGETS: Final[Mapping[str, tuple[str, str, Sequence[str]]]] = {
    "gcp:cloudscheduler/job:Job": ("httpTarget", "uri", _TOKENS),
    "gcp:cloudtasks/queue:Queue": ("httpTarget", "uriOverride", _TOKENS),
    "gcp:eventarc/pipeline:Pipeline": (
        "destinations.*",
        "httpEndpoint",
        ("authenticationConfig",),
    ),
    "gcp:pubsub/subscription:Subscription": ("pushConfig", "pushEndpoint", ("oidcToken",)),
}
_ACCOUNT: Final = "serviceAccountEmail"


def _check(resource: Resource, _limits: Limits) -> Iterator[str]:
    path, address, tokens = _TARGETS[resource.type]
    for target in all_at(resource.props, path.split(".")):
        if get(target, address) is MISSING or target is UNKNOWN:
            continue
        found = [get(target, token) for token in tokens]
        if all(each in (MISSING, {}) for each in found):
            yield f"{path.removesuffix('.*')} has no {' or '.join(tokens)}"
        elif "oidcToken" in tokens and all(
            text(target, token, _ACCOUNT) in (MISSING, "") for token in tokens
        ):
            yield f"{path} has a token of no serviceAccountEmail"


RULE: Final = ResourceRule(
    id="data-push-authenticated",
    display_name="Calls carry a token",
    description=(
        "Push subscriptions, scheduled jobs, queues and pipelines call addresses with a token of "
        "a service account."
    ),
    why="Without a token the receiver must let everyone in, and cannot tell a forged message.",
    remediation="set oidcToken, or oauthToken for an API of Google, with a serviceAccountEmail.",
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
    applies=lambda resource_type: resource_type in _TARGETS,
    check=_check,
)

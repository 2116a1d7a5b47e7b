"""Refuses what the provider's code refuses by several properties together.

Each stands in a `CustomizeDiff` of hashicorp/terraform-provider-google, google/services/<service>/.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from sandbox.check import Failure
from sandbox.values import Unknown, Values, as_map

_SOURCES: Final = ("sourceRanges", "sourceTags", "sourceServiceAccounts")
_CREDENTIALS: Final = ("authToken", "serviceKey", "password")


def conditions(token: str, inputs: Values) -> list[Failure]:
    """Return every failure of inputs that don't go together; unknown ones fail nothing."""
    return [
        Failure(path, f"{reason}, for '{path}' of {token}") for path, reason in _of(token, inputs)
    ]


def _of(token: str, inputs: Values) -> Iterator[tuple[str, str]]:
    check = _CONDITIONS.get(token)
    if check is not None:
        yield from check(inputs)


def _firewall(inputs: Values) -> Iterator[tuple[str, str]]:
    """compute/resource_compute_firewall.go: what comes in has a source."""
    direction = inputs.get("direction", "INGRESS")
    if direction == "INGRESS" and all(inputs.get(name) is None for name in _SOURCES):
        yield "sourceRanges", f"nothing given, allowed: one of {', '.join(_SOURCES)}"


def _ssl_policy(inputs: Values) -> Iterator[tuple[str, str]]:
    """compute/resource_compute_ssl_policy.go: features of one's own belong to CUSTOM alone."""
    profile, features = inputs.get("profile", "COMPATIBLE"), inputs.get("customFeatures")
    if isinstance(profile, Unknown) or isinstance(features, Unknown):
        return
    if profile == "CUSTOM" and not features:
        yield "customFeatures", "nothing given, allowed with the profile CUSTOM: one or more"
    if profile != "CUSTOM" and features:
        yield "customFeatures", f"given with the profile {profile}, allowed: CUSTOM"


def _channel(inputs: Values) -> Iterator[tuple[str, str]]:
    """monitoring/resource_monitoring_notification_channel.go: a credential is given once."""
    labels, sensitive = as_map(inputs.get("labels")), as_map(inputs.get("sensitiveLabels"))
    for name in _CREDENTIALS:
        label = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        if labels.get(label) and sensitive.get(name):
            yield f"sensitiveLabels.{name}", f"conflicts with 'labels.{label}': give one of them"


_CONDITIONS: Final[Mapping[str, Callable[[Values], Iterator[tuple[str, str]]]]] = {
    "gcp:compute/firewall:Firewall": _firewall,
    "gcp:compute/sSLPolicy:SSLPolicy": _ssl_policy,
    "gcp:compute/regionSslPolicy:RegionSslPolicy": _ssl_policy,
    "gcp:monitoring/notificationChannel:NotificationChannel": _channel,
}

"""A stand-in of Apigee: the keys, rates and quotas of the stack's own consumers.

What the policies of the platform's proxy decide: https://cloud.google.com/apigee/docs/api-platform/
reference/policies/verify-api-key-policy, .../spike-arrest-policy (with its effective count: so
many in any minute) and .../quota-policy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from catalog.conventions import RATE_ATTRIBUTE
from emulator.gateway.processors import Processor, Refusal
from sandbox.world import World

_APP: Final = "gcp:apigee/developerApp:DeveloperApp"
_PRODUCT: Final = "gcp:apigee/apiProduct:ApiProduct"
_SCHEME: Final = "bearer "
_DAYS: Final = {"week": 7}


@dataclass(frozen=True)
class Consumer:
    """Who may call."""

    name: str
    rate: RateLimitItem | None
    quota: RateLimitItem | None


class ApiManagement(Processor):
    """Identifies the caller by its key, then counts its requests."""

    name = "API management"
    sees_answers = False
    hides = ("authorization",)

    def __init__(self, cloud: World) -> None:
        products = {each.inputs["name"]: each.inputs for each in cloud.by_type(_PRODUCT)}
        self.consumers = {
            credential["consumerKey"]: _consumer(each.inputs["name"], products[product])
            for each in cloud.by_type(_APP)
            for credential in each.outputs["credentials"]
            for product in each.inputs["apiProducts"]
        }
        """By key."""
        storage = MemoryStorage()
        self._rates = MovingWindowRateLimiter(storage)
        self._quotas = FixedWindowRateLimiter(storage)

    def request(self, headers: Mapping[str, str], body: bytes) -> bytes | Refusal:
        """Refuse who is unknown, or has asked too often."""
        given = headers.get("authorization", "")
        if given[: len(_SCHEME)].lower() != _SCHEME:
            return _fault(
                HTTPStatus.UNAUTHORIZED,
                "Failed to resolve API Key variable credential.key",
                "steps.oauth.v2.FailedToResolveAPIKey",
            )
        consumer = self.consumers.get(given[len(_SCHEME) :].strip())
        if consumer is None:
            return _fault(HTTPStatus.UNAUTHORIZED, "Invalid ApiKey", "oauth.v2.InvalidApiKey")
        if consumer.rate and not self._rates.hit(consumer.rate, consumer.name):
            return _fault(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Spike arrest violation. Allowed rate : {consumer.rate}",
                "policies.ratelimit.SpikeArrestViolation",
            )
        if consumer.quota and not self._quotas.hit(consumer.quota, consumer.name):
            return _fault(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Rate limit quota violation. Quota limit exceeded. Identifier : {consumer.name}",
                "policies.ratelimit.QuotaViolation",
            )
        return body


def _consumer(name: str, product: Mapping[str, Any]) -> Consumer:
    attributes = {each["name"]: each["value"] for each in product.get("attributes", ())}
    rate = quota = None
    if RATE_ATTRIBUTE in attributes:
        rate = parse(f"{attributes[RATE_ATTRIBUTE].removesuffix('pm')}/minute")
    if "quota" in product:
        unit, interval = product["quotaTimeUnit"], int(product["quotaInterval"])
        days = _DAYS.get(unit)
        every = f"{interval * days} day" if days else f"{interval} {unit}"
        quota = parse(f"{product['quota']}/{every}")
    return Consumer(name, rate, quota)


def _fault(status: HTTPStatus, message: str, code: str) -> Refusal:
    document = {"fault": {"faultstring": message, "detail": {"errorcode": code}}}
    return Refusal(status.value, document, code)

"""Limits of API management."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from catalog.limits import Choice, Entries, Range, Text, label
from catalog.limits.names import PROJECT
from catalog.problems import Problem, shown

NEW: Final = "new"
"""Instead of an organization's name: make one in the platform's project."""
ORGANIZATION: Final = Text(
    f"{NEW}|{PROJECT}",
    "the name of an Apigee organization (its project's id), or new",
    "`gcloud apigee organizations list` shows the names",
)
ENVIRONMENT: Final = label(32, "Apigee allows no longer name")
ANALYTICS_REGION: Final = Text(
    "[a-z]+-[a-z]+[0-9]+",
    "a region of Google Cloud where Apigee keeps analytics",
    "see cloud.google.com/apigee/docs/locations",
)
HTTPS_ADDRESS: Final = Text(
    r"https://[^\s/?#]+(?:/[^\s?#]*)?", "an https address", "write it like https://id.acme.com"
)
CLIENT_CLAIM: Final = Text(
    "[A-Za-z_][A-Za-z0-9_]{0,62}", "the name of a claim", "write it like azp", default="azp"
)
CLIENT_ID: Final = Text(".{2,255}", "2 to 255 characters")
REQUESTS: Final = Range(1, 1_000_000_000, "requests")
PERIOD: Final = Choice(("minute", "hour", "day", "month"))
CONSUMERS: Final = Entries("a consumer")
DECISION_SECONDS: Final = Range(1, 10, "seconds", default=10)


def clients(consumers: Mapping[str, Any], *, tokens: bool) -> Iterator[Problem]:
    """Yield consumers that nothing tells from others; tokens name clients, keys do not."""
    known: dict[str, str] = {}
    for name, consumer in consumers.items():
        path, client = (name, "client_id"), consumer.get("client_id")
        if tokens and client is None:
            yield Problem(
                path, "nothing", "what tokens name the client", "add it: a token is known by it"
            )
        if client is None:
            continue
        if not tokens:
            yield Problem(
                path,
                shown(client),
                "nothing where authentication is 'api-key'",
                "remove it: Apigee makes the key",
            )
        other = known.setdefault(client, name)
        if other != name:
            yield Problem(
                path,
                f"{shown(client)}, the client of {other} too",
                "a client of its own for each consumer",
                "change one of them",
            )

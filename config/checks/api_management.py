"""API management: one kind, consumers there are, and a way to know them."""

from collections.abc import Iterator
from typing import Final

from catalog.limits import api_management as limits
from catalog.problems import Problem, below, did_you_mean, joined, shown
from config.api_management import Apigee
from config.checks.callouts import check_callout
from config.known import Known

_AREA = "api_management"
_APIGEE = (_AREA, "apigee")
_CALLERS: Final = ("consumers", "services", "pipelines", "batch_inference")


def check_api_management(known: Known) -> Iterator[Problem]:
    """Check the kind of API management, and its settings."""
    management = known.api_management
    if management is None:
        return
    if (management.apigee is None) == (management.extension is None):
        yield Problem(
            (_AREA,),
            "neither of them" if management.apigee is None else "both of them",
            "exactly one of apigee, extension",
            f"give one, or leave {_AREA} out for none",
        )
    if management.extension is not None:
        yield from check_callout((_AREA, "extension"), management.extension)
    if management.apigee is not None:
        yield from _check_consumers(known, management.apigee)
        yield from _check_authentication(management.apigee)
        yield from _check_organization(management.apigee)


def _check_consumers(known: Known, apigee: Apigee) -> Iterator[Problem]:
    areas = [known.names.get(area) for area in _CALLERS]
    if None in areas:
        return
    names = {name for area in areas for name in area or ()}
    for name in apigee.consumers:
        path = (*_APIGEE, "consumers", name)
        if name not in names:
            remedy = did_you_mean(name, names, "add it to one of them, or choose one")
            allowed = f"a key of {joined(_CALLERS)}: {joined(names)}"
            yield Problem(path, shown(name), allowed, remedy)


def _check_authentication(apigee: Apigee) -> Iterator[Problem]:
    tokens = apigee.authentication == "jwt"
    if tokens and apigee.jwt is None:
        yield Problem(
            (*_APIGEE, "jwt"),
            "nothing",
            "issuer, audience and jwks_uri, as authentication is 'jwt'",
            "add them, or use authentication: api-key",
        )
    if not tokens and apigee.jwt is not None:
        yield Problem(
            (*_APIGEE, "jwt"),
            "an issuer although authentication is 'api-key'",
            "nothing where keys identify consumers",
            "remove it, or use authentication: jwt",
        )
    yield from below(
        (*_APIGEE, "consumers"),
        limits.clients(
            {name: dict(each) for name, each in apigee.consumers.items()}, tokens=tokens
        ),
    )


def _check_organization(apigee: Apigee) -> Iterator[Problem]:
    if apigee.organization != limits.NEW and apigee.analytics_region is not None:
        yield Problem(
            (*_APIGEE, "analytics_region"),
            shown(apigee.analytics_region),
            f"nothing beside an existing organization ('{limits.NEW}' makes one)",
            "remove it: the organization has one",
        )

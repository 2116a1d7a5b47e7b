"""The Gateway API's precedence, against every request of a small universe."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from request_path.matching import (
    Claim,
    Request,
    claims_of,
    common_host,
    common_request,
    listeners_of,
    rank,
    takes,
    winners,
)
from request_path.objects import (
    Backend,
    Gateway,
    HeaderMatch,
    Listener,
    Match,
    Objects,
    Reference,
    Route,
    RouteRule,
)
from resources.properties import UNKNOWN

HOSTS = ("a.test", "b.test", "x.a.test")
PATTERNS = ("a.test", "b.test", "*.test", "*.a.test", "*")
PATHS = ("/", "/v1", "/v1/", "/v1/chat", "/v1x", "/v2")
PREFIXES = ("/", "/v1", "/v1/", "/v1/chat", "/v2")
NAMES = ("model", "team")
UNIVERSE = [
    Request(
        host,
        path,
        method,
        {name: value for name, value in zip(NAMES, values, strict=True) if value},
    )
    for host, path, method in product(HOSTS, PATHS, ("GET", "POST"))
    for values in product(("", "one", "two"), repeat=2)
]
GATEWAY = Gateway(
    label="gateway",
    urn="urn:gateway",
    name="gateway",
    cluster="",
    kind="Gateway",
    namespace="models",
    listeners=(Listener("https", "HTTPS", 443, None, "Same"),),
    address_names=(),
    gateway_class="gke-l7-rilb",
)
MATCHES = st.builds(
    Match,
    path=st.sampled_from(PREFIXES),
    path_type=st.sampled_from(("PathPrefix", "Exact")),
    headers=st.dictionaries(
        st.sampled_from(NAMES), st.sampled_from(("one", "two")), max_size=2
    ).map(lambda found: tuple(HeaderMatch(name, value) for name, value in found.items())),
    method=st.sampled_from((None, "GET", "POST")),
)


def route(name: str, hostnames: tuple[str, ...], *matches: Match) -> Route:
    backend = Backend(Reference("InferencePool", "pool", "models"), 1)
    return Route(
        label=name,
        urn=f"urn:{name}",
        name=name,
        cluster="",
        kind="HTTPRoute",
        namespace="models",
        parents=(Reference("Gateway", "gateway", "models"),),
        hostnames=hostnames,
        rules=(RouteRule(matches, (backend,), None),),
    )


def claims(*routes: Route) -> tuple[Claim, ...]:
    return claims_of(Objects(gateways=(GATEWAY,), routes=routes))


ROUTES = st.lists(
    st.tuples(st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple), MATCHES),
    min_size=1,
    max_size=4,
).map(lambda found: [route(f"r{i}", hosts, match) for i, (hosts, match) in enumerate(found)])


def host_is(pattern: str, host: str) -> bool:
    return pattern in {"*", host} or (pattern[0] == "*" and host.endswith(pattern[1:]))


def matched(pattern: str, match: Match, request: Request) -> bool:
    """Return the specification read once more: whole path elements, all headers."""
    wanted = [part for part in str(match.path).split("/") if part]
    there = [part for part in request.path.split("/") if part]
    on_path = (
        request.path == match.path if match.path_type == "Exact" else there[: len(wanted)] == wanted
    )
    return (
        host_is(pattern, request.host)
        and on_path
        and match.method in {None, request.method}
        and all(request.headers.get(str(each.name)) == each.value for each in match.headers)
    )


def beats(one: tuple[str, Match], other: tuple[str, Match]) -> bool:
    """Return whether one goes first: the criteria of the specification, one after the other."""
    # Tuples compare by their first difference.
    return _criteria(*one) > _criteria(*other)


def _criteria(host: str, match: Match) -> tuple[int, ...]:
    return (
        0 if "*" in host else len(host),
        len(host),
        1 if match.path_type == "Exact" else 0,
        max(len(str(match.path).rstrip("/")), 1),
        0 if match.method is None else 1,
        len(match.headers),
    )


@given(ROUTES)
def test_the_winners_are_those_that_nothing_beats(routes: list[Route]) -> None:
    found = claims(*routes)
    pairs = {
        (each.urn, host, each.rules[0].matches[0])
        for each in routes
        for host in (each.hostnames or ("*",))
    }
    for request in UNIVERSE:
        taking = [pair for pair in pairs if matched(str(pair[1]), pair[2], request)]
        first = {
            pair[0]
            for pair in taking
            if not any(
                beats((str(other[1]), other[2]), (str(pair[1]), pair[2])) for other in taking
            )
        }
        assert {claim.route.urn for claim in winners(found, request)} == first


@given(MATCHES, MATCHES, st.sampled_from(PATTERNS), st.sampled_from(PATTERNS))
def test_equals_with_a_common_request_are_in_conflict_and_no_others(
    one: Match, other: Match, host: str, another: str
) -> None:
    first, second = claims(route("one", (host,), one), route("other", (another,), other))
    if rank(first) != rank(second):
        return
    both = [each for each in UNIVERSE if takes(first, each) and takes(second, each)]
    assert (common_request(first, second) is not None) == bool(both)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("a.test", "a.test", "a.test"),
        ("*", "a.test", "a.test"),
        ("*.test", "a.test", "a.test"),
        ("*.test", "*.a.test", "*.a.test"),
        ("*.test", "test", None),
        ("a.test", "b.test", None),
    ],
)
def test_common_hosts(one: str, other: str, common: str | None) -> None:
    assert common_host(one, other) == common_host(other, one) == common


@pytest.mark.parametrize(
    ("listener", "namespace", "attaches"),
    [
        (Listener("https", "HTTPS", 443, None, "Same"), "team", False),
        (Listener("https", "HTTPS", 443, None, "None"), "models", False),
        (Listener("https", "HTTPS", 443, None, "All"), "team", True),
        (Listener("https", "HTTPS", 443, None, "Selector", ("team",)), "team", True),
        (Listener("https", "HTTPS", 443, None, "Selector", ("team",)), "models", False),
        (Listener("https", "HTTPS", 443, None, "Selector", (UNKNOWN,)), "team", True),
        # By labels of namespaces, which are not known here.
        (Listener("https", "HTTPS", 443, None, "Selector"), "team", True),
    ],
)
def test_a_listener_takes_routes_of_the_namespaces_it_names(
    listener: Listener, namespace: str, attaches: bool
) -> None:
    gateway = replace(GATEWAY, listeners=(listener,))
    asked = Reference("Gateway", "gateway", "models")
    found = replace(route("route", ()), namespace=namespace, parents=(asked,))
    objects = Objects(gateways=(gateway,), routes=(found,))
    assert bool([*listeners_of(found, objects)]) == attaches

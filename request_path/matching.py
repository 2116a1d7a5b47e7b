"""Which rule of which HTTPRoute takes a request: the Gateway API's precedence.

Hosts, then the path, the method, the number of headers and of query parameters decide; where all
are equal, the older route wins, so what answers depends on the order of their creation.
https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from request_path.objects import Gateway, HeaderMatch, Listener, Match, Objects, Route, RouteRule
from resources.properties import UNKNOWN

ANY_HOST = "*"
REGULAR_EXPRESSION = "RegularExpression"


@dataclass(frozen=True)
class Request:
    """A request. Header names are in lower case."""

    host: str
    path: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Requests:
    """All requests a claim takes. What is None may be anything."""

    host: str | None
    path: str | None
    prefix: str | None
    method: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Claim:
    """A match of a rule, at one host name of one listener."""

    gateway: Gateway
    listener: Listener
    route: Route
    rule: RouteRule
    match: Match
    host: str
    """Host name, with `*.` in front for all below it, `*` for all."""

    def requests(self) -> Requests:
        """Return the set of requests claimed."""
        match = self.match
        return Requests(
            host=None if self.host.startswith(ANY_HOST) else self.host,
            path=_text(match.path) if match.path_type == "Exact" else None,
            prefix=_text(match.path) if match.path_type == "PathPrefix" else None,
            method=_text(match.method),
            headers={
                header.name: header.value
                for header in match.headers
                if isinstance(header.name, str)
                and isinstance(header.value, str)
                and not header.regular
            },
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def claims_of(objects: Objects) -> tuple[Claim, ...]:
    """Return every claim on every Gateway."""
    return tuple(
        Claim(gateway, listener, route, rule, match, host)
        for route in objects.routes
        for gateway, listener in listeners_of(route, objects)
        for host in hosts_of(listener, route)
        for rule in route.rules
        for match in rule.matches
    )


def listeners_of(route: Route, objects: Objects) -> Iterator[tuple[Gateway, Listener]]:
    """Yield the listeners a route is attached to: named by it, and open for its namespace."""
    for parent in route.parents:
        for gateway in objects.gateways:
            if not objects.refers(route, parent, gateway):
                continue
            for listener in gateway.listeners:
                named = parent.section in {None, UNKNOWN} or listener.name in {
                    parent.section,
                    UNKNOWN,
                }
                if named and listener.takes_from(route.namespace, own=route.beside(gateway)):
                    yield gateway, listener


def hosts_of(listener: Listener, route: Route) -> Iterator[str]:
    """Yield the host names for which a listener hands requests to a route."""
    offered = listener.hostname if isinstance(listener.hostname, str) else ANY_HOST
    wanted = [host if isinstance(host, str) else ANY_HOST for host in route.hostnames]
    for host in dict.fromkeys(wanted or [ANY_HOST]):
        common = common_host(offered.lower(), host.lower())
        if common is not None:
            yield common


def common_host(one: str, other: str) -> str | None:
    """Return the hosts that two patterns share, None where they share none."""
    for broad, narrow in ((one, other), (other, one)):
        if broad == narrow or host_matches(broad, narrow):
            return narrow
    return None


def host_matches(pattern: str, host: str) -> bool:
    """Return whether a host, or every host of a narrower pattern, is one of the pattern's."""
    if pattern.startswith(ANY_HOST):
        return host.endswith(pattern[1:]) and (pattern == ANY_HOST or host != pattern[1:])
    return pattern == host


def takes(claim: Claim, request: Request) -> bool:
    """Return whether a request is among those claimed. What isn't known yet counts as met."""
    match = claim.match
    return (
        host_matches(claim.host, request.host)
        and path_matches(match, request.path)
        and (not isinstance(match.method, str) or match.method == request.method)
        and all(_header_matches(header, request) for header in match.headers)
    )


def path_matches(match: Match, path: str) -> bool:
    """Return whether a path is one the match asks for."""
    if not isinstance(match.path, str) or match.path_type is UNKNOWN:
        return True
    if match.path_type == "Exact":
        return path == match.path
    if match.path_type == REGULAR_EXPRESSION:
        return _regular_match(match.path, path)
    prefix = match.path.rstrip("/")
    return path == prefix or path.startswith(f"{prefix}/")


def _header_matches(header: HeaderMatch, request: Request) -> bool:
    if not isinstance(header.name, str) or not isinstance(header.value, str):
        return True
    found = request.headers.get(header.name)
    if found is None:
        return False
    return _regular_match(header.value, found) if header.regular else found == header.value


def _regular_match(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return False


Rank = tuple[int, int, int, int, int, int, int]


def rank(claim: Claim) -> Rank:
    """Return the precedence of a claim: the greater goes first."""
    match = claim.match
    named = not claim.host.startswith(ANY_HOST)
    path = match.path.rstrip("/") or "/" if isinstance(match.path, str) else ""
    regular = match.path_type == REGULAR_EXPRESSION
    return (
        len(claim.host) if named else 0,
        len(claim.host),
        int(match.path_type == "Exact"),
        # How an implementation ranks regular expressions is its own affair: last, here.
        0 if regular else len(path),
        int(match.method is not None),
        len(match.headers),
        match.queries,
    )


def winners(claims: Iterable[Claim], request: Request) -> list[Claim]:
    """Return the claims that go first for a request: more than one where nothing decides."""
    taking = [claim for claim in claims if takes(claim, request)]
    best = max((rank(claim) for claim in taking), default=None)
    return [claim for claim in taking if rank(claim) == best]


def common_request(one: Claim, other: Claim) -> Request | None:
    """Return a request that both take, None where there is none or a regular expression hides
    it."""
    host = common_host(one.host, other.host)
    paths = [_example_path(claim.match) for claim in (one, other)]
    if host is None:
        return None
    headers: dict[str, str] = {}
    for header in (*one.match.headers, *other.match.headers):
        if isinstance(header.name, str) and isinstance(header.value, str):
            headers.setdefault(header.name, header.value)
    methods = [method for method in (one.match.method, other.match.method) if _text(method)]
    for path in sorted(paths, key=len, reverse=True):
        request = Request(
            host.replace(ANY_HOST, "host", 1) if host != ANY_HOST else "host.example",
            path,
            str(methods[0]) if methods else "POST",
            headers,
        )
        if takes(one, request) and takes(other, request):
            return request
    return None


def _example_path(match: Match) -> str:
    path = match.path if isinstance(match.path, str) else "/"
    return path if match.path_type == "Exact" else path.rstrip("/") or "/"

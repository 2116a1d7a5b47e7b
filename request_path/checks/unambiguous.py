"""No two routes claim the same request with the same precedence."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

from request_path.finding import Finding, finding
from request_path.matching import Claim, Rank, claims_of, common_request, rank
from request_path.models import reaches_models
from request_path.objects import Objects
from resources.properties import UNKNOWN


def check(objects: Objects) -> Iterator[Finding]:
    """Yield each pair of matches between which only the age of their routes decides."""
    rivals: defaultdict[tuple[str, object, Rank], list[Claim]] = defaultdict(list)
    for claim in claims_of(objects):
        if _is_known(claim):
            rivals[claim.gateway.urn, claim.listener.name, rank(claim)].append(claim)
    for claims in rivals.values():
        for one, other in combinations(claims, 2):
            if not (reaches_models(one, objects) or reaches_models(other, objects)) or _differ(
                one, other
            ):
                continue
            request = common_request(one, other)
            if request is not None:
                yield _finding(one, other, request.path, request.headers)


def _is_known(claim: Claim) -> bool:
    match = claim.match
    texts = (match.path, match.path_type, match.method, *claim.route.hostnames)
    headers = (text for header in match.headers for text in (header.name, header.value))
    return UNKNOWN not in (*texts, *headers, claim.listener.hostname)


def _differ(one: Claim, other: Claim) -> bool:
    """Return whether a header tells them apart, which is quicker to see than a common request to
    find."""
    wanted = one.requests().headers
    return any(wanted.get(name, value) != value for name, value in other.requests().headers.items())


def _finding(one: Claim, other: Claim, path: str, headers: Mapping[str, str]) -> Finding:
    shown = ", ".join(f"{name}: {value}" for name, value in headers.items()) or "any header"
    if one.route.urn == other.route.urn:
        return finding("same-request/twice", one.route, path, shown)
    return finding("same-request/rival", one.route, path, shown, other.route)

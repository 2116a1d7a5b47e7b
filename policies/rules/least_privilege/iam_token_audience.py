"""Tokens of pods are for their own cluster and for the stack's own projects."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.access.bindings import ACCOUNT, acts_as
from policies.access.principals import is_foreign
from policies.shared.limits import Limits, NamesLimit
from policies.shared.projects import own_projects, project_of
from policies.shared.rule import StackFinding, StackRule
from resources.kubernetes import kind_of, objects
from resources.pods import CHARTS, changes_pods, makes_pods, pod_specs
from resources.properties import EACH, Props, all_at, elements, get, search, text
from resources.resource import Resource

# Where tokens are asked for beside the volumes of pods, by kind.
_ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "authentication.k8s.io/TokenRequest": ("spec", "audiences", EACH),
    "storage.k8s.io/CSIDriver": ("spec", "tokenRequests", EACH, "audience"),
}
_PROJECTED: Final = ("volumes", EACH, "projected", "sources", EACH, "serviceAccountToken")
_DAY: Final = 86400
# What asks for a token of an account within pods and the objects of operators.
_ASKS: Final = ("kubernetesServiceAccountToken", "serviceAccountRef", "serviceAccountToken")
# The cluster's own: https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
_CLUSTERS: Final = (
    *("api", "istio-ca", "https://kubernetes.default.svc"),
    "https://kubernetes.default.svc.cluster.local",
)
_POOL: Final = re.compile(r"([a-z0-9.:-]+)\.svc\.id\.goog")
_GOOGLE: Final = re.compile(r"(https:)?//(iam|container)\.googleapis\.com/.*")
# What accounts of other clouds are named by.
_OTHER_CLOUDS: Final = ("azure.workload.identity/client-id", "eks.amazonaws.com/role-arn")


def _asked(name: str, value: object, _holder: Props) -> list[object] | None:
    if name not in _ASKS:
        return None
    return [get(value, "audience"), *elements(value, "audiences")]


def _audiences(resource: Resource) -> Iterator[object]:
    kind = kind_of(resource.type)
    if kind in _ASKED:
        for each in objects(resource.type, resource.props):
            yield from all_at(each, _ASKED[kind])
    elif makes_pods(resource.type):
        for spec in pod_specs(resource.type, resource.props):
            yield from all_at(spec, (*_PROJECTED, "audience"))
    elif changes_pods(resource.type) or resource.type in CHARTS:
        yield from search(resource.props, _asked)


def _lives(resource: Resource) -> bool:
    """Return whether a token of a pod outlives a day."""
    specs = pod_specs(resource.type, resource.props) if makes_pods(resource.type) else ()
    ends = (end for spec in specs for end in all_at(spec, (*_PROJECTED, "expirationSeconds")))
    return any(isinstance(each, int | float) and each > _DAY for each in ends)


def _is_own(audience: object, own: frozenset[str], named: Sequence[str]) -> bool:
    # The cluster itself is meant where none is given.
    if not isinstance(audience, str) or audience in ("", *named):
        return True
    pool = _POOL.fullmatch(audience)
    project = project_of(audience) if _GOOGLE.fullmatch(audience) else pool and pool[1]
    return project is not None and (not own or project in own)


def _account(account: Resource, own: frozenset[str]) -> Iterator[str]:
    if own and any(is_foreign(email, own) for email in acts_as(account)):
        yield "acts as an account of a project that the environment does not name"
    for made in objects(account.type, account.props):
        for name in _OTHER_CLOUDS:
            if isinstance(text(made, "metadata", "annotations", name), str):
                yield "acts as an account of another cloud"


def _check(resources: Sequence[Resource], limits: Limits) -> Iterator[StackFinding]:
    own = own_projects(resources, limits.names("projects"))
    named = (*_CLUSTERS, *limits.names("audiences"))
    for each in resources:
        if any(not _is_own(audience, own, named) for audience in _audiences(each)):
            yield StackFinding("asks for a token that somebody else takes", each)
        if _lives(each):
            yield StackFinding("asks for a token of more than a day", each)
        if kind_of(each.type) == ACCOUNT:
            yield from (StackFinding(finding, each) for finding in _account(each, own))


RULE: Final = StackRule(
    id="iam-token-audience",
    display_name="Tokens are for the stack's own",
    description=(
        "Tokens that pods ask for are for their cluster or a pool of the environment's projects "
        "and for a day at most, "
        "and accounts of a cluster act as accounts of those projects alone."
    ),
    why="A token for somebody else is a way out of the cluster that no network rule sees.",
    remediation=(
        "leave the audience out, name the pool of the own project, or add the audience to the "
        "rule's limits."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken",
    limits=(
        NamesLimit(
            "projects",
            "Projects whose pools and accounts may be used; where none is named, the stack's",
            default=(),
        ),
        NamesLimit("audiences", "Others that tokens may be for, such as vault", default=()),
    ),
    check=_check,
)

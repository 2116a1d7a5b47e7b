"""Nothing makes cloud resources where no rule sees them."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.kubernetes import kind_of
from resources.resource import Resource

# Packages and types by which a program makes things that the packs have no properties of.
_TOKENS: Final = re.compile(
    r"(command|terraform|[a-z]+-native):.*|pulumi-[a-z]+:dynamic.*"
    r"|gcp:deploymentmanager/deployment:Deployment"
)
# The two packages that the packs read, and those that make nothing outside of the state.
_READ: Final = ("gcp", "kubernetes", "pulumi", "random", "std", "time", "tls")
# Groups of operators whose objects are resources of a cloud, programs or plans that make them.
_GROUPS: Final = re.compile(
    r"(.+\.)?(cnrm\.cloud\.google\.com|crossplane\.io|upbound\.io|services\.k8s\.aws|azure\.com"
    r"|app\.terraform\.io|infra\.contrib\.fluxcd\.io|pulumi\.com|tf\.galleybytes\.com)"
)


def _makes(token: str) -> bool:
    group = kind_of(token).partition("/")[0]
    package, _, rest = token.partition(":")
    # Components, such as a program's own, make nothing themselves; a provider's types have a slash.
    other = "/" in rest and package not in _READ
    return bool(other or _TOKENS.fullmatch(token) or (group and _GROUPS.fullmatch(group)))


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    if not resource.type.startswith(tuple(limits.names("makers"))):
        yield "makes what no rule sees: grants, ways in and costs among it"


RULE: Final = ResourceRule(
    id="sup-no-unseen-makers",
    display_name="Resources are made in sight",
    description=(
        "No command, dynamic provider, provider of another cloud or operator of a cluster, such as "
        "Config Connector or Crossplane, makes resources of a cloud."
    ),
    why="The packs read the resources of gcp and kubernetes; whatever goes past those is unjudged.",
    remediation=(
        "make it as a resource of gcp or kubernetes, or allow the beginning of its type in the "
        "limits."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://cloud.google.com/config-connector/docs/overview",
    limits=(NamesLimit("makers", "Types that may, by how their tokens begin", default=()),),
    applies=_makes,
    check=_check,
)

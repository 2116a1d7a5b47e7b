"""Pods ask the cluster's own name servers."""

import re
from collections.abc import Iterator
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.rule import ResourceRule
from resources.pods import changes_pods, pod_specs
from resources.properties import MISSING, UNKNOWN, entries, text
from resources.resource import Resource

_OWN: Final = ("ClusterFirst", "ClusterFirstWithHostNet", "Default")
# Names whose addresses the network gives, never a pod.
_GOOGLES: Final = re.compile(
    r"(.*\.)?(googleapis\.com|gcr\.io|pkg\.dev|run\.app|google\.internal|goog)\.?", re.IGNORECASE
)


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    allowed = limits.names("allowedServers")
    for spec in pod_specs(resource.type, resource.props):
        servers = entries(spec, "dnsConfig", "nameservers")
        known = servers if isinstance(servers, tuple) else ()
        if any(each is not UNKNOWN and each not in allowed for each in known):
            yield "a pod asks name servers of its own"
        elif text(spec, "dnsPolicy") not in (MISSING, UNKNOWN, *_OWN) and not known:
            yield "a pod's dnsPolicy leaves it to no name server that is allowed"
        aliases = entries(spec, "hostAliases")
        for alias in aliases if isinstance(aliases, tuple) else ():
            names = entries(alias, "hostnames")
            for name in names if isinstance(names, tuple) else ():
                if isinstance(name, str) and _GOOGLES.fullmatch(name):
                    yield "a pod gives one of Google's names an address of its own"


RULE: Final = ResourceRule(
    id="net-pod-dns",
    display_name="Pods ask the cluster's name servers",
    description=(
        "A pod asks the cluster's name servers, or allowed ones, and gives none of Google's names "
        "an address of its own."
    ),
    why=(
        "Another name server sees every name that is asked, carries data out in them, and leads "
        "the pod past the restricted addresses of Google's APIs."
    ),
    remediation="leave out dnsPolicy and dnsConfig.nameservers; put names into a private DNS zone.",
    severity=Severity.MEDIUM,
    level=EnforcementLevel.MANDATORY,
    url="https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/",
    limits=(
        NamesLimit("allowedServers", "Addresses of name servers that pods may ask", default=()),
    ),
    applies=changes_pods,
    check=_check,
)

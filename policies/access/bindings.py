"""Whom roles of Kubernetes are bound to, in a cluster or by a fleet, and whom pods act as."""

from collections.abc import Iterator
from typing import Final

from resources.kubernetes import kind_of, objects
from resources.properties import Absence, elements, text
from resources.resource import Resource

_RBAC: Final = "rbac.authorization.k8s.io/"
_BINDINGS: Final = (f"{_RBAC}ClusterRoleBinding", f"{_RBAC}RoleBinding")
_FLEET: Final = (
    "gcp:gkehub/membershipRbacRoleBinding:MembershipRbacRoleBinding",
    "gcp:gkehub/scopeRbacRoleBinding:ScopeRbacRoleBinding",
)

ACCOUNT: Final = "core/ServiceAccount"
# https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#kubernetes-sa-to-iam
_ACTS_AS: Final = "iam.gke.io/gcp-service-account"


def acts_as(resource: Resource) -> Iterator[str | Absence]:
    """Yield the service accounts of Google Cloud that those of Kubernetes act as."""
    for account in objects(resource.type, resource.props):
        yield text(account, "metadata", "annotations", _ACTS_AS)


def binds(resource_type: str) -> bool:
    """Return whether resources of this type bind roles of Kubernetes."""
    return resource_type in _FLEET or kind_of(resource_type) in _BINDINGS


def bound(resource: Resource) -> Iterator[str | Absence]:
    """Yield the names of those whom a resource binds a role to."""
    if resource.type in _FLEET:
        yield from (text(resource.props, key) for key in ("user", "group"))
    elif kind_of(resource.type) in _BINDINGS:
        for binding in objects(resource.type, resource.props):
            for subject in elements(binding, "subjects"):
                yield text(subject, "name")

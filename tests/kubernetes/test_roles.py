"""What is said of the roles that every cluster has is what a real API server makes of them."""

from pathlib import Path

import yaml

from emulator.gateway.client import Client
from policies.access.cluster import of_rules

TABLE = Path(__file__).parents[2] / "policies" / "access" / "roles.yaml"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
GATHERED = {"admin", "edit", "view"}
"""What a controller fills, of ClusterRoles with a label."""


def test_roles_that_every_cluster_has_allow_what_is_known(api_server: Client) -> None:
    for name, known in yaml.safe_load(TABLE.read_text())["kubernetes"].items():
        namespace, _, role = name.rpartition("/")
        where = f"namespaces/{namespace}/roles" if namespace else "clusterroles"
        gathered = f"system:aggregate-to-{role}" if role in GATHERED else role
        found = of_rules(api_server.request("GET", f"{RBAC}/{where}/{gathered}"))
        assert found is not None
        assert found <= {*known}, name
        assert found == {*known} or role in GATHERED, name

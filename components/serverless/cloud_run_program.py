"""What services and jobs of Cloud Run write alike: variables, secrets and the network.

The SDK has the same shapes as types of each of them.
"""

from posixpath import basename, dirname
from typing import Any

import pulumi
import pulumi_gcp as gcp

from catalog.limits import cloud_run as limits
from components.serverless.cloud_run_arguments import EGRESS, Program, Vpc


def variables_of(args: Program) -> list[Any]:
    """Return the variables, those of secrets last."""
    plain = [
        {"name": variable, "value": value}
        for variable, value in sorted(args.get("environment", {}).items())
    ]
    secret = [
        {
            "name": variable,
            "value_source": {
                "secret_key_ref": {
                    "secret": args.get("secret_ids", {})[each["secret"]],
                    "version": each.get("version", "latest"),
                }
            },
        }
        for variable, each in sorted(args.get("secrets", {}).items())
    ]
    return [*plain, *secret]


def volumes_of(args: Program) -> list[Any]:
    """Return a volume for each secret that is a file."""
    return [
        {
            "name": _volume(position),
            "secret": {
                "secret": args.get("secret_ids", {})[secret["secret"]],
                "items": [{"path": basename(path), "version": secret.get("version", "latest")}],
            },
        }
        for position, (path, secret) in enumerate(sorted(args.get("secret_files", {}).items()))
    ]


def mounts_of(args: Program) -> list[Any]:
    """Return where each of those volumes is."""
    return [
        {"name": _volume(position), "mount_path": dirname(path)}
        for position, path in enumerate(sorted(args.get("secret_files", {})))
    ]


def readable_by(
    name: str, args: Program, account: pulumi.Input[str], parent: pulumi.Resource
) -> list[pulumi.Resource]:
    """Let an account read the secrets; return the grants."""
    return [
        gcp.secretmanager.SecretIamMember(
            f"{name}-read-{secret}",
            project=args["project"],
            secret_id=secret_id,
            role="roles/secretmanager.secretAccessor",
            member=pulumi.Output.concat("serviceAccount:", account),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for secret, secret_id in args.get("secret_ids", {}).items()
    ]


def network_of(vpc: Vpc) -> Any:
    """Return the network that is sent into."""
    return {
        "egress": EGRESS[vpc.get("egress", limits.EGRESS.default)],
        "network_interfaces": [{"network": vpc["network"], "subnetwork": vpc["subnetwork"]}],
    }


def _volume(position: int) -> str:
    return f"secret-{position}"

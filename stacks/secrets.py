"""The secrets of the config, and how containers are told of them."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components.ready import after
from components.serverless.cloud_run_arguments import Secret as SecretVersion
from config.containers import Program
from config.platform import Platform
from config.secrets import name_of, version_of
from stacks.foundation import Foundation

Secrets = Mapping[str, pulumi.Input[str]]
"""Ids by name."""


def build_secrets(platform: Platform, foundation: Foundation) -> Secrets:
    """Make the secrets that are not there yet. Their values are added by hand, never seen here."""
    return {
        name: name if secret.existing else make_secret(platform, foundation, name).secret_id
        for name, secret in platform.secrets.items()
    }


def make_secret(platform: Platform, foundation: Foundation, name: str) -> gcp.secretmanager.Secret:
    """Make a secret without a value."""
    protected = platform.deletion_protection
    return gcp.secretmanager.Secret(
        name,
        project=foundation.services.project_for("secretmanager"),
        secret_id=name,
        replication={"auto": {}},
        deletion_protection=protected,
        opts=pulumi.ResourceOptions.merge(
            foundation.google, pulumi.ResourceOptions(protect=protected or None)
        ),
    )


def stored(
    platform: Platform, foundation: Foundation, name: str, value: pulumi.Output[str]
) -> pulumi.Output[str]:
    """Return id of a secret with a value of the stack's own. Certificates are none, but files come
    into Cloud Run's containers from secrets alone."""
    secret = make_secret(platform, foundation, name)
    version = gcp.secretmanager.SecretVersion(
        name,
        secret=secret.id,
        secret_data_wo=value,
        # What is written but not kept can't be compared: the number tells of a change.
        secret_data_wo_version=value.apply(_fingerprint),
        opts=foundation.google,
    )
    return after(secret.secret_id, version.id)


def secret_arguments(container: Program, secrets: Secrets) -> Mapping[str, Any]:
    """Return what a component takes of the secrets that a container reads, and no others."""
    return {
        "secret_ids": {each: secrets[each] for each in container.secret_names},
        "secrets": {key: _version(use) for key, use in container.secrets.items()},
        "secret_files": {path: _version(use) for path, use in container.secret_files.items()},
    }


def _version(use: str) -> SecretVersion:
    return {"secret": name_of(use), "version": version_of(use)}


def _fingerprint(text: str) -> str:
    return str(int(hashlib.sha256(text.encode()).hexdigest()[:7], 16))

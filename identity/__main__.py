"""Make the accounts of an environment's pipelines: `pulumi up` in this folder."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from identity.pipelines import Pipelines, make

config = pulumi.Config()
outputs = make(
    Pipelines(
        environment=pulumi.get_stack(),
        project=config.require("gcp_project"),
        project_number=config.require("project_number"),
        repository=config.require("repository"),
        repository_id=config.require("repository_id"),
        branch=config.get("branch") or "main",
        approvers=config.require("approvers"),
        state_bucket=config.require("state_bucket"),
        state_key=config.require("state_key"),
    )
)
for name, value in outputs.items():
    pulumi.export(name, value)

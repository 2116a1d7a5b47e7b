"""Make the accounts of an environment's pipelines: `pulumi up` in this folder."""

import sys
from pathlib import Path

import pulumi

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from identity.pipelines import Pipelines, make
from identity.settings import read

given = read(pulumi.Config())
outputs = make(Pipelines(environment=pulumi.get_stack(), project=given.pop("gcp_project"), **given))
for name, value in outputs.items():
    pulumi.export(name, value)

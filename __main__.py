"""The platform of one environment: its config in, its resources and outputs out."""

import pulumi

from stacks.outputs_awaited import await_outputs_together
from stacks.platform import build_platform
from stacks.settings import load_platform

await_outputs_together()
for name, value in build_platform(load_platform()).items():
    pulumi.export(name, value)

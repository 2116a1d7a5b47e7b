"""The platform of one environment: its config in, its resources and outputs out."""

import pulumi

from stacks.imports import import_existing
from stacks.outputs_awaited import await_outputs_together
from stacks.platform import build_platform
from stacks.settings import load_platform

await_outputs_together()
imports = import_existing()
for name, value in build_platform(load_platform()).items():
    pulumi.export(name, value)
if imports is not None:
    imports.check()

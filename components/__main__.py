"""Serves the components to Pulumi programs of any language: `pulumi package add ./components`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi.provider.experimental import component_provider_host

from components import COMPONENTS, analyzer, load

if __name__ == "__main__":
    analyzer.use()
    component_provider_host(name="inference", components=[load(name) for name in COMPONENTS])

"""Serves the components to Pulumi programs of any language: `pulumi package add ./components`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import yaml
from pulumi.provider.experimental import component_provider_host

from components import COMPONENTS, analyzer, load

PLUGIN = Path(__file__).with_name("PulumiPlugin.yaml")

if __name__ == "__main__":
    analyzer.use()
    plugin = yaml.safe_load(PLUGIN.read_text(encoding="utf-8"))
    component_provider_host(
        name=plugin["name"],
        version=plugin["version"],
        components=[load(name) for name in COMPONENTS],
    )

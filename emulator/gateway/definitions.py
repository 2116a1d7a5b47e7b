"""The custom resource definitions that GKE puts into a cluster before the platform comes.

The Gateway API's and the inference extension's are read where Go keeps the modules that
tools/go/inference-extension pins; kinds of GKE's own are those that sandbox/crds describes.
"""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from emulator.gateway.programs import ROOT

MODULE = ROOT / "tools" / "go" / "inference-extension"
DESCRIBED = ROOT / "sandbox" / "crds"
PUBLISHED = {
    "sigs.k8s.io/gateway-api": "config/crd/standard/gateway.networking.k8s.io_*.yaml",
    "sigs.k8s.io/gateway-api-inference-extension": (
        "config/crd/bases/inference.networking.k8s.io_*.yaml"
    ),
}


def published() -> list[dict[str, Any]]:
    """Return the definitions as their projects release them. Raises LookupError if Go has them
    not."""
    found = [
        _read(file)
        for module, pattern in PUBLISHED.items()
        for file in sorted(_folder(module).glob(pattern))
    ]
    if not found:
        raise LookupError(f"no definitions in the modules that {MODULE / 'go.mod'} pins")
    return found


def described() -> list[dict[str, Any]]:
    """Return the project's own descriptions, of Google's kinds and of the published ones."""
    return [_read(file) for file in sorted(DESCRIBED.glob("*.yaml"))]


def installed() -> list[dict[str, Any]]:
    """Return what a cluster has: a published definition where there is one, else the
    description."""
    definitions = published()
    groups = {definition["spec"]["group"] for definition in definitions}
    return definitions + [d for d in described() if d["spec"]["group"] not in groups]


def _read(file: Path) -> dict[str, Any]:
    # The parser in C takes a tenth of the time.
    return yaml.load(file.read_text(), yaml.CSafeLoader)


def _folder(module: str) -> Path:
    listed = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", module],
        cwd=MODULE,
        capture_output=True,
        text=True,
        check=False,
    )
    folder = listed.stdout.strip()
    if not folder:
        raise LookupError(f"Go has no copy of {module}: {listed.stderr.strip()}")
    return Path(folder)

"""Programs of others take components and packs as docs/use-elsewhere.md shows."""

import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from launcher.paths import ROOT
from tests.engine.plain import LANGUAGE_HOSTS, Plain, need_host, served

PAGE = (ROOT / "docs" / "use-elsewhere.md").read_text()
TYPESCRIPT = ROOT / "tools" / "npm" / "typescript" / "package.json"
VENDORED = ("components", "policies", "resources", "request_path", "cost", "catalog")


# As `pulumi up --policy-pack vendor/policies/all`, without a language host.
IN_PROCESS = """
import os
import runpy
import sys
from pulumi import automation

here = os.getcwd()
stack = automation.create_or_select_stack(
    "dev", "web", lambda: runpy.run_path(f"{here}/__main__.py"),
    automation.LocalWorkspaceOptions(work_dir=here),
)
stack.set_config("gcp:project", automation.ConfigValue("acme-web"))
made = stack.up(policy_packs=[f"{here}/vendor/policies/all"])
print(made.stdout, made.outputs["hostname"].value, sys.modules["components"].__path__)
"""


def shown(section: str, language: str, number: int = 0) -> str:
    """Return a block that a section of the page shows."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[number]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a program that has none of our code."""
    folder = tmp_path / "web"
    folder.mkdir()
    return folder


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """Return a folder with the host of the components, as the engine looks for it on PATH."""
    plugin = tmp_path / "plugins" / "pulumi-resource-inference"
    plugin.parent.mkdir()
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "components"}" "$@"\n')
    plugin.chmod(0o755)
    return plugin.parent


def test_a_python_program_imports_components_and_is_judged_by_the_packs(
    project: Path, tmp_path: Path
) -> None:
    for folder in VENDORED:
        shutil.copytree(
            ROOT / folder, project / "vendor" / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    (project / "Pulumi.yaml").write_text(shown("From Python", "yaml"))
    (project / "__main__.py").write_text(shown("From Python", "python"))
    (project / "run.py").write_text(IN_PROCESS)
    policies = yaml.safe_load((project / "vendor/policies/environments/dev.yaml").read_text())
    policies["rules"] |= yaml.safe_load(shown("From Python", "yaml", 1))["rules"]
    own = project / "web.yaml"
    own.write_text(yaml.safe_dump(policies))
    with served(tmp_path / "world.db") as providers:
        pulumi = Plain(project, providers, plugins=())
        out = pulumi.run(sys.executable, "run.py", POLICY_ENVIRONMENT=str(own))
    assert "chat.acme.internal" in out
    assert str(project / "vendor" / "components") in out


def test_a_yaml_program_takes_components_from_their_host(
    project: Path, plugins: Path, tmp_path: Path
) -> None:
    need_host("yaml")
    (project / "Pulumi.yaml").write_text(shown("From YAML", "yaml"))
    with served(tmp_path / "world.db") as providers:
        pulumi = Plain(project, providers, (LANGUAGE_HOSTS, plugins))
        pulumi("stack", "init", "dev")
        pulumi("config", "set", "gcp:project", "acme-web")
        pulumi("up", "--stack", "dev", "--yes", "--skip-preview")
        assert "chat.acme.internal" in pulumi("stack", "output", "hostname", "--stack", "dev")


def test_a_typescript_program_takes_components_by_their_generated_sdk(
    project: Path, plugins: Path, tmp_path: Path
) -> None:
    for program in ("pulumi-language-nodejs", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"NOT RUN: no {program} on PATH: install the Pulumi CLI and Node.js")
    (project / "Pulumi.yaml").write_text("name: web\nruntime: nodejs\n")
    (project / "index.ts").write_text(shown("From TypeScript", "typescript"))
    (project / "tsconfig.json").write_text(
        '{"compilerOptions": {"strict": true, "skipLibCheck": true}, "files": ["index.ts"]}'
    )
    shutil.copy(TYPESCRIPT, project)
    with served(tmp_path / "world.db") as providers:
        pulumi = Plain(project, providers, (LANGUAGE_HOSTS, plugins))
        pulumi(
            "package", "gen-sdk", str(plugins / "pulumi-resource-inference"),
            "--language", "nodejs", "--out", str(tmp_path / "sdk"),
        )  # fmt: skip
        shutil.copytree(tmp_path / "sdk" / "nodejs", project / "sdks" / "inference")
        for command in (
            ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            ["node_modules/.bin/tsc", "--project", "sdks/inference"],
        ):
            pulumi.run(*command)
        shutil.copy(project / "sdks/inference/package.json", project / "sdks/inference/bin")
        pulumi("stack", "init", "dev")
        pulumi("config", "set", "gcp:project", "acme-web")
        pulumi("up", "--stack", "dev", "--yes", "--skip-preview")
        assert "chat.acme.internal" in pulumi("stack", "output", "hostname", "--stack", "dev")

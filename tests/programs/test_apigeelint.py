"""Apigee's own linter reads every proxy that the platform makes."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.api_management.proxy_bundle import ApigeeJwt, proxy_files
from launcher.paths import ROOT

APIGEELINT = ROOT / ".engine" / "apigeelint" / "node_modules" / ".bin" / "apigeelint"
TOKENS: ApigeeJwt = {
    "issuer": "https://id.acme.com/",
    "audience": "a & b",
    "jwks_uri": "https://id.acme.com/keys?a=1&b=2",
}

pytestmark = pytest.mark.skipif(
    not APIGEELINT.exists() or shutil.which("node") is None,
    reason="NO PROXY WAS READ BY APIGEELINT: `python3 tools/apigeelint.py` says what to install",
)


def found_in(folder: Path, files: dict[str, str]) -> list[str]:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    command = ["node", APIGEELINT, "-s", folder / "apiproxy", "--profile", "apigeex", "--norc"]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    reports: list[dict[str, Any]] = json.loads(printed.stdout)
    return [
        f"{Path(report['filePath']).name}: {message['message']} [{message['ruleId']}]"
        for report in reports
        for message in report["messages"]
    ]


@pytest.mark.parametrize("jwt", [None, TOKENS], ids=["key", "token"])
def test_apigeelint_finds_nothing_in_a_proxy(tmp_path: Path, jwt: ApigeeJwt | None) -> None:
    assert found_in(tmp_path, dict(proxy_files("inference", jwt))) == []


def test_apigeelint_finds_a_step_without_its_policy(tmp_path: Path) -> None:
    files = dict(proxy_files("inference", None))
    del files["apiproxy/policies/Verify-Consumer.xml"]
    assert any("Verify-Consumer" in each for each in found_in(tmp_path, files))

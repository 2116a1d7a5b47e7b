"""A first preview knows nothing of what the cloud decides: no rule takes that for a violation."""

from pathlib import Path

import pytest

from launcher.operations import preview
from launcher.paths import ROOT, StackPaths


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_first_preview_says_nothing_false(
    stack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preview(StackPaths(stack, ROOT / f"Pulumi.{stack}.yaml", tmp_path / stack))
    told = capsys.readouterr().out
    assert ": 0 violations, 0 advisories." in told
    assert "Not priced:" not in told

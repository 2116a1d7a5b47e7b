"""What the shell says to Pulumi and its provider is meant for a real cloud."""

import os

import pytest

from launcher.shell import set_aside


@pytest.mark.parametrize(
    "name",
    ["PULUMI_OPTION_PARALLEL", "PULUMI_IGNORE_AMBIENT_PLUGINS", "GOOGLE_REGION", "CLOUDSDK_A_B"],
)
def test_it_is_not_there_for_the_sandbox_and_there_again_after(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "x")
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    with set_aside():
        assert name not in os.environ
        assert os.environ["PULUMI_K8S_DELETE_UNREACHABLE"] == "true"
    assert os.environ[name] == "x"

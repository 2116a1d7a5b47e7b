"""The program reads the config of the stack that the engine runs, and refuses that of another."""

import json
from collections.abc import Iterator
from typing import Any, cast

import pulumi
import pytest
from pulumi.runtime import config as engine_config

from catalog import strict_yaml
from stacks.settings import load_platform
from tests.config.samples import ROOT


@pytest.fixture
def dev(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the engine the config of dev, as it hands it over."""
    document = cast("dict[str, Any]", strict_yaml.load((ROOT / "Pulumi.dev.yaml").read_text()))
    given = {
        f"inference:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in document["config"].items()
        if ":" not in key
    }
    monkeypatch.setattr(pulumi, "get_project", lambda: "inference")
    before = engine_config.CONFIG.set(given)
    yield
    engine_config.CONFIG.reset(before)


@pytest.mark.usefixtures("dev")
def test_the_config_is_that_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    assert load_platform().environment == "dev"


@pytest.mark.usefixtures("dev")
def test_a_copy_of_another_stacks_config_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "staging")
    with pytest.raises(pulumi.RunError, match=r"Pulumi\.staging\.yaml: environment: found 'dev'"):
        load_platform()

"""Each mistake in `mistakes/`, alone: the config is refused with exactly these lines."""

from __future__ import annotations

from typing import Any, cast

import pytest

from catalog import strict_yaml
from config.errors import ConfigError
from config.load import from_mapping
from tests.config.samples import REMOVED, ROOT, SOURCE, changed, values

FOLDER = ROOT / "tests" / "config" / "mistakes"
MISTAKES = {
    f"{file.stem}: {name}": mistake
    for file in sorted(FOLDER.glob("*.yaml"))
    for name, mistake in cast(
        "dict[str, Any]", strict_yaml.load(file.read_text(), own=True)
    ).items()
}


def test_the_config_without_mistakes_loads() -> None:
    assert from_mapping(values(), SOURCE).environment == "test"


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str) -> None:
    mistake = MISTAKES[name]
    changes = [*mistake.get("set", {}).items()]
    changes += [(path, REMOVED) for path in mistake.get("remove", ())]
    with pytest.raises(ConfigError) as error:
        from_mapping(changed(*changes), SOURCE)
    assert str(error.value).splitlines() == [f"{SOURCE}: {line}" for line in mistake["says"]]

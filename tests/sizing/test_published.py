"""What is reckoned, against what vLLM logged when it started and what others published.

`python -m tests.sizing.test_published` prints the errors as the table of docs/capacity.md.
"""

import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, cast

import pytest

from catalog import strict_yaml
from catalog.machines import Gpu
from catalog.models import MODELS
from sizing.memory import Fit, Serving
from sizing.models import published

_Row = dict[str, Any]
ROWS = cast(
    "dict[str, list[_Row]]",
    strict_yaml.load((Path(__file__).parent / "published.yaml").read_text(encoding="utf-8")),
)


def _fit(row: _Row) -> Fit:
    found = published(row.get("like", row["model"]))
    assert found is not None, row["model"]
    gpu = Gpu(0, row.get("gpu", 80.0), 1, 1, 1, "")
    serving = Serving(
        tensor=row.get("tensor", 1),
        utilization=row.get("utilization", 0.92),
        batched_tokens=row.get("batched"),
        sequences=row.get("sequences"),
    )
    return Fit(found.shape, gpu, serving)


def _logged(row: _Row) -> float:
    """Return what a row says in the unit of its kind: for a GPU's room, GiB."""
    if "logged" in row:
        return row["logged"]
    return row["tokens"] * _fit(row).token / 2**20


_RECKONED: dict[str, Callable[[_Row], float]] = {
    "weights": lambda row: _fit(row).weights,
    "cache": lambda row: row["available"] * 2**20 / _fit(row).token,
    "sequence": lambda row: _fit(row).sequence(row["tokens"]) * 1024,
    "available": lambda row: _fit(row).cache,
}


def errors(kind: str) -> list[float]:
    """Return the errors of a kind, as shares: of a GPU's room, of what vLLM may take of it."""
    return [
        (_RECKONED[kind](row) - _logged(row))
        / (_fit(row).budget if kind == "available" else _logged(row))
        for row in ROWS[kind]
    ]


def test_there_are_twenty_published_numbers_and_more():
    assert sum(map(len, ROWS.values())) >= 30
    assert all(str(row["source"]).startswith("https://") for rows in ROWS.values() for row in rows)


@pytest.mark.parametrize(
    ("kind", "middle", "most", "outliers"),
    [
        # The outlier is a quantisation of one's own, whose exceptions its name doesn't say.
        ("weights", 0.01, 0.03, 1),
        # The outlier is of a release that padded entries of latent attention.
        ("cache", 0.002, 0.015, 1),
        ("sequence", 0.0001, 0.0001, 0),
        ("available", 0.02, 0.045, 0),
    ],
)
def test_errors_are_within_their_bounds(kind: str, middle: float, most: float, outliers: int):
    sizes = sorted(map(abs, errors(kind)))
    assert median(sizes) <= middle
    assert sizes[len(sizes) - 1 - outliers] <= most
    assert sizes[-1] <= 0.25


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_parameters_that_its_name_says(name: str):
    model = published(name)
    assert model is not None
    sizes = re.findall(r"(?<![\d.A-Za-z])(\d+(?:\.\d+)?)[bB](?![a-zA-Z0-9])", name.split("/")[1])
    experts = re.search(r"\d+x|17B-\d+E|gemma-4|VL|Ministral|gemma-(?:2-2b|7b)|3\.2-1B", name)
    if sizes and not experts:  # whose names count in other ways
        assert model.shape.parameters / 1e9 == pytest.approx(float(sizes[0]), rel=0.11)


def test_there_are_sixty_models_and_more():
    assert len(MODELS) >= 60


def _shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}"


if __name__ == "__main__":
    print("| what | model | reckoned | published | error |\n|---|---|---|---|---|")
    for kind in ROWS:
        for row, error in zip(ROWS[kind], errors(kind), strict=True):
            gpus = f", {row['tensor']} GPUs" if "tensor" in row else ""
            told = row["source"].split(" ")[0]
            print(
                f"| {kind} | {row['model']}{gpus} | {_shown(_RECKONED[kind](row))}"
                f" | [{_shown(_logged(row))}]({told}) | {error:+.1%} |"
            )

"""What the catalog's queries are about, as label matchers: models, pipelines and endpoints."""

import re
from collections.abc import Mapping, Sequence

from catalog.limits import Text

NAME = Text("[A-Za-z0-9._/~%+-]+", "letters, digits and . _ / ~ % + -", "rename it")
"""Of what stands in a query."""
_SPECIAL = re.compile(r"[.+]")


def inference_matchers(
    models: Sequence[str], adapters: Sequence[str], pools: Sequence[str], namespaces: Sequence[str]
) -> Mapping[str, str]:
    """Return the matchers of the queries about models."""
    return {
        "models": matcher("model_name", models),
        "served": matcher("model_name", [*models, *adapters]),
        "pools": matcher("name", pools),
        "namespace": matcher("namespace", namespaces),
        "containers": matcher("namespace_name", namespaces),
    }


def endpoint_matchers(endpoint_ids: Sequence[str]) -> Mapping[str, str]:
    """Return the matchers of the queries about endpoints of Vertex AI: their numbers."""
    return {"endpoints": matcher("endpoint_id", endpoint_ids)}


def matcher(label: str, names: Sequence[str]) -> str:
    """Return the PromQL matcher of a label that has one of the names."""
    pattern = "|".join(_SPECIAL.sub(lambda found: f"[{found.group()}]", name) for name in names)
    return f'{label}=~"{pattern}"'

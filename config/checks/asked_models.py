"""Models that services, pipelines and batches ask: those of their region."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from catalog.problems import KeyPath, Problem, did_you_mean, joined, shown
from config.containers import Program
from config.known import Known
from config.models import Model

_MODEL_VARIABLES: Final = ("LLM_BASE_URL", "LLM_MODEL", "LLM_MODELS", "LLM_CA_FILE")
"""What the platform gives to whoever asks models."""
_KEY_VARIABLES: Final = ("LLM_AUTH", "LLM_API_KEY", "LLM_API_KEY_FILE")
"""The same, where API management has a key for it."""
_KEY: Final = "LLM_API_KEY"


def served_models(known: Known) -> Mapping[str, Model]:
    """Return the models by the names they are asked by, those of adapters included."""
    return {
        name: model
        for key, model in known.models.items()
        for name in (key, *(adapter.name for adapter in model.adapters))
    }


def check_model(known: Known, path: KeyPath, name: str, region: str, who: str) -> Iterator[Problem]:
    """Check that there is a model of that name in the region of whoever asks it."""
    served = served_models(known)
    names = known.names.get("models", set()) | served.keys()
    if names and name not in names:
        remedy = did_you_mean(name, names, "choose one of them or add it to models")
        yield Problem(path, shown(name), joined(names), remedy)
    elif name in served and not _is_in(known, served[name], region):
        yield Problem(
            path,
            f"{shown(name)}, which is not served in {region}",
            f"models of the {who}'s region",
            "choose another region or model",
        )


def check_models(
    known: Known, path: KeyPath, models: Sequence[str], region: str, who: str
) -> Iterator[Problem]:
    """Check the models that somebody may ask, each once."""
    for position, name in enumerate(models):
        where = (*path, "models", position)
        wrong = list(check_model(known, where, name, region, who))
        yield from wrong
        if not wrong and name in models[:position]:
            yield Problem(where, f"{shown(name)} again", "each model once", "remove it")


def variables_of_models(known: Known, name: str) -> Sequence[str]:
    """Return what the platform gives to the service, pipeline or batch that asks models."""
    apigee = known.api_management and known.api_management.apigee
    by_key = apigee and apigee.knows_by_key(name)
    return (*_MODEL_VARIABLES, *(_KEY_VARIABLES if by_key else ()))


def check_key(known: Known, area: str, name: str, program: Program) -> Iterator[Problem]:
    """Check that whoever asks models shows Apigee who it is: else every request gets 401."""
    apigee = known.api_management and known.api_management.apigee
    if not apigee or apigee.knows_by_key(name):
        return
    files = {path.rpartition("/")[2] for path in program.secret_files}
    has_key = _KEY in program.secrets or _KEY.casefold() in files
    if has_key and program.environment.get("LLM_AUTH") == "api_key":
        return
    shows = f"environment LLM_AUTH: api_key with a token as secret {_KEY}"
    if apigee.authentication == "api-key":
        who = area.replace("_", " ").removesuffix("s")
        yield Problem(
            ("api_management", "apigee", "consumers"),
            f"no {shown(name)}, a {who} that asks models",
            f"every {who} with models, or those with {shows}",
            f"add {name}: {{}}, with its limits: it gets a key of its own as a secret",
        )
    else:
        yield Problem(
            (area, name, "secrets"),
            f"no {_KEY}, with models behind Apigee that takes tokens",
            shows,
            "add it to secrets and give it a value: requests without a token get 401",
        )


def _is_in(known: Known, model: Model, region: str) -> bool:
    """Return whether the region serves the model; true where that cannot be told yet."""
    declared = known.names.get("regions", set())
    return model.is_in(region) or not {region, *(model.regions or ())} <= declared

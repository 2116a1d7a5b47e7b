"""Guardrails: models name one there is, and each is named."""

from collections.abc import Iterator

from catalog.limits.guardrails import UNSCREENED, info_types
from catalog.problems import Problem, below, did_you_mean, joined, shown
from config.guardrails import DEFAULT, REPLICA, Guardrail
from config.known import Known


def check_guardrails(known: Known) -> Iterator[Problem]:
    """Check every guardrail, and the guardrail of every model."""
    names = known.names.get("guardrails", ())
    if UNSCREENED in names:
        yield Problem(
            ("guardrails", UNSCREENED),
            "a guardrail of this name",
            "another name",
            f"rename it: `guardrail: {UNSCREENED}` says that a model is not screened",
        )
    allowed = {*names, DEFAULT, UNSCREENED}
    for name, model in known.models.items():
        if model.guardrail not in allowed:
            yield Problem(
                ("models", name, "guardrail"),
                shown(model.guardrail),
                joined(allowed),
                did_you_mean(
                    model.guardrail, allowed, "add it to guardrails or choose one of them"
                ),
            )
    yield from _check_used(known)
    yield from _check_each(known)


def _check_used(known: Known) -> Iterator[Problem]:
    # A model with an error of its own may be the one that names it.
    if known.models.keys() != known.names.get("models"):
        return
    used = {DEFAULT, UNSCREENED, *(model.guardrail for model in known.models.values())}
    for name in sorted(known.guardrails.keys() - used):
        yield Problem(
            ("guardrails", name),
            "a guardrail of no model",
            f"'{DEFAULT}', for models that name none, or what a model names",
            f"add `guardrail: {name}` to a model in {joined(known.models)} or remove it",
        )


def _check_each(known: Known) -> Iterator[Problem]:
    failures = {each.fail_open for each in known.guardrails.values() if each.at != REPLICA}
    if DEFAULT not in known.names.get("guardrails", ()):
        failures.add(Guardrail().fail_open)
    for name, guardrail in known.guardrails.items():
        yield from below(("guardrails", name), info_types(guardrail.model_dump()))
        if guardrail.fail_open and guardrail.at != REPLICA and len(failures) > 1:
            yield Problem(
                ("guardrails", name, "fail_open"),
                "true",
                "the same for all guardrails (they share the gateway's one extension)",
                "remove it or set it for the others too",
            )

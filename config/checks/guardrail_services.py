"""Guardrails that are services, and the floor under those of Model Armor."""

from collections.abc import Iterator

from catalog.limits.guardrails import UNSCREENED
from catalog.problems import Problem, joined, shown
from config.checks.callouts import check_callout
from config.guardrails import DEFAULT, REPLICA, Guardrail, GuardrailFloor, ResponsibleAi
from config.known import Known

_MODEL_ARMOR = (
    "prompt_injection",
    "malicious_urls",
    "responsible_ai",
    "sensitive_data",
    "info_types",
)
_OF_A_DEPLOYMENT = ("health_port", "replicas", "max_replicas")
_STRICTNESS = ("none", "high", "medium", "low")


def check_guardrail_services(known: Known) -> Iterator[Problem]:
    """Check every guardrail's service, how they share the gateway, and what the floor allows."""
    for name, guardrail in known.guardrails.items():
        yield from _check_service(("guardrails", name), guardrail)
    yield from _check_shared(known)
    yield from _check_nodes(known)
    if known.guardrail_floor is not None and known.guardrail_floor.enforce:
        yield from _check_floor(known, known.guardrail_floor)


def _check_service(path: tuple[str, str], guardrail: Guardrail) -> Iterator[Problem]:
    replica = guardrail.at == REPLICA
    if guardrail.service is None:
        if replica:
            yield Problem(
                (*path, "service"),
                "nothing",
                f"a service where at is '{REPLICA}' (Model Armor has none to run there)",
                "give the image of a guardrail proxy, or remove at",
            )
        return
    yield from check_callout((*path, "service"), guardrail.service)
    for field in sorted(guardrail.model_fields_set.intersection(_MODEL_ARMOR)):
        yield Problem(
            (*path, field),
            "a setting of Model Armor beside service",
            f"none of {joined(_MODEL_ARMOR)}",
            "remove it: the service decides what it screens",
        )
    if replica and guardrail.service.service is not None:
        yield Problem(
            (*path, "service", "service"),
            shown(guardrail.service.service),
            f"an image where at is '{REPLICA}', as it runs in the replica's pod",
            "give image",
        )
    unused = sorted(guardrail.service.model_fields_set.intersection(_OF_A_DEPLOYMENT))
    if replica and unused:
        yield Problem(
            (*path, "service", unused[0]),
            "a setting of a service of its own",
            f"none of {joined(_OF_A_DEPLOYMENT)} where at is '{REPLICA}'",
            "remove it: there is one in each replica, and its health is the model's",
        )
    if replica and guardrail.fail_open:
        yield Problem(
            (*path, "fail_open"),
            "true",
            f"nothing where at is '{REPLICA}' (there is no way past it)",
            "remove it",
        )


def _check_shared(known: Known) -> Iterator[Problem]:
    """Check that all models want a service at the gateway, which sees the requests of each."""
    guardrails = {DEFAULT: Guardrail(), **known.guardrails}
    services = {
        name for name, each in guardrails.items() if each.service and each.at != REPLICA
    } & {model.guardrail for model in known.models.values()}
    for service in sorted(services):
        for name, model in known.models.items():
            other = guardrails.get(model.guardrail)
            elsewhere = other is not None and other.at == REPLICA
            unscreened = model.guardrail == UNSCREENED
            if model.guardrail != service and not elsewhere and (other or unscreened):
                yield Problem(
                    ("models", name, "guardrail"),
                    shown(model.guardrail),
                    f"'{service}', the service at the gateway, or a guardrail at the replica (a"
                    " service there screens all models)",
                    f"change it, or set at: {REPLICA} in guardrails.{service}",
                )


def _check_nodes(known: Known) -> Iterator[Problem]:
    for name, model in known.models.items():
        guardrail = known.guardrails.get(model.guardrail)
        several = any(replica_set.nodes > 1 for replica_set in model.replica_sets)
        if several and guardrail is not None and guardrail.at == REPLICA:
            yield Problem(
                ("models", name, "guardrail"),
                shown(model.guardrail),
                "a guardrail at the gateway, as its replicas span nodes",
                "choose another, or serve it from one node",
            )


def _check_floor(known: Known, floor: GuardrailFloor) -> Iterator[Problem]:
    for name, guardrail in known.guardrails.items():
        if guardrail.is_model_armor:
            yield from _check_above(("guardrails", name), guardrail, floor)
    guardrails = {DEFAULT: Guardrail(), **known.guardrails}
    at_gateway = {
        name: guardrails.get(model.guardrail)
        for name, model in known.models.items()
        if model.guardrail in {UNSCREENED, *guardrails}
    }
    if not any(each is not None and each.is_model_armor for each in at_gateway.values()):
        return
    # Beside others that Model Armor screens, these get templates that screen nothing.
    for name, guardrail in at_gateway.items():
        if guardrail is None or guardrail.at == REPLICA:
            yield Problem(
                ("models", name, "guardrail"),
                shown(known.models[name].guardrail),
                "a guardrail of Model Armor, as guardrail_floor is enforced",
                "choose one, or set guardrail_floor.enforce: false",
            )


def _check_above(
    path: tuple[str, str], guardrail: Guardrail, floor: GuardrailFloor
) -> Iterator[Problem]:
    if floor.malicious_urls and not guardrail.malicious_urls:
        yield Problem(
            (*path, "malicious_urls"),
            "false",
            "true, as guardrail_floor is enforced",
            "remove it, or lower the floor",
        )
    for harm in ResponsibleAi.model_fields:
        least = _STRICTNESS.index(getattr(floor.responsible_ai, harm))
        found = getattr(guardrail.responsible_ai, harm)
        if _STRICTNESS.index(found) < least:
            yield Problem(
                (*path, "responsible_ai", harm),
                shown(found),
                f"{joined(_STRICTNESS[least:])}, as guardrail_floor is enforced",
                "raise it, or lower the floor",
            )

"""SLOs: some metric counts what they are about, and they can be missed."""

from collections.abc import Iterator

from catalog.problems import KeyPath, Problem, joined, shown
from config.checks.references import check_name
from config.known import Known
from config.operations import ModelObjectives, ServiceObjectives


def check_slos(known: Known) -> Iterator[Problem]:
    """Check the service level objectives."""
    slos = known.slos
    if slos is None:
        return
    if slos.gateway is None and not slos.models and not slos.services:
        yield Problem(
            ("slos",),
            "no objective",
            joined(("gateway", "models", "services")),
            "add one or remove slos",
        )
    answers = known.gateway.request_timeout_seconds if known.gateway else None
    of_gateway = "gateway.request_timeout_seconds"
    if slos.gateway is not None:
        yield from _check(("slos", "gateway"), slos.gateway, answers, of_gateway)
    for name, objectives in slos.models.items():
        path = ("slos", "models", name)
        yield from check_name(known, "models", path, name)
        model = known.models.get(name)
        if model is not None and model.external and not model.replica_sets:
            yield Problem(
                path,
                "a model without replica_sets",
                "models with replica_sets, whose servers count what they answer",
                "remove it: what others serve is counted by the gateway alone, slos.gateway",
            )
        yield from _check(path, objectives, answers, of_gateway)
    for name, objectives in slos.services.items():
        path = ("slos", "services", name)
        yield from check_name(known, "services", path, name)
        if known.names.get("services") == set():
            yield Problem(path, shown(name), "names of services", "add it to services or remove it")
        service = known.services.get(name)
        most = service.timeout_seconds if service else None
        yield from _check(path, objectives, most, f"services.{name}.timeout_seconds")


def _check(
    path: KeyPath, objectives: ServiceObjectives, most: int | None, limit: str
) -> Iterator[Problem]:
    """Check that there is an objective, and that requests can take longer than it allows."""
    given = {key: each for key, each in objectives if each is not None}
    if not given:
        yield Problem(
            path, "no objective", joined(type(objectives).model_fields), "add one or remove it"
        )
    latencies = {"latency": objectives.latency}
    if isinstance(objectives, ModelObjectives):
        latencies["time_to_first_token"] = objectives.time_to_first_token
    for key, latency in latencies.items():
        if latency is not None and most is not None and latency.threshold_seconds >= most:
            yield Problem(
                (*path, key, "threshold_seconds"),
                shown(latency.threshold_seconds),
                f"less than {limit}, {most}",
                "lower it or raise the timeout: the request ends first, the goal is always met",
            )

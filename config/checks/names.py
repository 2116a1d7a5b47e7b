"""DNS names: each leads to one place, and never back to the platform itself."""

from collections.abc import Iterator

from catalog.problems import KeyPath, Problem, shown, shown_path
from config.known import Known


def check_names(known: Known) -> Iterator[Problem]:
    """Check that no name has two private zones, and that no backend is the gateway itself."""
    taken: dict[str, KeyPath] = {}
    if known.gateway is not None:
        names = known.gateway.hostnames(known.names.get("regions", ()))
        taken = dict.fromkeys(names, ("gateway", "hostname"))
    for name, service in known.services.items():
        if service.load_balancer is not None:
            path = ("services", name, "load_balancer", "hostname")
            host = service.load_balancer.hostname
            if host in taken:
                yield _again(path, host, taken[host], "a network has one zone of a name")
            taken.setdefault(host, path)
    for name, model in known.models.items():
        for position, external in enumerate(model.external):
            host = external.https.host if external.https else ""
            if host in taken:
                path = ("models", name, "external", position, "https", "host")
                yield _again(path, host, taken[host], "a backend is another server")
        for position, adapter in enumerate(model.adapters):
            if adapter.source == model.source:
                yield Problem(
                    ("models", name, "adapters", position, "source"),
                    shown(adapter.source),
                    "another repository than the model's own source",
                    "name the adapter's: it is what is added to the model",
                )


def _again(path: KeyPath, name: str, other: KeyPath, why: str) -> Problem:
    allowed = f"a name other than that of {shown_path(other)}"
    return Problem(path, f"{shown(name)} again", allowed, f"change one of them: {why}")

"""Every route, extension and policy is on an object that is there, in its own namespace."""

from collections.abc import Iterator
from typing import Final

from request_path.extensions import TRAFFIC, kind_of
from request_path.finding import Check, Finding
from request_path.objects import Extension, Extensions, InCluster, Objects
from resources.properties import UNKNOWN

_CALLED: Final = ("Service", "ApigeeBackendService", "GCPWasmPlugin", "ServiceImport")


def check(objects: Objects) -> Iterator[Finding]:
    """Yield what is attached to nothing."""
    for extensions in objects.extensions:
        subject = Check.GUARDED if extensions.kind == TRAFFIC else Check.REACHABLE
        yield from _targets(extensions, objects, subject)
        for chain in extensions.chains:
            for extension in chain.extensions:
                yield from _called(extensions, extension, objects, subject)
    for route in objects.routes:
        for parent in route.parents:
            if parent.kind not in {"Gateway", UNKNOWN}:
                continue
            if not any(
                each.cluster == route.cluster
                and parent.means(route, each, "Gateway", objects.gateways)
                for each in objects.gateways
            ):
                yield Finding(
                    Check.REACHABLE,
                    "route-without-gateway",
                    route,
                    "names the Gateway {}, which isn't in the namespace {}, so no request takes it",
                    (parent.name, parent.namespace),
                )


def _targets(extensions: Extensions, objects: Objects, subject: Check) -> Iterator[Finding]:
    for target in extensions.targets:
        if any(
            gateway.cluster == extensions.cluster
            and target.means(extensions, gateway, "Gateway", objects.gateways)
            for gateway in objects.gateways
        ):
            continue
        elsewhere = [
            each
            for each in objects.gateways
            if each.cluster == extensions.cluster and each.name == target.name
        ]
        yield Finding(
            subject,
            "extension-unattached",
            extensions,
            "is in another namespace than the Gateway {} it names, so it isn't attached: "
            "targetRefs have no namespace"
            if elsewhere
            else "names the Gateway {}, which isn't there, so it isn't attached",
            (target.name,),
        )


def _called(
    extensions: Extensions, extension: Extension, objects: Objects, subject: Check
) -> Iterator[Finding]:
    reference = extension.backend
    if extension.google_service is not None or reference.kind not in _CALLED:
        return
    candidates: list[InCluster] = [
        *(each for each in objects.services if reference.kind == "Service"),
        *(each for each in objects.others if each.kind == reference.kind),
    ]
    if not any(
        each.cluster == extensions.cluster
        and reference.means(extensions, each, str(reference.kind), candidates)
        for each in candidates
    ):
        yield Finding(
            subject,
            "callout-missing",
            extensions,
            "extension {} ({}) calls the {} {}, which isn't in its namespace: every request that "
            "needs it fails, or passes without it",
            (extension.name, kind_of(extension).title, reference.kind, reference.name),
        )

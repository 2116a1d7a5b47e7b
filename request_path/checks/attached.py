"""Every route, extension and policy is on an object that is there, in its own namespace."""

from collections.abc import Iterator
from typing import Final

from request_path.extensions import TRAFFIC, kind_of
from request_path.finding import Check, Finding, finding
from request_path.objects import Extension, Extensions, Objects
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
        # One that only redirects leads to no model, and its Gateway may be another stack's.
        if not any(rule.backends for rule in route.rules):
            continue
        for parent in route.parents:
            if parent.kind not in {"Gateway", UNKNOWN}:
                continue
            if not any(objects.refers(route, parent, each) for each in objects.gateways):
                yield finding("route-without-gateway", route, parent.name, parent.namespace)


def _targets(extensions: Extensions, objects: Objects, subject: Check) -> Iterator[Finding]:
    for target in extensions.targets:
        if any(objects.refers(extensions, target, each) for each in objects.gateways):
            continue
        elsewhere = [
            each
            for each in objects.gateways
            if each.cluster == extensions.cluster and each.name == target.name
        ]
        yield finding(
            "extension-unattached/namespace" if elsewhere else "extension-unattached/gone",
            extensions,
            target.name,
            check=subject,
        )


def _called(
    extensions: Extensions, extension: Extension, objects: Objects, subject: Check
) -> Iterator[Finding]:
    reference = extension.backend
    if extension.google_service is not None or reference.kind not in _CALLED:
        return
    candidates = (*objects.services, *objects.others)
    if not any(objects.refers(extensions, reference, each) for each in candidates):
        title = kind_of(extension).title
        called = (extension.name, title, reference.kind, reference.name)
        yield finding("callout-missing", extensions, *called, check=subject)

"""Read Google's policies and extensions: https://github.com/GoogleCloudPlatform/gke-gateway-api"""

from catalog.conventions import MODEL_ARMOR_SETTINGS
from request_path import objects as o
from request_path.fields import is_true, items, text, texts
from request_path.reading.common import home_of, in_cluster, reference
from resources.properties import get
from resources.resource import Resource


def policy(resource: Resource) -> o.Policy:
    """Read a policy on a Gateway, a pool or a Service."""
    spec = get(resource.props, "spec")
    return o.Policy(
        **in_cluster(resource),
        target=reference(get(spec, "targetRef"), home_of(resource)),
        settings=get(spec, "default"),
    )


def extension(value: object, home: object) -> o.Extension:
    """Read one extension of a chain; `home` is the namespace of its object."""
    return o.Extension(
        name=text(value, "name"),
        google_service=text(value, "googleAPIServiceName"),
        backend=reference(get(value, "backendRef"), home),
        events=texts(items(value, "supportedEvents")),
        fail_open=is_true(value, "failOpen"),
        observes=is_true(value, "observabilityMode"),
        timeout=text(value, "timeout"),
        request_mode=text(value, "requestBodySendMode"),
        response_mode=text(value, "responseBodySendMode"),
        settings=text(value, "metadata", MODEL_ARMOR_SETTINGS),
    )


def extensions(resource: Resource) -> o.Extensions:
    """Read the extensions of a Gateway."""
    spec, home = get(resource.props, "spec"), home_of(resource)
    return o.Extensions(
        **in_cluster(resource),
        targets=tuple(reference(each, home) for each in items(spec, "targetRefs")),
        chains=tuple(
            o.Chain(
                text(chain, "name"),
                tuple(
                    text(each, "celMatcher") or ""
                    for each in items(chain, "matchCondition", "celExpressions")
                ),
                tuple(extension(each, home) for each in items(chain, "extensions")),
            )
            for chain in items(spec, "extensionChains")
        ),
    )


def other(resource: Resource) -> o.Other:
    """Read an object by its name alone."""
    return o.Other(**in_cluster(resource))

"""Read what Google Cloud has of a request path: templates, addresses, endpoints, DNS names."""

from collections.abc import Iterable
from typing import Final

from request_path import objects as o
from request_path.fields import is_set, items, text, texts
from request_path.reading.common import base
from resources.properties import UNKNOWN, Unknown, get, is_mapping
from resources.resource import Resource

FORWARDING_RULE: Final = "gcp:compute/forwardingRule:ForwardingRule"


def template(resource: Resource) -> o.Template:
    """Read a Model Armor template."""
    filters = get(resource.props, "filterConfig")
    switches = (
        text(filters, "piAndJailbreakFilterSettings", "filterEnforcement"),
        text(filters, "maliciousUriFilterSettings", "filterEnforcement"),
        text(filters, "sdpSettings", "basicConfig", "filterEnforcement"),
    )
    return o.Template(
        **base(resource),
        name=text(resource.props, "templateId"),
        project=text(resource.props, "project"),
        location=text(resource.props, "location"),
        screens="ENABLED" in switches
        or bool(items(filters, "raiSettings", "raiFilters"))
        or is_set(filters, "sdpSettings", "advancedConfig"),
    )


def regional(resource: Resource) -> o.Regional | None:
    """Read an address, an attachment, or an endpoint; None for other forwarding rules."""
    props = resource.props
    if resource.type == FORWARDING_RULE and _names_no_attachment(resource):
        return None
    return o.Regional(
        **base(resource),
        name=text(props, "name"),
        region=text(props, "region"),
        target=text(props, "target") or text(props, "targetService"),
        address=text(props, "address") or text(props, "ipAddress"),
        network=text(props, "network"),
        accepts=tuple(
            f"{consumer} ({text(each, 'connectionLimit')})"
            for each in items(props, "consumerAcceptLists")
            if isinstance(consumer := text(each, "projectIdOrNum") or text(each, "networkUrl"), str)
        ),
        rules=len(items(props, "rules")),
    )


def _names_no_attachment(resource: Resource) -> bool:
    target = text(resource.props, "target")
    return not (target is UNKNOWN or (target is not None and "/serviceAttachments/" in target))


def record(resource: Resource) -> o.Record:
    """Read a DNS record set."""
    props = resource.props
    policy = get(props, "routingPolicy")
    return o.Record(
        **base(resource),
        name=text(props, "name"),
        addresses=tuple(_addresses(get(props, "rrdatas"))) + tuple(_addresses(policy)),
        zone=text(props, "managedZone"),
        places=_places(policy),
        checked=any(is_set(each, "healthCheckedTargets") for each in items(policy, "geos")),
    )


def _places(policy: object) -> tuple[str | Unknown, ...]:
    return texts(items(policy, "geos"), "location")


def _addresses(value: object) -> Iterable[str]:
    """Yield every text in it that an address may be: routing policies nest them at different
    depths."""
    if isinstance(value, str):
        yield value
    elif is_mapping(value):
        for key in value:
            yield from _addresses(get(value, key))
    else:
        for each in items(value):
            if each is not UNKNOWN:
                yield from _addresses(each)


def named(resource: Resource) -> o.NamedObject:
    """Read an object by its name alone."""
    return o.NamedObject(**base(resource), name=text(resource.props, "name"))

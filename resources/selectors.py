"""Labels, and the selectors that take objects by them.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
"""

from collections.abc import Mapping

from resources.properties import (
    MISSING,
    UNKNOWN,
    Absence,
    Unknown,
    elements,
    get,
    is_mapping,
    text,
)

Labels = Mapping[str, str | Absence] | Unknown


def labels(value: object, *path: str | int) -> Labels:
    """Return the labels at `path`; none where nothing stands."""
    found = get(value, *path)
    if found is UNKNOWN:
        return UNKNOWN
    return {key: text(found, key) for key in found} if is_mapping(found) else {}


def may_equal(one: object, other: object) -> bool:
    """Return whether two values are equal, or may turn out to be."""
    return one is UNKNOWN or other is UNKNOWN or one == other


def may_carry(carried: Labels, wanted: Labels) -> bool:
    """Return whether an object with the labels `carried` has, or may have, all that are wanted."""
    if carried is UNKNOWN or wanted is UNKNOWN:
        return True
    return all(key in carried and may_equal(carried[key], value) for key, value in wanted.items())


def may_select(selector: object, carried: Labels) -> bool:
    """Return whether a LabelSelector takes an object with these labels, or may.

    One that is not set takes none, an empty one takes all.
    """
    found = get(selector)
    if found is MISSING or found is UNKNOWN:
        return found is UNKNOWN
    return may_carry(carried, labels(found, "matchLabels")) and all(
        _may_hold(each, carried) for each in elements(found, "matchExpressions")
    )


def _may_hold(expression: object, carried: Labels) -> bool:
    key, operator = text(expression, "key"), text(expression, "operator")
    if carried is UNKNOWN or not isinstance(key, str):
        return True
    value = carried.get(key, MISSING)
    values = elements(expression, "values")
    if operator == "In":
        # A label that isn't there has none of the values, whichever they turn out to be.
        return value is not MISSING and (
            get(expression, "values") is UNKNOWN or any(may_equal(value, each) for each in values)
        )
    if operator == "NotIn":
        return value is UNKNOWN or value not in values
    if operator == "Exists":
        return value is not MISSING
    return operator != "DoesNotExist" or value is MISSING


def may_match(selector: Labels, carried: Labels) -> bool:
    """Return the same for the plain labels of a Service or an InferencePool, of which none take
    none."""
    return selector is UNKNOWN or (bool(selector) and may_carry(carried, selector))

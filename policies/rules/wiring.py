"""What another resource is called: by its name, or, where that is not known yet, by its URN."""

from policies.rules.peek import Absence, entries, text
from policies.rules.rule import Resource


def names_of(resource: Resource, prop: str, *path: str | int) -> frozenset[str]:
    """What stands at `path` of a property: the text there and the URNs it is wired from."""
    found = text(resource.props, prop, *path)
    named = {found.rpartition("/")[2]} if isinstance(found, str) else set[str]()
    return frozenset(named | set(resource.dependencies.get(prop, ())))


def members_of(resource: Resource) -> frozenset[str]:
    """The principals a Member or Binding grants to, by name or by the URNs they come from."""
    prop = "members" if resource.type.endswith("Binding") else "member"
    one = text(resource.props, prop)
    values = (one,) if isinstance(one, str) else entries(resource.props, prop)
    known = () if isinstance(values, Absence) else values
    found = frozenset(each for each in known if isinstance(each, str))
    return found or frozenset(resource.dependencies.get(prop, ()))

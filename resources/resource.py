"""A resource of a deployment, and all of them together."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from resources.properties import Props


@dataclass(frozen=True)
class Resource:
    """A resource as a rule sees it."""

    type: str
    name: str
    urn: str
    props: Props
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """URNs of the resources each property is wired from; only stack rules know them."""
    protected: bool = False
    """Whether the engine refuses to delete it (the `protect` option)."""
    provider: str = ""
    """URN of its provider, which tells clusters apart."""


class Stack(tuple[Resource, ...]):
    """All resources of a stack, with indexes that the stack rules share."""

    today: dt.date = dt.date.min
    """The day that the stack is judged on."""

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        """Each resource by its URN."""
        return {each.urn: each for each in self}

    @cached_property
    def by_type(self) -> Mapping[str, Sequence[Resource]]:
        """The resources of each type token."""
        found: defaultdict[str, list[Resource]] = defaultdict(list)
        for each in self:
            found[each.type].append(each)
        return found

    @cached_property
    def shared(self) -> dict[str, object]:
        """What one stack rule worked out and another needs too, by a name of its maker."""
        return {}


def stack_of(resources: Sequence[Resource]) -> Stack:
    """Return the resources with their indexes; the same object when they have them already."""
    return resources if isinstance(resources, Stack) else Stack(resources)

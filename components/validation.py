"""What every component shares: its type token, and checks of plain arguments reported all at once.

Only plain values can be checked at construction. An Output passes; the cloud or a policy judges it.
"""

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Self

import pulumi

from catalog.limits import Entries, Limit
from catalog.limits.arguments import problems_in, problems_of
from catalog.limits.names import LABEL_KEY, LABEL_VALUE
from catalog.problems import Problem, below, shown_path

TYPE_PREFIX = "inference:index"

RESOURCE_NAME_RULE = (
    "1 to 63 lowercase letters, digits or hyphens, a letter first, no hyphen last (RFC 1035)"
)
_RESOURCE_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")

Labels = Annotated[
    Mapping[Annotated[str, LABEL_KEY], Annotated[str, LABEL_VALUE]], Entries(low=0, high=64)
]
"""Labels of Google Cloud."""


def component_type(component: type[pulumi.ComponentResource]) -> str:
    """Return the type token of a component class, in the form the component host demands."""
    return f"{TYPE_PREFIX}:{component.__name__}"


def register(component: pulumi.ComponentResource) -> None:
    """Register the outputs of a component: the attributes that its class annotates."""
    component.register_outputs(
        {name: getattr(component, name) for name in type(component).__annotations__}
    )


class Problems:
    """What is wrong with a component's arguments: collected, then raised once.

    Paths are written as a user writes the arguments: `subnets.us-central1.pods`. A reason gives the
    value found, what is allowed and what to do.
    """

    def __init__(self) -> None:
        self.found: list[pulumi.InputPropertyErrorDetails] = []

    @classmethod
    def of(cls, kind: type, args: object) -> Self:
        """Return what the limits in a component's argument type refuse of its arguments."""
        problems = cls()
        problems.extend(problems_in(args, kind))
        return problems

    def add(self, property_path: str, reason: str) -> None:
        """Note one problem."""
        self.found.append({"property_path": property_path, "reason": reason})

    def extend(self, problems: Iterable[Problem], *path: str | int) -> None:
        """Note problems of what stands at `path`."""
        for problem in below(path, problems):
            self.add(shown_path(problem.path), problem.reason)

    def check_limit(self, limit: Limit, value: object, *path: str | int) -> None:
        """Note a plain value that a limit refuses."""
        self.extend(problems_of(limit, value), *path)

    def raise_if_any(self, component_name: str) -> None:
        """Raise `pulumi.InputPropertiesError` naming every problem, one line each, if any."""
        if not self.found:
            return
        lines = [f"{problem['property_path']}: {problem['reason']}" for problem in self.found]
        raise pulumi.InputPropertiesError("\n  ".join([f"{component_name}:", *lines]), self.found)

    def check_name(self, property_path: str, value: object) -> None:
        """Note a plain value that is not a Compute Engine resource name (RFC 1035)."""
        if isinstance(value, str) and not _RESOURCE_NAME.fullmatch(value):
            self.add(property_path, f"found {value!r}, allowed: {RESOURCE_NAME_RULE}")

    def check_one_of(self, property_path: str, value: object, allowed: Collection[str]) -> None:
        """Note a plain value that is not among the allowed ones."""
        if isinstance(value, str) and value not in allowed:
            self.add(property_path, f"found {value!r}, allowed: {', '.join(sorted(allowed))}")

    def check_not_empty(self, property_path: str, value: Collection[object], what: str) -> None:
        """Note a list or mapping without entries; `what` says what to give at least one of."""
        if not value:
            self.add(property_path, f"found none, allowed: one or more; give {what}")

    def check_cidr(
        self, property_path: str, value: object, longest_prefix: int = 29
    ) -> ipaddress.IPv4Network | None:
        """Note a plain value that is not an IPv4 range of prefix 8 to `longest_prefix`.

        Returns the parsed range, or None where the value is not plain or is wrong.
        """
        if not isinstance(value, str):
            return None
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            self.add(property_path, f"found {value!r}, allowed: an IPv4 range; {error}")
            return None
        if not 8 <= network.prefixlen <= longest_prefix:
            self.add(
                property_path,
                f"found {value!r}, allowed: a prefix of /8 to /{longest_prefix}; "
                "give a range of that size",
            )
            return None
        return network

    def check_no_overlap(self, ranges: Mapping[str, ipaddress.IPv4Network]) -> None:
        """Note every pair of ranges, keyed by property path, that share addresses."""
        placed = list(ranges.items())
        for index, (path, network) in enumerate(placed):
            for other_path, other in placed[:index]:
                if network.overlaps(other):
                    self.add(
                        path,
                        f"found '{network}', which overlaps {other_path} '{other}'; "
                        "give ranges that share no address",
                    )

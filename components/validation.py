"""What every component shares: its type token, and checks of plain arguments reported all at once.

Only plain values can be checked at construction. An Output passes; the cloud or a policy judges it.
"""

from collections.abc import Iterable
from typing import Self

import pulumi

from catalog.limits import Limit
from catalog.limits.arguments import problems_in, problems_of
from catalog.limits.names import RESOURCE_NAME
from catalog.problems import Problem, below, shown_path

TYPE_PREFIX = "inference:index"


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

    def check_name(self, value: object, *path: str | int) -> None:
        """Note a plain value that is not a Compute Engine resource name (RFC 1035)."""
        self.check_limit(RESOURCE_NAME, value, *path)

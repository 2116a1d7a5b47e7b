"""What the policies say of the resources that a program makes under mocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from policies.engine.config import Settings
from policies.engine.judge import Judge
from policies.engine.packs import ALL, rules_of
from resources.resource import Resource
from tests.unit.harness import Cloud


@dataclass(frozen=True)
class Seen:
    """A resource as rules of a resource see it, and as rules of the whole stack do."""

    alone: Resource
    in_stack: Resource


def seen(cloud: Cloud) -> list[Seen]:
    """Return the resources as the engine shows them to the packs."""
    found: list[Seen] = []
    for each in cloud.resources:
        wired = {name: tuple(urns) for name, urns in each.property_dependencies.items()}
        given = (each.inputs, wired, each.protect, each.provider.rpartition("::")[0])
        alone = Resource(each.type, each.name, each.urn, *given)
        found.append(Seen(alone, replace(alone, props={**each.inputs, **each.outputs})))
    return found


def refused(resources: Sequence[Seen], settings: Mapping[str, Settings]) -> list[tuple[str, str]]:
    """Return the rule and the text of each mandatory finding."""
    judge = Judge(rules_of(ALL), settings)
    results = [result for each in resources for result in judge.resource(each.alone)]
    results += judge.stack([each.in_stack for each in resources])
    return [
        (result.rule.id, f"{finding.urn.rpartition('::')[2]}: {finding.text}")
        for result in results
        if result.level != "advisory"
        for finding in result.violations
    ]

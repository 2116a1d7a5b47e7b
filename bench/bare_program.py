"""A bare program: as many plain resources of the same types as a stack has, and nothing else.

Run like the platform's own program. The environment variable INFERENCE_BARE_RECIPE names the file
that `bench.bare.write_recipe` wrote; resources are made in its order.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

from sandbox.sdk_types import resource_type

NUMBER_DIGITS = 9  # shorter ones may be a person's


class Plain(pulumi.CustomResource):
    """Made through a class of its own, as the SDK's are: only then the engine gets its place."""

    def __init__(
        self, token: str, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions
    ) -> None:
        super().__init__(token, name, {"address": None, **inputs}, options)


def wired(
    value: Any,
    numbers: Mapping[str, pulumi.Output[str]],
    addresses: Mapping[str, pulumi.Output[str]],
) -> Any:
    """Return inputs with the numbers and addresses the cloud gave replaced by those of this
    time."""
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return {key: wired(item, numbers, addresses) for key, item in found.items()}
    if isinstance(value, list):
        return [wired(item, numbers, addresses) for item in cast("list[Any]", value)]
    if isinstance(value, str):
        if value in addresses:
            return addresses[value]
        for old, new in numbers.items():
            if old in value:
                parts = value.split(old)
                return new.apply(lambda number, parts=parts: str(number).join(parts))
    return value


def last_part(identifier: str) -> str:
    """Return what a number of the cloud's is in."""
    return identifier.rpartition("/")[2]


made: dict[str, pulumi.Resource] = {}
given: dict[str, pulumi.Output[str]] = {}
addresses: dict[str, pulumi.Output[str]] = {}
named: Counter[tuple[str, str]] = Counter()
for item in json.loads(Path(os.environ["INFERENCE_BARE_RECIPE"]).read_text()):
    name = item["urn"].rpartition("::")[2]
    # Components tell apart what has the same type and name; without them a number must.
    named[item["type"], name] += 1
    if (number := named[item["type"], name]) > 1:
        name = f"{name}-{number}"
    depends_on = [made[urn] for urn in item["dependencies"] if urn in made]
    if item["type"].startswith("pulumi:providers:"):
        package = item["type"].rpartition(":")[2]
        options = pulumi.ResourceOptions(depends_on=depends_on)
        made[item["urn"]] = pulumi.ProviderResource(package, name, item["inputs"], options)
        continue
    provider = cast("pulumi.ProviderResource", made[item["provider"]])
    options = pulumi.ResourceOptions(provider=provider, depends_on=depends_on)
    # The SDK's module is imported as a program would: that is part of what is measured.
    resource_type(item["type"])
    plain = Plain(item["type"], name, wired(item["inputs"], given, addresses), options)
    made[item["urn"]] = plain
    if len(number_given := last_part(item["id"])) >= NUMBER_DIGITS and number_given.isdecimal():
        given[number_given] = plain.id.apply(last_part)
    if item["address"] and "address" not in item["inputs"]:
        addresses[item["address"]] = cast("pulumi.Output[str]", pulumi.get(plain, "address"))

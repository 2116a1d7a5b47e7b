"""A bare program: as many plain resources of the same types as a stack has, and nothing else.

Run like the platform's own program. The environment variable INFERENCE_BARE_RECIPE names the file
that `bench.bare.write_recipe` wrote; resources are made in its order.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pulumi

from sandbox.sdk_types import resource_type


class Plain(pulumi.CustomResource):
    """Made through a class of its own, as the SDK's are: only then the engine gets its place."""

    def __init__(
        self, token: str, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions
    ) -> None:
        super().__init__(token, name, dict(inputs), options)


made: dict[str, pulumi.Resource] = {}
for item in json.loads(Path(os.environ["INFERENCE_BARE_RECIPE"]).read_text()):
    name = item["urn"].rpartition("::")[2]
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
    made[item["urn"]] = Plain(item["type"], name, item["inputs"], options)

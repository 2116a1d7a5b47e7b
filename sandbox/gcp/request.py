"""One request about one Google Cloud resource, as the topic modules see it."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.gcp.naming import project_number, relative_name
from sandbox.sdk_types import ResourceType
from sandbox.values import Values
from sandbox.world import World


@dataclass(frozen=True)
class ProviderConfig:
    """What a provider resource was configured with."""

    project: str = ""
    region: str = ""
    zone: str = ""
    default_labels: dict[str, str] = field(default_factory=dict[str, str])

    def default(self, name: str) -> str:
        """Return the value an absent `project`, `region`, `zone` or `location` input takes, or
        ''."""
        defaults = {
            "project": self.project,
            "region": self.region,
            "zone": self.zone,
            "location": self.region or self.zone,
        }
        return defaults.get(name, "")


@dataclass(frozen=True)
class Request:
    """A resource to make, change or delete. `inputs` are plain, provider defaults filled in."""

    world: World
    type: ResourceType
    config: ProviderConfig
    urn: str
    inputs: Values
    id: str = ""
    old: Values = field(default_factory=dict[str, Any])

    @property
    def project(self) -> str:
        """The project the resource is in."""
        given = self.inputs.get("project") or self.config.project
        return str(given) if isinstance(given, str) else self.config.project

    @property
    def number(self) -> str:
        """The number of that project."""
        return project_number(self.project)

    @property
    def region(self) -> str:
        """The region (or location) the resource is in, or ''."""
        given = self.inputs.get("region") or self.inputs.get("location") or self.config.region
        return str(given).rsplit("/", 1)[-1] if isinstance(given, str) else ""

    def own_name(self, text: str) -> str:
        """Return a resource name with project numbers of this world turned into project ids."""
        name = relative_name(text)
        parts = name.split("/")
        if parts[0] == "projects" and len(parts) > 1 and parts[1].isdigit():
            by_number = {number: key for key, number in self.world.projects().items()}
            parts[1] = by_number.get(parts[1], parts[1])
        return "/".join(parts)


def effective(resource: ResourceType, inputs: Values, config: ProviderConfig) -> Values:
    """Return the inputs plus the provider's project, region and zone where the type takes them."""
    result = dict(inputs)
    for name in ("project", "region", "zone", "location"):
        prop = resource.inputs.get(name)
        default = config.default(name)
        if prop is not None and not prop.required and name not in result and default:
            result[name] = default
    return result

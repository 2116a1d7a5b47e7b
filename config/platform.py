"""The whole config of a stack, and the questions stacks ask it."""

from collections.abc import Mapping

from pydantic import Field

from catalog.services import services_to_enable
from config.consumers import Consumer, ConsumerName
from config.fields import Environment, Settings
from config.gateway import Gateway
from config.gpu_pools import GpuPool, PoolName
from config.guardrails import DEFAULT, UNSCREENED, Guardrail, GuardrailName
from config.models import Model, ModelName, ReplicaSet
from config.network import ExistingRegion, Region
from config.perimeter import Perimeter
from config.pipelines import Pipeline, PipelineName
from config.project import Project


class Platform(Settings):
    """One environment of the inference platform."""

    environment: Environment = Field(
        description="Name of the environment; labels and the limits of the policies go by it."
    )
    project: Project = Field(description="The Google Cloud project.")
    deletion_protection: bool = Field(
        default=True, description="Whether clusters, tables and buckets refuse to be deleted."
    )
    regions: Mapping[ExistingRegion, Region] = Field(
        min_length=1, description="Regions of the platform with their address ranges."
    )
    gpu_pools: Mapping[PoolName, GpuPool] = Field(
        min_length=1, description="GPU node pools by name."
    )
    models: Mapping[ModelName, Model] = Field(
        min_length=1, description="Models by the name clients send."
    )
    guardrails: Mapping[GuardrailName, Guardrail] = Field(
        default_factory=dict,
        description="What is screened in prompts and responses, by name. The one named default is"
        " for every model that names none, and has its defaults where it's left out.",
    )
    gateway: Gateway = Field(description="The address clients send requests to.")
    consumers: Mapping[ConsumerName, Consumer] = Field(
        default_factory=dict, description="Who may connect through Private Service Connect."
    )
    pipelines: Mapping[PipelineName, Pipeline] = Field(
        default_factory=dict, description="Message pipelines by name."
    )
    perimeter: Perimeter | None = Field(
        default=None,
        description="VPC Service Controls perimeter. Leave it out where there is no organization.",
    )

    def pools_in(self, region: str) -> Mapping[str, GpuPool]:
        """The GPU pools of `region`, by name."""
        return {name: pool for name, pool in self.gpu_pools.items() if pool.is_in(region)}

    def models_in(self, region: str) -> Mapping[str, Model]:
        """The models `region` serves, by name."""
        return {name: model for name, model in self.models.items() if model.is_in(region)}

    def replica_sets_in(self, region: str) -> tuple[tuple[str, Model, ReplicaSet], ...]:
        """Every replica set of `region` with its model and the model's name."""
        return tuple(
            (name, model, replica_set)
            for name, model in self.models_in(region).items()
            for replica_set in model.replica_sets
        )

    def guardrails_by_model(self, region: str) -> Mapping[str, str]:
        """The guardrail's name of every model and adapter name that `region` serves.

        Empty when the region screens nothing: every model there says so.
        """
        found = {
            served: model.guardrail
            for name, model in self.models_in(region).items()
            for served in (name, *(adapter.name for adapter in model.adapters))
        }
        return found if set(found.values()) - {UNSCREENED} else {}

    @property
    def all_guardrails(self) -> Mapping[str, Guardrail]:
        """The guardrails by name, the default one included."""
        return {DEFAULT: Guardrail(), **self.guardrails}

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas of the platform in use, as the catalog of services names them."""
        return (
            "foundation",
            "inference",
            *(("serverless",) if self.pipelines else ()),
            *(
                ("services-access",)
                if any(consumer.shared_with for consumer in self.consumers.values())
                else ()
            ),
            *(("perimeter",) if self.perimeter else ()),
        )

    @property
    def services(self) -> tuple[str, ...]:
        """The Google Cloud APIs to enable."""
        return services_to_enable(self.areas)

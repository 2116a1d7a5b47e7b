"""The whole config of a stack, and the questions stacks ask it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from catalog.conventions import PLATFORM, team_namespace
from catalog.limits.guardrails import UNSCREENED
from catalog.limits.images import CATALOG_IMAGE
from catalog.releases import IMAGES
from catalog.services import AUDITED_SERVICES, services_to_enable
from config.api_management import ApiManagement
from config.audit import Audit
from config.batch_inference import BatchInference, BatchName
from config.binary_authorization import BinaryAuthorization
from config.callouts import Callout
from config.cluster import Cluster
from config.consumers import Consumer, ConsumerName
from config.data import Data
from config.edge_protection import EdgeProtection
from config.encryption import Encryption
from config.feature_store import FeatureStore
from config.fields import Environment, Labels, Settings
from config.gateway import Gateway
from config.gpu_pools import GpuPool, PoolName
from config.guardrails import DEFAULT, REPLICA, Guardrail, GuardrailFloor, GuardrailName
from config.image_lock import locked_digests
from config.models import Model, ModelName, ReplicaSet
from config.network import ExistingRegion, Network, Region
from config.operations import Alerts, Budget, Slos
from config.perimeter import Perimeter
from config.pipelines import Pipeline, PipelineName, Results
from config.project import Project
from config.secrets import Secret, SecretName
from config.services import Service, ServiceName
from config.teams import Team, TeamName
from config.training import Training
from config.vector_indexes import IndexName, VectorIndex
from config.vertex import EndpointName, VertexEndpoint


class Platform(Settings):
    """One environment of the inference platform."""

    environment: Environment
    """Name of the environment; labels and the limits of the policies go by it."""
    project: Project
    """The Google Cloud project."""
    deletion_protection: bool = True
    """Whether clusters, tables and buckets refuse to be deleted."""
    labels: Labels = Field(default_factory=dict)
    """Labels of everything on Google Cloud, such as who pays; the platform sets some beside."""
    network: Network = Network()
    """The network that holds the regions' ranges."""
    regions: Mapping[ExistingRegion, Region] = Field(min_length=1)
    """Regions of the platform with their address ranges."""
    cluster: Cluster = Cluster()
    """The GKE cluster of every region."""
    gpu_pools: Mapping[PoolName, GpuPool] = Field(min_length=1)
    """GPU node pools by name."""
    models: Mapping[ModelName, Model] = Field(min_length=1)
    """Models by the name clients send."""
    teams: Mapping[TeamName, Team] = Field(default_factory=dict)
    """Teams that share the platform, by name, each with a namespace for its models. Leave it out
    to have all models in one."""
    guardrails: Mapping[GuardrailName, Guardrail] = Field(default_factory=dict)
    """What is screened in prompts and responses, by name. The one named default is for every
    model that names none, and has its defaults where it's left out."""
    guardrail_floor: GuardrailFloor | None = None
    """What every Model Armor template of the project screens at least. Leave it out for no
    floor."""
    api_management: ApiManagement | None = None
    """Who may call the gateway, and how often. Leave it out for no API management."""
    gateway: Gateway
    """The address clients send requests to."""
    consumers: Mapping[ConsumerName, Consumer] = Field(default_factory=dict)
    """Who may connect through Private Service Connect."""
    pipelines: Mapping[PipelineName, Pipeline] = Field(default_factory=dict)
    """Message pipelines by name."""
    training: Mapping[PipelineName, Training] = Field(default_factory=dict)
    """Pipelines whose model is watched, trained again and released by canary, by name."""
    data: Data = Data()
    """Buckets, datasets and the cache, beside what pipelines have of their own."""
    feature_store: FeatureStore | None = None
    """Features that are served online. Leave it out for none."""
    vector_indexes: Mapping[IndexName, VectorIndex] = Field(default_factory=dict)
    """Indexes of vectors for retrieval, by name."""
    vertex: Mapping[EndpointName, VertexEndpoint] = Field(default_factory=dict)
    """Models that Vertex AI runs, by the endpoint's name."""
    services: Mapping[ServiceName, Service] = Field(default_factory=dict)
    """Services that answer requests, by name."""
    batch_inference: Mapping[BatchName, BatchInference] = Field(default_factory=dict)
    """Models asked for every request of files or a table, by the batch's name."""
    secrets: Mapping[SecretName, Secret] = Field(default_factory=dict)
    """Secrets that pipelines, services and batches read, by their id."""
    perimeter: Perimeter | None = None
    """VPC Service Controls perimeter. Leave it out where there is no organization."""
    alerts: Alerts | None = None
    """Who is told when something is wrong. Leave it out to tell nobody."""
    slos: Slos | None = None
    """How much has to be answered, and how fast. Leave it out for no objectives."""
    budget: Budget | None = None
    """What a month may cost. Leave it out where there is no limit."""

    audit: Audit | None = None
    """Where audit logs are kept, those of access to data included. Leave it out to log what is
    changed alone, for the time Cloud Logging keeps it."""

    encryption: Encryption | None = None
    """Keys of one's own for everything that takes one. Leave it out for Google's own keys, beside
    what names a `kms_key`."""
    edge_protection: EdgeProtection | None = None
    """Cloud Armor policy before every model. Leave it out for none."""
    binary_authorization: BinaryAuthorization | None = None
    """Which images may run. Leave it out for a policy of others, which clusters and services ask
    where they say so, or for none."""
    images: Mapping[str, Annotated[str, CATALOG_IMAGE]] = Field(default_factory=dict)
    """Images in the place of the catalog's of the same name (catalog/releases.yaml), with a
    tag, a digest or both."""

    def image(self, name: str) -> str:
        """Return the image that runs under `name` in catalog/releases.yaml, as `pinned` has it.
        Raises KeyError for none."""
        return self.pinned(self.images.get(name) or IMAGES[name].image)

    def pinned(self, image: str) -> str:
        """Return an image with the digest that the stack's lock has for it, or as it is given."""
        digest = locked_digests(self.environment).get(image)
        return f"{image}@{digest}" if digest else image

    @property
    def all_images(self) -> tuple[str, ...]:
        """The images that the stack may run, as catalog and stack file name them, each once."""
        of_catalog = (self.images.get(name) or each.image for name, each in IMAGES.items())
        return tuple(dict.fromkeys((*of_catalog, *self.cluster_images, *self.service_images)))

    @property
    def cluster_images(self) -> tuple[str, ...]:
        """The images that the config itself names for clusters."""
        return (*self.images.values(), *(each.image for each in self.callouts if each.image))

    @property
    def callouts(self) -> tuple[Callout, ...]:
        """The services in clusters that requests pass, those at replicas included."""
        found = [each.service for each in self.guardrails.values()]
        if self.api_management:
            found.append(self.api_management.extension)
        return tuple(each for each in found if each is not None)

    @property
    def service_images(self) -> tuple[str, ...]:
        """The images that the config itself names for Cloud Run."""
        containers = (
            *(*self.pipelines.values(), *self.services.values()),
            *(*self.training.values(), *self.batch_inference.values()),
        )
        return tuple(each.image for each in containers)

    def knows_by_key(self, name: str) -> bool:
        """Return whether API management has a key for the service, pipeline or batch."""
        apigee = self.api_management and self.api_management.apigee
        return bool(apigee and apigee.knows_by_key(name))

    def pools_in(self, region: str) -> Mapping[str, GpuPool]:
        """Return the GPU pools of `region`, by name."""
        return {name: pool for name, pool in self.gpu_pools.items() if pool.is_in(region)}

    def compute_classes_in(self, region: str) -> Mapping[str, tuple[str, ...]]:
        """Return the GPU pools of `region` that are of a class, the best first, by the first of the
        whole class."""
        return {
            replica_set.capacity[0]: tuple(
                name for name in replica_set.capacity if self.gpu_pools[name].is_in(region)
            )
            for _, _, replica_set in self.replica_sets_in(region)
            if replica_set.capacity
        }

    def models_in(self, region: str) -> Mapping[str, Model]:
        """Return the models `region` serves, by name."""
        return {name: model for name, model in self.models.items() if model.is_in(region)}

    def namespace_of(self, model: Model) -> str:
        """Return the namespace that a model is in, the same in every cluster."""
        return team_namespace(model.team) if model.team in self.teams else PLATFORM

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of models and of what stands before them."""
        return (PLATFORM, *map(team_namespace, self.teams))

    def served_by(self, name: str) -> tuple[str, Model]:
        """Return the model that answers to a name, its own or an adapter's, with its own. Raises
        KeyError for none."""
        for key, model in self.models.items():
            if name in (key, *(adapter.name for adapter in model.adapters)):
                return key, model
        raise KeyError(name)

    @property
    def askers(self) -> Mapping[str, str]:
        """The regions of what asks models beside the clusters, by the name of the service, pipeline
        or batch."""
        answering = {**self.services, **self.pipelines}
        asking = {name: each.region for name, each in answering.items() if each.models}
        return {**asking, **{name: each.region for name, each in self.batch_inference.items()}}

    def replica_sets_in(self, region: str) -> tuple[tuple[str, Model, ReplicaSet], ...]:
        """Return every replica set of `region` with its model and the model's name."""
        return tuple(
            (name, model, replica_set)
            for name, model in self.models_in(region).items()
            for replica_set in model.replica_sets
        )

    def autoscales_in(self, region: str) -> bool:
        """Return whether some replica set of `region` changes its number of replicas."""
        return any(each.max_replicas is not None for _, _, each in self.replica_sets_in(region))

    def goes_to_zero_in(self, region: str) -> bool:
        """Return whether some replica set of `region` has no replica while nobody asks."""
        return any(each.goes_to_zero for _, _, each in self.replica_sets_in(region))

    def spans_nodes_in(self, region: str) -> bool:
        """Return whether some replica of `region` spans nodes."""
        return any(each.nodes > 1 for _, _, each in self.replica_sets_in(region))

    def guardrails_by_model(self, region: str) -> Mapping[str, str]:
        """Return the guardrail at the gateway of every model and adapter name that `region` serves.

        Models with a guardrail at their replicas have none there. Empty when the region screens
        nothing at the gateway.
        """
        found = {
            served: UNSCREENED if self.replica_guardrail(model) else model.guardrail
            for name, model in self.models_in(region).items()
            for served in (name, *(adapter.name for adapter in model.adapters))
        }
        return found if set(found.values()) - {UNSCREENED} else {}

    def replica_guardrail(self, model: Model) -> Callout | None:
        """Return the guardrail in the pods of the model's replicas, None where it has none."""
        guardrail = self.all_guardrails.get(model.guardrail)
        return guardrail.service if guardrail and guardrail.at == REPLICA else None

    def gateway_guardrail(self, region: str) -> Callout | None:
        """Return the service that screens the gateway of `region` instead of Model Armor."""
        used = set(self.guardrails_by_model(region).values())
        services = [each.service for name, each in self.all_guardrails.items() if name in used]
        return next((service for service in services if service), None)

    @property
    def all_guardrails(self) -> Mapping[str, Guardrail]:
        """The guardrails by name, the default one included."""
        return {DEFAULT: Guardrail(), **self.guardrails}

    @property
    def model_armor_guardrails(self) -> Mapping[str, Guardrail]:
        """The guardrails by which Model Armor screens, by name, with the default one.

        Where that is a service, Model Armor's default takes its place: it screens unknown names.
        """
        found = {name: each for name, each in self.guardrails.items() if each.is_model_armor}
        return {DEFAULT: Guardrail(), **found}

    @property
    def guardrails_fail_open(self) -> bool:
        """Whether requests pass while the guardrail at the gateway doesn't answer."""
        return all(each.fail_open for each in self.all_guardrails.values() if each.at != REPLICA)

    @property
    def host_project(self) -> str | None:
        """Id of the Shared VPC's host project; None where the network is in the own project."""
        project = self.network.project
        return None if project == self.project.id else project

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas of the platform in use, as the catalog of services names them."""
        return (
            "foundation",
            "inference",
            *(("vertex_ai",) if self._uses_vertex_ai else ()),
            *self._serverless_areas,
            *self._shared_vpc_areas,
            *(("warehouse",) if self.data.warehouse else ()),
            *(("cache",) if self.data.cache else ()),
            *(("lineage",) if self.data.lineage else ()),
            *(("encryption",) if self.encryption or self.data.names_keys else ()),
            *(("vertex",) if self.vertex or self.vector_indexes else ()),
            *(("feature_store",) if self.feature_store else ()),
            *(("data_quality",) if self.scanned_tables else ()),
            *(("scheduled_queries",) if self.data.scheduled_queries else ()),
            *(("training",) if self.training else ()),
            *(("batch_inference",) if self.batch_inference else ()),
            *(("apigee",) if self.api_management and self.api_management.apigee else ()),
            *(
                ("services-access",)
                if any(consumer.shared_with for consumer in self.consumers.values())
                else ()
            ),
            *(("perimeter",) if self.perimeter else ()),
            *(("notifications",) if self.alerts and self.alerts.has_topics else ()),
            *(("budget",) if self.budget else ()),
            *(("audit",) if self.audit else ()),
        )

    @property
    def _uses_vertex_ai(self) -> bool:
        return any(
            external.vertex_ai for model in self.models.values() for external in model.external
        )

    @property
    def _shared_vpc_areas(self) -> tuple[str, ...]:
        """The areas whose agents use subnets of the host project."""
        if self.host_project is None:
            return ()
        dataflow = any(each.dataflow for each in self.pipelines.values())
        used = {
            "shared-vpc": True,
            "shared-vpc-run": bool(self.services or self.pipelines or self.batch_inference),
            "shared-vpc-dataflow": dataflow,
        }
        return tuple(area for area, needed in used.items() if needed)

    @property
    def _serverless_areas(self) -> tuple[str, ...]:
        services = self.services.values()
        used = {
            "serverless": bool(self.pipelines),
            "services": bool(self.services),
            "dataflow": any(each.dataflow for each in self.pipelines.values()),
            "api_gateway": any(each.front == "api_gateway" for each in services),
            "iap": any(each.iap for each in services),
            "binary_authorization": self.binary_authorization is not None
            or self.cluster.binary_authorization
            or any(each.binary_authorization for each in services),
        }
        return tuple(area for area, needed in used.items() if needed)

    @property
    def tables(self) -> Mapping[str, Results]:
        """The tables of the warehouse and of pipelines' results, as <dataset>.<table>."""
        results = {each.results_path(name): each.results for name, each in self.pipelines.items()}
        return {**results, **self.data.tables}

    @property
    def scanned_tables(self) -> Mapping[str, Results]:
        """Those of which something must hold."""
        return {name: each for name, each in self.tables.items() if each.quality is not None}

    @property
    def cluster_asks_admission(self) -> bool:
        """Whether the project's Binary Authorization policy holds for clusters."""
        return self.cluster.binary_authorization or self.binary_authorization is not None

    @property
    def apis(self) -> tuple[str, ...]:
        """The Google Cloud APIs to enable."""
        return services_to_enable(self.areas)

    @property
    def audited_apis(self) -> tuple[str, ...]:
        """The APIs in use whose reads and writes of data are worth an audit log."""
        return tuple(name for name in self.apis if name in AUDITED_SERVICES)

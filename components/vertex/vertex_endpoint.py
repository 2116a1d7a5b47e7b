"""VertexEndpoint: a model of Model Garden on an endpoint of Vertex AI, reached privately.

Owns the endpoint, the model's entry in the Model Registry and its deployment. Does not own the
connection of the network (VertexConnection) nor alerts (VertexAlerts).
"""

from typing import Annotated, NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.limits import vertex as limits
from catalog.machines import GPU_MACHINE_TYPES
from components.validation import Problems, component_type, register

GPU_DUTY_CYCLE = "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle"


class VertexEndpointArgs(TypedDict):
    """Arguments of VertexEndpoint."""

    project: pulumi.Input[str]
    """Id of the project, Vertex AI enabled."""
    region: str
    """Region of the endpoint."""
    network: pulumi.Input[str]
    """Id of the network that reaches it; takes VertexConnection's, to wait for that."""
    model: Annotated[str, limits.MODEL]
    """A model of Model Garden, or the id of one that Hugging Face has and Model Garden can
    deploy, such as google/gemma-3-4b-it."""
    machine_type: Annotated[str, limits.MACHINE_TYPE]
    """Machine type with GPUs, such as g2-standard-12."""
    min_replicas: NotRequired[Annotated[int, limits.MIN_REPLICAS]]
    """Replicas that always run: Vertex AI scales no such endpoint to zero."""
    max_replicas: NotRequired[Annotated[int, limits.MAX_REPLICAS]]
    """Replicas at most."""
    duty_cycle_percent: NotRequired[Annotated[int, limits.DUTY_CYCLE_PERCENT]]
    """How busy GPUs are before a replica is added."""
    spot: NotRequired[bool]
    """Whether replicas run on spot VMs, which Google may take away; default false."""
    accept_eula: NotRequired[bool]
    """Whether the model's licence is accepted, where it has one; default false."""


def validate_vertex_endpoint(name: str, args: VertexEndpointArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems.of(VertexEndpointArgs, args)
    problems.check_limit(limits.ENDPOINT_NAME, name, "name")
    problems.extend(limits.endpoint(args))
    return problems


class VertexEndpoint(pulumi.ComponentResource):
    """Deploys a model and gives the endpoint a private address, and no public one.

    The model is entered in the Model Registry under the component's name. All traffic goes to it: a
    private endpoint has one model. Any change deploys it anew, on a new endpoint.

    Raises `pulumi.InputPropertiesError` for wrong arguments.
    https://cloud.google.com/vertex-ai/generative-ai/docs/model-garden/self-deployed-models
    https://cloud.google.com/vertex-ai/docs/predictions/private-service-connect
    """

    endpoint_id: pulumi.Output[str]
    """Number of the endpoint, as metrics call it."""
    deployed_model_id: pulumi.Output[str]
    address: pulumi.Output[str]
    """IPv4 address in the network; empty until Vertex AI tells it."""

    def __init__(
        self, name: str, args: VertexEndpointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(component_type(VertexEndpoint), name, {}, opts)
        validate_vertex_endpoint(name, args).raise_if_any(f"VertexEndpoint {name}")
        model, published = args["model"], args["model"].startswith("publishers/")
        deployment = gcp.vertex.AiEndpointWithModelGardenDeployment(
            f"{name}-deployment",
            project=args["project"],
            location=args["region"],
            publisher_model_name=model if published else None,
            hugging_face_model_id=None if published else model,
            model_config={
                "accept_eula": args.get("accept_eula", False),
                "model_display_name": name,
            },
            deploy_config={"dedicated_resources": _resources(args)},
            endpoint_config={
                "endpoint_display_name": name,
                "private_service_connect_config": {
                    "enable_private_service_connect": True,
                    "project_allowlists": [args["project"]],
                    "psc_automation_configs": {
                        "project_id": args["project"],
                        "network": args["network"],
                    },
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.endpoint_id = deployment.endpoint.apply(lambda found: found.rpartition("/")[2])
        self.deployed_model_id = deployment.deployed_model_id
        self.address = deployment.endpoint_config.apply(_address)
        register(self)


def _resources(
    args: VertexEndpointArgs,
) -> gcp.vertex.AiEndpointWithModelGardenDeploymentDeployConfigDedicatedResourcesArgsDict:
    machine = GPU_MACHINE_TYPES[args["machine_type"]]
    return {
        "machine_spec": {
            "machine_type": args["machine_type"],
            # nvidia-l4 of Compute Engine is NVIDIA_L4 here.
            "accelerator_type": machine.gpu_type.upper().replace("-", "_"),
            "accelerator_count": machine.gpu_count,
        },
        "min_replica_count": args.get("min_replicas", limits.MIN_REPLICAS.default),
        "max_replica_count": args.get("max_replicas", limits.MAX_REPLICAS.default),
        "autoscaling_metric_specs": [
            {
                "metric_name": GPU_DUTY_CYCLE,
                "target": args.get("duty_cycle_percent", limits.DUTY_CYCLE_PERCENT.default),
            }
        ],
        "spot": args.get("spot", False),
    }


def _address(
    config: gcp.vertex.outputs.AiEndpointWithModelGardenDeploymentEndpointConfig | None,
) -> str:
    connect = config.private_service_connect_config if config else None
    automation = connect.psc_automation_configs if connect else None
    return (automation.ip_address if automation else None) or ""

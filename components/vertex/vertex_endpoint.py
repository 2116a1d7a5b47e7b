"""VertexEndpoint: a model of Model Garden on an endpoint of Vertex AI, reached privately.

Owns the endpoint, the model's entry in the Model Registry and its deployment. Does not own the
connection of the network (VertexConnection) nor alerts (VertexAlerts).
"""

import re
from typing import NotRequired, TypedDict

import pulumi
import pulumi_gcp as gcp

from catalog.machines import GPU_MACHINE_TYPES
from components.checks import check_between
from components.validation import Problems, component_type, register

MOST_REPLICAS = 100
GPU_DUTY_CYCLE = "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle"
DEFAULT_DUTY_CYCLE_PERCENT = 60

_PUBLISHED = re.compile(r"publishers/[^/@]+/models/[^/@]+@[^/@]+")
_HUGGING_FACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


class VertexEndpointArgs(TypedDict):
    """Arguments of VertexEndpoint."""

    project: pulumi.Input[str]
    """Id of the project, Vertex AI enabled."""
    region: str
    """Region of the endpoint."""
    network: pulumi.Input[str]
    """Id of the network that reaches it; takes VertexConnection's, to wait for that."""
    model: str
    """`publishers/<publisher>/models/<model>@<version>` of Model Garden, or the id of a model that
    Hugging Face has and Model Garden can deploy, such as google/gemma-3-4b-it."""
    machine_type: str
    """Machine type with GPUs, such as g2-standard-12."""
    min_replicas: NotRequired[int]
    """Replicas that always run, 1 (default) or more: Vertex AI scales no such endpoint to zero."""
    max_replicas: NotRequired[int]
    """Replicas at most; default 1."""
    duty_cycle_percent: NotRequired[int]
    """How busy GPUs are, in percent, before a replica is added; default 60."""
    spot: NotRequired[bool]
    """Whether replicas run on spot VMs, which Google may take away; default false."""
    accept_eula: NotRequired[bool]
    """Whether the model's licence is accepted, where it has one; default false."""


def validate_vertex_endpoint(name: str, args: VertexEndpointArgs) -> Problems:
    """Check the plain values of the arguments."""
    problems = Problems()
    problems.check_name("name", name)
    if not (_PUBLISHED.fullmatch(args["model"]) or _HUGGING_FACE.fullmatch(args["model"])):
        problems.add(
            "model",
            f"found {args['model']!r}; allowed: publishers/<publisher>/models/<model>@<version>, "
            "or <author>/<model> of Hugging Face",
        )
    problems.check_one_of("machine_type", args["machine_type"], GPU_MACHINE_TYPES)
    least, most = args.get("min_replicas", 1), args.get("max_replicas", 1)
    check_between(problems, "max_replicas", most, 1, MOST_REPLICAS)
    check_between(problems, "min_replicas", least, 1, max(1, most))
    check_between(
        problems,
        "duty_cycle_percent",
        args.get("duty_cycle_percent", DEFAULT_DUTY_CYCLE_PERCENT),
        1,
        100,
        "percent",
    )
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
        model, published = args["model"], _PUBLISHED.fullmatch(args["model"]) is not None
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
        "min_replica_count": args.get("min_replicas", 1),
        "max_replica_count": args.get("max_replicas", 1),
        "autoscaling_metric_specs": [
            {
                "metric_name": GPU_DUTY_CYCLE,
                "target": args.get("duty_cycle_percent", DEFAULT_DUTY_CYCLE_PERCENT),
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

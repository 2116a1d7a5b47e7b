"""Arguments of the inference components that several tests share."""

from components.inference.external_backend_arguments import ExternalBackendArgs
from components.inference.inference_gateway_arguments import InferenceGatewayArgs
from components.inference.model_armor_arguments import ModelArmorGuardrailArgs
from components.inference.model_server_arguments import ModelServerArgs
from tests.unit import examples

GATED_SERVER: ModelServerArgs = examples.arguments("ModelServer")

OPEN_SERVER: ModelServerArgs = {
    "project": "acme",
    "project_number": "415104041262",
    "workload_pool": "acme.svc.id.goog",
    "namespace": "inference",
    "model": "qwen3-4b",
    "source": "Qwen/Qwen3-4B",
    "image": "vllm/vllm-openai:v1",
    "node_selector": {"cloud.google.com/gke-nodepool": "l4-spot"},
}

GATEWAY: InferenceGatewayArgs = examples.arguments("InferenceGateway")

GUARDRAIL: ModelArmorGuardrailArgs = examples.arguments("ModelArmorGuardrail")

GEMINI: ExternalBackendArgs = examples.arguments("ExternalBackend")

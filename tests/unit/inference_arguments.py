"""Arguments of the inference components that several tests share."""

from components.inference.external_backend_arguments import ExternalBackendArgs
from components.inference.inference_gateway_arguments import InferenceGatewayArgs
from components.inference.model_armor_arguments import ModelArmorGuardrailArgs
from components.inference.model_server_arguments import ModelServerArgs

GATED_SERVER: ModelServerArgs = {
    "project": "acme",
    "project_number": "415104041262",
    "workload_pool": "acme.svc.id.goog",
    "namespace": "inference",
    "model": "llama-3.1-8b",
    "source": "meta-llama/Llama-3.1-8B-Instruct",
    "image": "vllm/vllm-openai:v1",
    "node_selector": {"cloud.google.com/gke-nodepool": "l4"},
    "gpus": 2,
    "replicas": 2,
    "max_context": 8192,
    "gated": True,
    "hugging_face_secret": "hugging-face-token",
    "adapters": [
        {"name": "topic-control", "source": "nvidia/llama-3.1-nemoguard-8b-topic-control"},
        {"name": "content-safety", "source": "nvidia/llama-3.1-nemoguard-8b-content-safety"},
    ],
}

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

GATEWAY: InferenceGatewayArgs = {
    "project": "acme",
    "region": "us-central1",
    "namespace": "inference",
    "subnetwork": "projects/acme/regions/us-central1/subnetworks/nodes",
    "hostname": "inference.dev.acme.internal",
    "certificate": "inference-us-central1",
    "pools": [
        {
            "name": "llama-70b-h100",
            "selector": {"app.kubernetes.io/instance": "llama-70b-h100"},
            "target_port": 8000,
        },
        {
            "name": "llama-70b-flex",
            "selector": {"app.kubernetes.io/instance": "llama-70b-flex"},
            "target_port": 8000,
            "failure_mode": "FailClose",
        },
        {
            "name": "llama-8b-l4",
            "selector": {"app.kubernetes.io/instance": "llama-8b-l4"},
            "target_port": 8000,
            "lora": True,
        },
    ],
    "routes": [
        {
            "models": ["llama-3.3-70b"],
            "backends": [
                {"pool": "llama-70b-h100", "weight": 90},
                {"pool": "llama-70b-flex", "weight": 10},
            ],
        },
        {
            "models": ["llama-3.1-8b", "topic-control", "content-safety"],
            "backends": [{"pool": "llama-8b-l4", "weight": 100}],
        },
    ],
}

GUARDRAIL: ModelArmorGuardrailArgs = {
    "project": "acme",
    "region": "us-central1",
    "guardrails": {
        "default": {},
        "strict": {
            "prompt_injection": "low",
            "malicious_urls": False,
            "responsible_ai": {"dangerous": "high", "harassment": "none"},
            "sensitive_data": "redact",
        },
    },
    "default": "default",
    "models": {"llama-3.1-8b": "default", "topic-control": "strict", "raw": "none"},
}

GEMINI: ExternalBackendArgs = {
    "project": "acme",
    "project_number": "415104041262",
    "workload_pool": "acme.svc.id.goog",
    "namespace": "inference",
    "vertex_ai": {"region": "us-central1"},
}

"""How things are named, for those who read, make or judge them."""

import re
from typing import Final

PLATFORM: Final = "inference"
"""The platform's name in the names of what it makes, such as its network."""
GUARDRAIL: Final = "guardrail"
"""Last word of the name of what screens prompts and answers: of a container in front of the model
server in its pod, of an extension of the Gateway, or of the Service that one calls."""
API_MANAGEMENT: Final = "api-management"
"""End of the name of the extension that identifies callers and counts their requests."""
MODEL_HEADER: Final = "X-Gateway-Model-Name"
"""The header that the body-based router writes a request's model into."""
MODEL_ARMOR_SETTINGS: Final = "model_armor_settings"
"""The key of an extension's metadata by which Model Armor knows the templates of a model name."""
DEFAULT_MODEL: Final = "default"
"""Its entry for every model name that has none of its own."""
RATE_ATTRIBUTE: Final = "requests_per_minute"
"""Attribute of an Apigee product with its consumer's rate, as SpikeArrest reads it: `600pm`."""
IMPORTS: Final = "INFERENCE_IMPORT"
"""The variable that names the file of what a run of the program takes over."""
WRITE_ONLY: Final = "Wo"
"""End of the name of a property of Google Cloud's provider that is sent, and never read back."""
WRITE_ONLY_VERSION: Final = f"{WRITE_ONLY}Version"
"""End of the name of the property beside it: another value says that there is another secret."""
EVERYONE: Final = "allUsers"
EVERY_ACCOUNT: Final = "allAuthenticatedUsers"
PUBLIC: Final = frozenset({EVERYONE, EVERY_ACCOUNT})
"""The members of IAM that are nobody in particular."""
GPUS: Final = "nvidia.com/gpu"
"""What containers and quotas of Kubernetes and Cloud Run call their GPUs."""
TPUS: Final = "google.com/tpu"
"""What containers call the chips of their TPUs."""
TPU_LABEL: Final = "cloud.google.com/gke-tpu-accelerator"
TPU_TOPOLOGY_LABEL: Final = "cloud.google.com/gke-tpu-topology"
"""The labels of TPU nodes that say which TPUs they have, and how their chips are arranged."""
NODE_POOL_LABEL: Final = "cloud.google.com/gke-nodepool"
"""The label that GKE gives the nodes of a pool, by the pool's name."""
TEAM_LABEL: Final = "team"
"""The label of pods that says whose they are, and by which GKE divides the bill."""
NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""The label with its name that the API server gives every namespace, and lets nobody change."""
COMPUTE_CLASS_LABEL: Final = "cloud.google.com/compute-class"
"""The label of nodes, key of their taint and selector of pods that says a compute class."""


def team_namespace(team: str) -> str:
    """Return the name of the namespace of a team, in every cluster."""
    return f"{PLATFORM}-{team}"


def dns_label(text: str) -> str:
    """Return the DNS label nearest to a text: `Llama-3.3-70B` becomes `llama-3-3-70b`.

    The length is kept: whoever takes the text checks it.
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")

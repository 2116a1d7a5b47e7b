"""What prod or dev refuses of its options, and what an environment says to allow it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.engine.config import DISABLED, EXEMPTIONS, LEVEL
from policies.engine.environment import ENVIRONMENTS, load
from tests.config.options import options


@dataclass(frozen=True)
class Intent:
    """Why a rule refuses what an option asks for, and what an environment says to allow it."""

    why: str
    allow: Mapping[str, object]
    """Keys of the rule in the environment's file: names are added to those that are there."""


_OFF: Final = {LEVEL: DISABLED}
_WITHOUT: Final = "an environment may go without it"
_SIZE: Final = "how large a stack may grow is the environment's decision"
_PLACE: Final = "where data may be is the environment's decision"
_FOREIGN: Final = "who may come in from elsewhere is the environment's decision"


def _exempt(resource: str, finding: str) -> Mapping[str, object]:
    soon = dt.date.today() + dt.timedelta(days=30)
    who = {"reason": "the option asks for it", "owner": "platform@acme.com"}
    return {EXEMPTIONS: [{"resource": resource, "finding": finding, **who, "expires": str(soon)}]}


_REGIONS: Final = [
    str(each.value) for each in options() if each.path[-1] == "region" and each.value is not None
]
INTENDED: Final[Mapping[str, Intent]] = {
    "ai-extensions-fail-closed": Intent(
        "what passes uninspected when an extension fails is the environment's decision",
        _exempt("*:*:*::inference-*-extension", "failOpen lets through"),
    ),
    "ai-guardrail-on-every-path": Intent(
        "what goes unscreened, and what others make, is named",
        {
            "unscreenedModels": [
                *("qwen3-4b", "tone", "large", "small", "far", "llama-4"),
                *(f"llama-{each}" for each in ("2-2", "2-3", "3", "3-2", "3-3")),
            ],
            "foreignServices": ["services", "a-z", "a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-z"],
            **_exempt("*:*:*::inference-*-extension", "(failOpen)"),
        },
    ),
    "ai-model-armor-on": Intent("what a template screens at least is held", _OFF),
    "cost-budget-present": Intent(_WITHOUT, _OFF),
    "cost-monthly-ceiling": Intent(_SIZE, dict.fromkeys(
        ("maxWorstCaseUsd", "maxExpectedUsd", "maxBaselineUsd"), 10**9
    )),
    "data-destinations": Intent(_PLACE, _OFF),
    "data-residency": Intent(_PLACE, {"allowedLocations": _REGIONS}),
    "iam-audit-logs": Intent(_WITHOUT, _OFF),
    "iam-no-admin-for-workload-sa": Intent("Google's roles for the operator of Apigee are wide", {
        "allowedRoles": [
            "roles/apigee.admin", "roles/compute.loadBalancerAdmin", "roles/compute.networkAdmin",
            "roles/networkservices.serviceExtensionsAdmin",
        ],
    }),
    "iam-no-cross-project-sa": Intent(_FOREIGN, {"allowedProjects": ["acme-ci"]}),
    "iam-no-domain-wide-members": Intent(_FOREIGN, _OFF),
    "iam-no-foreign-pools": Intent(_FOREIGN, _OFF),
    "iam-temporary-needs-expiry": Intent("people read data for a time, or as a group", _OFF),
    "iam-no-toxic-pair": Intent("a service with secrets leaves by the network: egress: all", _OFF),
    "net-cloudrun-ingress": Intent("a second way in is the environment's decision", {
        "ownAddress": ["INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"],
        **_exempt("gcp:cloudrunv2/service:Service::*-run", "ingress must be"),
    }),
    "net-lb-tls-armor": Intent(_SIZE, {"maxPerSecond": 100000}),
    "net-psc-attachment-explicit": Intent(_FOREIGN, _OFF),
    "net-ways-out": Intent(_FOREIGN, {"projects": ["acme-net"]}),
    "net-vpcsc-perimeter": Intent(_WITHOUT, _OFF),
    "pod-netpol": Intent("gateway.isolated: false leaves the namespace open", _OFF),
    "rel-alerts": Intent(_WITHOUT, _OFF),
    "rel-deletion-protection": Intent("deletion_protection: false is for the environments", _OFF),
    "rel-log-retention": Intent(_WITHOUT, _OFF),
    "scale-capacity": Intent(_SIZE, {"maxNodes": 100, "maxGib": 65536, "maxMemoryGib": 300}),
    "scale-deploy-replicas": Intent(_SIZE, {"maxReplicas": 1000}),
    "scale-gke-gpu-per-pool": Intent(_SIZE, {"maxGpus": 100000}),
    "scale-gke-pool-bounded": Intent(_SIZE, {"maxNodes": 100000}),
    "scale-gpu-total": Intent(_SIZE, dict.fromkeys(
        ("maxGpus", "maxGpusPerRegion", "maxGpusPerType"), 100000
    )),
    "scale-gpu-types-allowed": Intent(_SIZE, {"gpuTypes": [
        "nvidia-a100-80gb", "nvidia-b200", "nvidia-h100-80gb", "nvidia-h100-mega-80gb",
        "nvidia-h200-141gb", "nvidia-l4", "nvidia-rtx-pro-6000", "nvidia-tesla-a100",
        "tpu-v5-lite-podslice", "tpu-v5p-slice", "tpu-v6e-slice",
    ]}),
    "scale-vertex-replicas": Intent(_SIZE, {"maxReplicas": 100}),
    "sup-binauthz": Intent(_WITHOUT, _OFF),
    "sup-image-registry": Intent("whose images run is the environment's decision", {
        "allowedRegistries": [
            "docker.io/acme", "us-docker.pkg.dev/acme", "acme", "vllm",
        ],
    }),
}  # fmt: skip
"""What prod or dev refuses of its options, by rule."""


def configured(environment: str, *, allowing: bool) -> dict[str, dict[str, object]]:
    """Return every rule's config by an environment as shipped, or with all that is allowed here."""
    config = load(ENVIRONMENTS / f"{environment}.yaml")
    for rule, intent in INTENDED.items() if allowing else ():
        for key, value in intent.allow.items():
            there: Any = config[rule].get(key, ())
            config[rule][key] = [*there, *value] if isinstance(value, list) else value
    return config

"""A small valid config, and ways to change it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from catalog.problems import KeyPath

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = "Pulumi.test.yaml"
REMOVED: Final = object()

_VALUES: Final[Mapping[str, Any]] = {
    "environment": "test",
    "project": {"id": "acme-test", "organization": "1"},
    "regions": {
        "us-central1": {
            "nodes": "10.0.0.0/20",
            "pods": "10.64.0.0/14",
            "services": "10.0.32.0/20",
            "proxy_only": "10.0.48.0/23",
            "psc_nat": "10.0.50.0/24",
        }
    },
    "gpu_pools": {
        "l4": {"machine_type": "g2-standard-24", "capacity": "spot", "min_nodes": 0, "max_nodes": 2}
    },
    "models": {
        "qwen3-4b": {
            "source": "Qwen/Qwen3-4B",
            "replica_sets": [{"node_pool": "l4", "replicas": 1}],
            "adapters": [{"name": "tone", "source": "acme/tone"}],
        }
    },
    "guardrails": {"default": {"sensitive_data": "redact", "info_types": ["IBAN_CODE"]}},
    "guardrail_floor": {"enforce": False, "responsible_ai": {"hate_speech": "high"}},
    "api_management": {
        "apigee": {
            "organization": "acme-test",
            "consumers": {
                "apps": {"requests_per_minute": 60, "quota": {"requests": 1000, "per": "day"}}
            },
        }
    },
    "gateway": {"hostname": "inference.acme.internal"},
    "consumers": {
        "apps": {"subnets": {"us-central1": "10.200.0.0/24"}},
        "partner": {"project": "acme-partner"},
        "shared": {
            "network": "projects/acme-net/global/networks/shared",
            "subnetworks": {"us-central1": "projects/acme-net/regions/us-central1/subnetworks/a"},
        },
    },
    "pipelines": {
        "sentiment": {
            "region": "us-central1",
            "image": "us-docker.pkg.dev/acme/services/sentiment:1.0",
            "message_schema": {
                "type": "avro",
                "definition": '{"type": "record", "name": "Text", "fields": '
                '[{"name": "text", "type": "string"}]}',
            },
            "results": {
                "fields": [
                    {"name": "at", "type": "TIMESTAMP"},
                    {"name": "model", "type": "STRING"},
                    {"name": "tags", "type": "STRING", "mode": "REPEATED"},
                ],
                "partition_field": "at",
            },
            "archive": {"storage_class": "NEARLINE", "retention_days": 30},
        }
    },
    "data": {
        "lake": {
            "raw": {
                "region": "us-central1",
                "colder_after_days": {"NEARLINE": 30, "COLDLINE": 90},
                "delete_after_days": 365,
                "retention_days": 7,
                "readers": ["group:analysts@acme.com"],
                "writers": ["sentiment"],
            }
        },
        "warehouse": {
            "serving": {
                "region": "us-central1",
                "tables": {"predictions": {"writers": ["sentiment"]}},
                "materialized_views": {"usage": {"query": "SELECT model FROM {predictions}"}},
                "views": {"models": {"query": "SELECT model FROM {usage}"}},
            }
        },
        "cache": {"region": "us-central1", "range": "172.16.0.0/24", "readers": ["sentiment"]},
    },
    "vertex": {
        "gemma": {
            "region": "us-central1",
            "model": "google/gemma-3-4b-it",
            "machine_type": "g2-standard-12",
            "max_replicas": 2,
        }
    },
    "services": {
        "chat": {
            "region": "us-central1",
            "image": "us-docker.pkg.dev/acme/services/llm-backend:1.0",
            "models": ["qwen3-4b"],
            "invokers": ["group:support@acme.com"],
            "environment": {"LLM_AUTH": "api_key"},
            "secrets": {"REDIS_URL": "redis-url"},
            "secret_files": {"/secrets/api/llm_api_key": "api-key:3"},
            "front": "api_gateway",
            "api_gateway": {
                "document": "services/llm_backend/openapi.yaml",
                "api_key": True,
                "requests_per_minute": 60,
            },
            "revision": "v2",
            "traffic": [
                {"revision": "v1", "percent": 90},
                {"revision": "v2", "percent": 10, "tag": "next"},
            ],
        }
    },
    "secrets": {"redis-url": {}, "api-key": {"existing": True}},
    "perimeter": {
        "mode": "enforced",
        "access_levels": {
            "corporate": {"ip_subnetworks": ["203.0.113.0/24"]},
            "deployers": {"members": ["serviceAccount:deploy@acme-ci.iam.gserviceaccount.com"]},
        },
        "ingress": [
            {
                "from": {"identity_type": "ANY_IDENTITY", "access_levels": ["corporate"]},
                "to": {"services": {"storage.googleapis.com": ["*"]}},
            },
            {
                "from": {
                    "identities": ["serviceAccount:deploy@acme-ci.iam.gserviceaccount.com"],
                    "access_levels": ["deployers"],
                },
                "to": {"services": {"*": ["*"]}},
            },
        ],
        "egress": [
            {
                "from": {"identities": ["user:ada@acme.com"]},
                "to": {"services": {"storage.googleapis.com": ["*"]}, "projects": ["12"]},
            }
        ],
    },
    "alerts": {
        "notify": {
            "oncall": {"email": "oncall@acme.com"},
            "incidents": {"pubsub_topic": "incidents"},
            "pager": {"pagerduty_secret": "pagerduty-key"},
        },
        "thresholds": {"latency_p90_seconds": 10, "dead_letters": 3},
        "models": {"qwen3-4b": {"latency_p90_seconds": 5, "first_token_p90_seconds": 1.5}},
    },
    "slos": {
        "gateway": {"availability": {"goal": 0.999}},
        "models": {"qwen3-4b": {"latency": {"goal": 0.9, "threshold_seconds": 20}}},
        "services": {"chat": {"latency": {"goal": 0.95, "threshold_seconds": 30}}},
    },
    "audit": {"region": "us-central1"},
    "budget": {"billing_account": "01A2B3-C4D5E6-F70819", "monthly_usd": 1000},
}


def values() -> dict[str, Any]:
    """Return a valid config with every area, to change at will."""
    return copy.deepcopy(dict(_VALUES))


def changed(*changes: tuple[str, object]) -> dict[str, Any]:
    """Return the valid config with values set at paths such as
    `models|qwen3-4b|replica_sets|0|gpus`.

    Steps are divided by `|`; REMOVED takes the key away.
    """
    config = values()
    for path, value in changes:
        *parents, last = path.split("|")
        place: Any = config
        for step in parents:
            place = place[int(step)] if step.isdecimal() else place.setdefault(step, {})
        key: Any = int(last) if last.isdecimal() else last
        if value is REMOVED:
            del place[key]
        elif key == 1 and len(place) == 1:
            place.append(value)
        else:
            place[key] = value
    return config


def places(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield every path of a config, outer ones first."""
    if path:
        yield path
    steps: Iterable[Any] = ()
    if isinstance(value, dict):
        steps = cast("dict[Any, Any]", value)
    elif isinstance(value, list):
        steps = range(len(cast("list[Any]", value)))
    for step in steps:
        yield from places(value[step], (*path, step))


def at(value: Any, path: KeyPath) -> Any:
    """Return what stands at `path`."""
    for step in path:
        value = value[step]
    return value

"""Stacks in which every option and every documented value stands at least once, on dev and on prod.

`python -m tests.config.matrix` writes them to `matrix/<environment>.json`, from the models of the
config: what is there stays as long as it loads, and is extended by what is missing. With `--count`
it only says how many options stand in them.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from catalog import strict_yaml
from catalog.openapi import parsed
from config.checks import services
from config.errors import ConfigError
from config.load import from_mapping
from tests.config.options import Generator, Option, options, source_of, standing
from tests.config.samples import REMOVED, ROOT, at, changed, places, values

Config = dict[str, Any]
ENVIRONMENTS: Final = ("dev", "prod")
FOLDER: Final = Path(__file__).parent / "matrix"
MOST_STACKS: Final = 30
COVERING: Final = (("dev", 0),)
"""Environment and number of the stacks that `make test` makes on the engine: most options a second.
`make test-matrix` makes all."""

_IMAGES: Final = "us-docker.pkg.dev/acme/services"
_JWT: Final = {
    "issuer": "https://id.acme.com",
    "audience": "chat",
    "jwks_uri": "https://id.acme.com/k",
}
_KEY: Final = "projects/acme-secrets/secrets/inference-tls/versions/3"
_DATAFLOW: Final = {"fields": [{"name": "text", "type": "STRING"}]}
_LLAMA: Final = {
    "source": "gs://acme-models/llama", "memory_gib": 500, "guardrail": "own", "replica_sets": [
    {"node_pool": "h200", "replicas": 1, "gpus": 8, "weight": 50},
    {"node_pool": "h200", "name": "half", "replicas": 1, "gpus": 4, "weight": 50},
]}  # fmt: skip
_OWN: Final = {"at": "replica", "service": {
    "image": "docker.io/acme/guard:1.0", "port": 8080, "environment": {"MODE": "strict"},
}}  # fmt: skip
_LARGE: Final = {
    "source": "gs://acme-models/large",
    "memory_gib": 1000,
    "guardrail": "none",
    "replica_sets": [{"node_pool": "h200", "replicas": 1, "gpus": 8, "nodes": 2}],
}
# Each of the choices that exclude one another stands in one of them.
_CHOICES: Final[tuple[Mapping[str, Any], ...]] = (
    values(),
    changed(
        ("gateway|hostname", "inference.dev.acme.internal"),
        ("gateway|certificate", {
            "kind": "self-managed", "private_key": _KEY,
            "chain_file": "tests/config/certificates/dev.pem",
        }),
        ("api_management|apigee|authentication", "jwt"),
        ("api_management|apigee|organization", "new"),
        ("api_management|apigee|jwt", _JWT),
        ("api_management|apigee|consumers|apps|client_id", "acme-apps"),
        ("gpu_pools|l4|capacity", "flex-start"),
        ("gpu_pools|l4|max_run_hours", 24),
        ("images|vllm", "vllm/vllm-openai:v0.26.0"),
        ("pipelines|sentiment|dataflow", _DATAFLOW),
        ("pipelines|reviews", {"region": "us-central1", "image": f"{_IMAGES}/reviews:1.0"}),
        ("training|reviews", {"image": f"{_IMAGES}/trainer:1.0"}),
        ("pipelines|sentiment|secrets", {"API_KEY": "redis-url"}),
        ("pipelines|sentiment|secret_files", {"/secrets/api/key": "api-key:3"}),
    ),
    changed(
        ("gateway|hostname", "inference.acme.com"),
        ("gateway|certificate", {"kind": "managed", "zone": "acme", "zone_project": "acme-dns"}),
        ("gpu_pools|l4|capacity", "reservation"),
        ("gpu_pools|l4|reservation", "l4"),
        ("gpu_pools|l4|zones", {"us-central1": ["us-central1-a"]}),
        ("gpu_pools|l4-spot", {
            "machine_type": "g2-standard-24", "capacity": "spot", "min_nodes": 0, "max_nodes": 2,
        }),
        ("models|qwen3-4b|replica_sets|0", {"capacity": ["l4", "l4-spot"], "replicas": 1}),
        ("edge_protection", {"with_guardrails": True, "deny": ["10.0.0.0/8"]}),
        ("services|chat|front", "load_balancer"),
        ("services|chat|api_gateway", None),
        ("services|chat|load_balancer", {
            "kind": "regional-external", "hostname": "chat.acme.com",
            "certificate": "projects/acme/locations/us-central1/certificates/chat",
        }),
    ),
    changed(
        ("gateway|certificate", {"kind": "existing", "names": {"us-central1": "inference"}}),
        ("api_management", {"extension": {"image": "docker.io/acme/manager:1.0", "port": 8080}}),
        ("edge_protection", {"deny": ["10.0.0.0/8"]}),
        ("models|qwen3-4b|guardrail", "none"),
    ),
    changed(
        ("gpu_pools|h200", {
            "machine_type": "a3-ultragpu-8g", "capacity": "spot", "rdma": True,
            "min_nodes": 0, "max_nodes": 2,
        }),
        ("models|llama", _LLAMA),
        ("models|large", _LARGE),
        ("guardrails|own", _OWN),
        ("models|far", {"external": [{"name": "far", "https": {"host": "api.acme.com"}}]}),
        ("services|chat|models", []),
        ("services|chat|egress", "none"),
        ("services|chat|front", "load_balancer"),
        ("services|chat|api_gateway", None),
        ("services|chat|load_balancer", {"kind": "internal", "hostname": "chat.acme.internal"}),
    ),
    changed(
        ("network", {"existing": "projects/acme-net/global/networks/shared"}),
        ("network|google_apis_zone", "googleapis"),
        ("regions|us-central1|existing", {
            "subnetwork": "inference", "pods_range": "a", "services_range": "b",
            "proxy_only": "proxies", "psc_nat": "psc", "load_balancer_rule": "proxies",
            "cluster": "shared",
            "nat": {"router": "egress", "name": "egress"},
        }),
        ("pipelines|sentiment|dataflow", _DATAFLOW),
        ("consumers|shared", REMOVED),
        ("perimeter", REMOVED),
    ),
)  # fmt: skip
_SMALLEST: Final = ("environment", "project", "regions", "gpu_pools", "models", "gateway")


@cache
def stacks(environment: str) -> list[Config]:
    """Return the stacks of an environment."""
    file = FOLDER / f"{environment}.json"
    return json.loads(file.read_text()) if file.exists() else []


def covered(configs: Iterable[Config]) -> set[Option]:
    """Return the options that stand in one of the configs."""
    return {option for config in configs for option in standing(config)}


def _beginnings(environment: str) -> Iterator[tuple[Config, bool]]:
    """Yield configs to begin with, and whether one value of each key is enough there."""
    document: Any = strict_yaml.load((ROOT / f"Pulumi.{environment}.yaml").read_text())
    own = {key: each for key, each in document["config"].items() if ":" not in key}
    ours = {key: own[key] for key in ("environment", "project")}
    yield from ((copy.deepcopy(config), False) for config in stacks(environment))
    if not stacks(environment):
        yield own, True
        yield from (({**copy.deepcopy(dict(config)), **ours}, True) for config in _CHOICES)
        yield {**values(), **ours}, False
    for _ in range(MOST_STACKS):
        yield {**{key: values()[key] for key in _SMALLEST}, **ours}, False


def generated(environment: str) -> tuple[list[Config], set[Option]]:
    """Return stacks with every option of the models, and the options that chance didn't find."""
    random = Random(0)  # noqa: S311 - the same stacks each time
    wanted, found, made = {*options()}, set[Option](), list[Config]()
    for config, once in _beginnings(environment):
        if not wanted or len(made) == MOST_STACKS:
            break
        try:
            generator = Generator(config, random)
        except ConfigError:
            continue
        here = standing(generator.config)
        for option in _ordered(wanted, random, once=once):
            before = generator.config, generator.platform
            if option in here or not generator.set(option):
                continue
            now = standing(generator.config)
            if here - now - found:
                generator.config, generator.platform = before
            else:
                here = now
        if here & wanted:
            known = generator.config in stacks(environment)
            made.append(generator.config if known else pruned(generator.config))
        wanted -= here
        found |= here
    return made, wanted


def pruned(config: Config) -> Config:
    """Return a config without the entries that add no option to it."""
    here = _kinds(config)
    # Outer entries first, and the last of a list, so that the places of the others stay.
    paths = [*places(config)]
    paths.reverse()
    for path in sorted(paths, key=len):
        without = copy.deepcopy(config)
        try:
            place = at(without, path[:-1])
            del place[path[-1]]
        except (LookupError, TypeError):
            continue
        try:
            from_mapping(without, source_of(config))
        except (ConfigError, KeyError):
            continue
        if _kinds(without) == here:
            config = without
    return config


def _kinds(config: Config) -> set[object]:
    """Return the options of a config, and what of their values makes more than they do: a number
    above one, a source of another scheme."""
    kinds: set[object] = set(standing(config))
    for path in places(config):
        value, name = at(config, path), [*filter(lambda step: isinstance(step, str), path)][-1]
        if isinstance(value, str):
            kinds.add((path[0], name, value.rpartition("://")[0]))
        elif isinstance(value, int):
            kinds.add((path[0], name, value > 1))
    return kinds


def _ordered(wanted: set[Option], random: Random, *, once: bool) -> list[Option]:
    order = sorted(wanted, key=str)
    random.shuffle(order)
    return [*{option.path: option for option in order}.values()] if once else order


def _text(stacks: list[Config]) -> str:
    """Return the stacks as JSON, an area a line."""
    areas = [
        ",\n".join(f'"{key}": {json.dumps(value)}' for key, value in config.items())
        for config in stacks
    ]
    return "[" + ",\n\n".join(f"{{\n{each}\n}}" for each in areas) + "]\n"


def main(arguments: Sequence[str]) -> int:
    """Write the stacks, or only count; return 1 where an option is missing."""
    services.parsed = cache(parsed)  # the same each time
    lacking = set[Option]()
    for environment in ENVIRONMENTS:
        made = stacks(environment)
        if "--count" not in arguments:
            made, _ = generated(environment)
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / f"{environment}.json").write_text(_text(made))
        print(f"{environment}: {counts(made)}")
        lacking |= {*options()} - covered(made)
    engine = [stacks(each)[number] for each, number in COVERING]
    print(f"of these on the engine in `make test`: {counts(engine)}")
    for option in sorted(map(str, lacking)):
        print(f"missing: {option}", file=sys.stderr)
    return 1 if lacking else 0


def counts(configs: Sequence[Config]) -> str:
    """Return how many stacks there are, and how many of all options stand in them."""
    return f"{len(configs)} stacks with {len(covered(configs))} of {len({*options()})} options"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What containers are told of the gateway, the cache and the log: variables, secrets and files."""

import json
from collections.abc import Mapping, Sequence

import pulumi

from catalog.conventions import PLATFORM
from components.data.redis_cache import RedisCache
from components.data.warehouse import Warehouse
from components.serverless.cloud_run_arguments import CloudRunServiceArgs, Program
from config.services import RequestLog

CA_FILE = "/etc/inference/ca/ca.pem"
CACHE_CA_FILE = "/etc/inference/cache-ca/ca.pem"
KEY_FILE = "/etc/inference/key/key"


def ask_models(
    args: Program,
    models: Sequence[str],
    gateway: pulumi.Output[str],
    authority: pulumi.Output[str] | None,
) -> None:
    """Tell the container where the gateway is, and who signs for it where that's not public."""
    args["environment"] = {
        **args.get("environment", {}),
        "LLM_BASE_URL": pulumi.Output.concat("https://", gateway, "/v1"),
        "LLM_MODEL": models[0],
        "LLM_MODELS": json.dumps([*models]),
    }
    if authority is None:
        return
    args["environment"] = {**args["environment"], "LLM_CA_FILE": CA_FILE}
    args["secret_ids"] = {**args.get("secret_ids", {}), "gateway-ca": authority}
    args["secret_files"] = {**args.get("secret_files", {}), CA_FILE: {"secret": "gateway-ca"}}


def show_key(args: Program, key: pulumi.Output[str]) -> None:
    """Tell the container to show the gateway a key: a file, which has a new one at once."""
    environment = {"LLM_AUTH": "api_key", "LLM_API_KEY_FILE": KEY_FILE}
    args["environment"] = {**args.get("environment", {}), **environment}
    args["secret_ids"] = {**args.get("secret_ids", {}), "gateway-key": key}
    args["secret_files"] = {**args.get("secret_files", {}), KEY_FILE: {"secret": "gateway-key"}}


def log_requests(
    args: CloudRunServiceArgs, log: RequestLog, tables: Mapping[str, Warehouse]
) -> None:
    """Tell the container where each request becomes a row, and what of it."""
    dataset, _, table = log.table.partition(".")
    args["environment"] = {
        **args.get("environment", {}),
        "PREDICTIONS_TABLE": tables[dataset].table_ids[table],
        "PREDICTIONS_CONTENT": log.content,
        "PREDICTIONS_CONTENT_PERCENT": str(log.content_percent),
    }


def use_cache(args: CloudRunServiceArgs, cache: RedisCache, authority: pulumi.Output[str]) -> None:
    """Tell the container where the cache is, the password, and who signs for it."""
    args["environment"] = {
        **args.get("environment", {}),
        "REDIS_URL": pulumi.Output.concat("rediss://", cache.host, ":", cache.port.apply(str)),
        "REDIS_CA_FILE": CACHE_CA_FILE,
    }
    # By their ids, which no other secret of the project has.
    password, ca = f"{PLATFORM}-cache-password", f"{PLATFORM}-cache-ca"
    args["secret_ids"] = {
        **args.get("secret_ids", {}),
        password: cache.password_secret.apply(lambda name: name.rpartition("/")[2]),
        ca: authority,
    }
    args["secrets"] = {**args.get("secrets", {}), "REDIS_PASSWORD": {"secret": password}}
    args["secret_files"] = {**args.get("secret_files", {}), CACHE_CA_FILE: {"secret": ca}}

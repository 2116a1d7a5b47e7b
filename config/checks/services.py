"""Services: sizes, secrets, models and regions that exist; fronts and traffic that fit."""

from collections.abc import Iterator, Sequence
from typing import Final

from catalog.config_folder import config_folder
from catalog.limits import cloud_run as limits
from catalog.openapi import DocumentError, parsed
from catalog.problems import KeyPath, Problem, below, did_you_mean, joined, shown
from config.checks.asked_models import check_key, check_models, variables_of_models
from config.checks.containers import check_secrets, check_variables
from config.checks.references import check_name
from config.checks.service_output import check_output
from config.known import Known
from config.services import FRONT_INGRESS, ApiGateway, LoadBalancer, RequestLog, Service

# What the platform gives to a container with a log, the cache, and to every one.
LOG_VARIABLES: Final = ("PREDICTIONS_TABLE", "PREDICTIONS_CONTENT", "PREDICTIONS_CONTENT_PERCENT")
CACHE_VARIABLES: Final = ("REDIS_URL", "REDIS_PASSWORD", "REDIS_CA_FILE")
_OWN_VARIABLES: Final = ("GOOGLE_CLOUD_PROJECT",)
_FRONTS: Final = ("load_balancer", "api_gateway")


def check_services(known: Known) -> Iterator[Problem]:
    """Check every service."""
    for name, service in known.services.items():
        path = ("services", name)
        yield from check_name(known, "regions", (*path, "region"), service.region)
        given = service.model_dump()
        for rule in (limits.container, limits.variables, limits.traffic):
            yield from below(path, rule(given))
        yield from _check_name(known, path, name)
        yield from check_secrets(known, path, service)
        yield from _check_models(known, path, service)
        if service.models:
            yield from check_key(known, "services", name, service)
        yield from _check_cache(known, path, service)
        if service.request_log is not None:
            yield from _check_request_log(known, path, service, service.request_log)
        yield from check_variables(path, service, _own_variables(known, name, service))
        yield from _check_front(path, service)


def _check_name(known: Known, path: KeyPath, name: str) -> Iterator[Problem]:
    pipelines = known.names.get("pipelines", set())
    if taken := {name, name.removesuffix("-service")} & pipelines:
        yield Problem(
            path,
            f"the name {shown(name)}",
            f"a name apart from the pipeline {joined(taken)} and its service",
            "rename one of them",
        )


def _check_models(known: Known, path: KeyPath, service: Service) -> Iterator[Problem]:
    yield from check_models(known, path, service.models, service.region, "service")
    if service.models and service.effective_egress == "none":
        yield Problem(
            (*path, "egress"),
            "'none'",
            "private-ranges or all with models",
            "remove it: the gateway is inside the network",
        )


def _check_cache(known: Known, path: KeyPath, service: Service) -> Iterator[Problem]:
    if not service.cache:
        return
    cache = known.data.cache
    if cache is None and "data" not in known.unread:
        yield Problem(
            (*path, "cache"),
            "true without a cache",
            "true with data.cache",
            "add data.cache or remove it",
        )
    if cache is not None and cache.region != service.region:
        yield Problem(
            (*path, "cache"),
            f"true in {service.region}, with the cache in {cache.region}",
            "true in the cache's region",
            "change one of the regions: a cache further off than its model saves nothing",
        )
    if service.effective_egress == "none":
        yield Problem(
            (*path, "egress"),
            "'none'",
            "private-ranges or all with cache",
            "remove it: the cache is inside the network",
        )


def _check_request_log(
    known: Known, path: KeyPath, service: Service, log: RequestLog
) -> Iterator[Problem]:
    """Check that the table is there, takes what is written, and keeps no text for ever."""
    tables = known.data.tables
    table = tables.get(log.table)
    if table is None:
        if "data" not in known.unread:
            yield Problem(
                (*path, "request_log", "table"),
                shown(log.table),
                f"a table of data.warehouse: {joined(tables)}",
                did_you_mean(log.table, tables, "add it there: without fields it is such a log"),
            )
        return
    dataset, _, name = log.table.partition(".")
    where = ("data", "warehouse", dataset, "tables", name)
    yield from check_output((*where, "fields"), service.image_name, table.fields)
    if log.content == "texts" and table.partition_expiration_days is None:
        yield Problem(
            (*where, "partition_expiration_days"),
            "nothing",
            f"a number of days with services.{path[1]}.request_log.content texts",
            "say how long prompts and replies are kept, or keep hashes",
        )


def _own_variables(known: Known, name: str, service: Service) -> Sequence[str]:
    return (
        *_OWN_VARIABLES,
        *(variables_of_models(known, name) if service.models else ()),
        *(CACHE_VARIABLES if service.cache else ()),
        *(LOG_VARIABLES if service.request_log else ()),
    )


def _check_front(path: KeyPath, service: Service) -> Iterator[Problem]:
    given = {"load_balancer": service.load_balancer, "api_gateway": service.api_gateway}
    for front in _FRONTS:
        if given[front] is not None and service.front != front:
            yield Problem(
                (*path, front),
                f"a mapping with front {service.front}",
                f"nothing, or front: {front}",
                "change the front or remove it",
            )
        if given[front] is None and service.front == front:
            yield Problem(
                (*path, "front"),
                shown(front),
                f"{front} with a mapping {front}",
                "add what the front needs",
            )
    if service.ingress is not None and not _reaches(service):
        yield Problem(
            (*path, "ingress"),
            shown(service.ingress),
            f"{FRONT_INGRESS[service.front]} or all with front {service.front}",
            "remove it",
        )
    if not service.default_url and service.front != "load_balancer":
        yield Problem(
            (*path, "default_url"),
            shown(service.default_url),
            f"true with front {service.front}, which calls it by that address",
            "remove it, or put a load balancer before the service",
        )
    if service.front == "load_balancer" and service.load_balancer is not None:
        yield from _check_load_balancer((*path, "load_balancer"), service.load_balancer)
    if service.front == "api_gateway" and service.api_gateway is not None:
        yield from _check_api((*path, "api_gateway"), service, service.api_gateway)


def _reaches(service: Service) -> bool:
    order = tuple(limits.INGRESS.values)
    return order.index(service.effective_ingress) >= order.index(FRONT_INGRESS[service.front])


def _check_load_balancer(path: KeyPath, balancer: LoadBalancer) -> Iterator[Problem]:
    if (balancer.kind == "regional-external") != (balancer.certificate is not None):
        yield Problem(
            (*path, "certificate"),
            shown(balancer.certificate),
            "a certificate with kind regional-external, nothing with the others",
            "add or remove it",
        )


def _check_api(path: KeyPath, service: Service, api: ApiGateway) -> Iterator[Problem]:
    where = (*path, "document")
    if api.document is None:
        yield Problem(
            where,
            "nothing",
            "an OpenAPI 2.0 file with info and paths",
            "write one; the gateway serves the paths in it alone",
        )
    else:
        yield from _check_document(where, api.document)
    if (api.region or service.region) not in limits.API_REGION.values:
        yield Problem(
            (*path, "region"),
            shown(api.region) if api.region else f"nothing, with a service in {service.region}",
            f"a region with API Gateway: {joined(limits.API_REGION.values)}",
            "name one",
        )
    yield from below(path, limits.callers(api.model_dump()))
    if service.timeout_seconds > (most := limits.API_TIMEOUT_SECONDS.high or 0):
        yield Problem(
            ("services", path[1], "timeout_seconds"),
            shown(service.timeout_seconds),
            f"up to {most} with front api_gateway",
            "lower it or choose another front",
        )


def _check_document(path: KeyPath, document: str) -> Iterator[Problem]:
    file = (config_folder() / document).resolve()
    try:
        if not file.is_relative_to(config_folder().resolve()):
            raise DocumentError("a file outside the stack file's folder")
        parsed(file.read_text())
    except (OSError, UnicodeDecodeError):
        yield Problem(
            path,
            shown(document),
            "a file that can be read, from the stack file's folder",
            "correct the path or write it",
        )
    except DocumentError as problem:
        yield Problem(path, f"{shown(document)} with {problem}", "OpenAPI 2.0", "fix the file")

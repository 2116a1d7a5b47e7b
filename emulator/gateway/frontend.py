"""A consumer's load balancer before the Gateways of several regions: the nearest that works
answers.

Whether a region works, its answers tell: Envoy leaves it out as the stack's own backend service
has it. Which one is the nearest is where the first of them is.
https://cloud.google.com/load-balancing/docs/l7-internal
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from catalog.conventions import PLATFORM
from emulator.gateway.certificates import Certificate, domains, issued
from emulator.gateway.programs import LOOPBACK, Program
from emulator.gateway.proxies import ACCESS_LOG, begins_tls, listener, start_proxy, static_cluster
from emulator.gateway.serve import Gateway, refuse_taken
from emulator.ports import free_ports
from sandbox.world import CloudResource, World

_SERVICE: Final = "gcp:compute/backendService:BackendService"
_GROUP: Final = "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
_URLS: Final = "gcp:compute/uRLMap:URLMap"
_PROXY: Final = "gcp:compute/targetHttpsProxy:TargetHttpsProxy"
_BACKENDS: Final = "regions"
_ENDING: Final = "-any"
_LOG_FORMAT: Final = {"status": "%RESPONSE_CODE%", "region": "%UPSTREAM_HOST%"}


@dataclass(frozen=True)
class Frontend:
    """What a stack has of a consumer's load balancer."""

    consumer: str
    regions: Sequence[str]
    names: Sequence[str]
    """The host names of its certificate."""
    service: Mapping[str, Any]
    """The inputs of its backend service."""


@dataclass(frozen=True)
class Running:
    """A running one."""

    url: str
    certificate: Certificate
    access_log: Path
    program: Program


def frontends(cloud: World) -> Iterator[Frontend]:
    """Yield the load balancers of consumers before regions."""
    groups = {each.outputs["selfLink"]: each.inputs for each in cloud.by_type(_GROUP)}
    for service in cloud.by_type(_SERVICE):
        behind = [groups[each["group"]] for each in service.inputs.get("backends", ())]
        if all("pscTargetService" in each for each in behind) and behind:
            urls = _leading_to(cloud, _URLS, "defaultService", [service])
            (proxy,) = _leading_to(cloud, _PROXY, "urlMap", urls)
            wanted = proxy.inputs["certificateManagerCertificates"]
            yield Frontend(
                service.inputs["name"].removeprefix(f"{PLATFORM}-").removesuffix(_ENDING),
                [each["region"] for each in behind],
                domains(cloud, [each.rpartition("/")[2] for each in wanted]),
                service.inputs,
            )


def _leading_to(
    cloud: World, kind: str, key: str, others: Sequence[CloudResource]
) -> list[CloudResource]:
    links = {each.outputs["selfLink"] for each in others}
    return [each for each in cloud.by_type(kind) if each.inputs.get(key) in links]


@contextmanager
def before(
    frontend: Frontend, gateways: Sequence[Gateway], folder: Path, port: int = 0
) -> Generator[Running]:
    """Run a load balancer before running Gateways, the nearest first, in a new folder.

    Raises PortError if the port is taken, and ProgramError if it doesn't become ready.
    """
    if port:
        refuse_taken(port)
    port = port or free_ports(1)[0]
    folder.mkdir()
    # One that was there before the stack is known by its name alone.
    certificate = issued(frontend.names or gateways[0].certificate.names[:1], folder)
    ports = [int(urlsplit(each.url).port or 0) for each in gateways]
    listening = listener("frontend", port, certificate, (), _LOG_FORMAT, folder)
    with ExitStack() as running:
        reached = [_regions(frontend.service, ports)]
        proxy = start_proxy(running, folder, listening, [_host(frontend)], reached)
        yield Running(
            f"https://{LOOPBACK}:{port}/v1", certificate, folder / ACCESS_LOG, proxy.program
        )


def _host(frontend: Frontend) -> dict[str, Any]:
    seconds = f"{frontend.service['timeoutSec']}s"
    route = {"cluster": _BACKENDS, "timeout": seconds, "idle_timeout": seconds}
    routes = [{"name": frontend.consumer, "match": {"prefix": "/"}, "route": route}]
    return {"name": frontend.consumer, "domains": ["*"], "routes": routes}


def _regions(service: Mapping[str, Any], ports: Sequence[int]) -> dict[str, Any]:
    found = service.get("outlierDetection")
    return {
        **static_cluster(_BACKENDS, *ports),
        **begins_tls(),
        # One region of two is enough of them: it gets all, and never one that was left out.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        **({"outlier_detection": _outliers(found)} if found else {}),
    }


def _outliers(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the two call alike, under Envoy's names."""
    return {
        "consecutive_5xx": found["consecutiveErrors"],
        "consecutive_gateway_failure": found["consecutiveGatewayFailure"],
        "enforcing_consecutive_gateway_failure": found["enforcingConsecutiveGatewayFailure"],
        "interval": f"{found['interval']['seconds']}s",
        "base_ejection_time": f"{found['baseEjectionTime']['seconds']}s",
        "max_ejection_percent": found["maxEjectionPercent"],
    }

"""Deployments whose program is here, run as their cluster would: arguments, files, identity.

Only ports and the places of files differ.
"""

import json
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import grpc

from emulator.gateway.client import Client, Manifest
from emulator.gateway.cluster import Cluster
from emulator.gateway.programs import ENGINE, LOOPBACK, Program, says_ok, write_private
from emulator.ports import free_ports

PROGRAMS: Final = {
    **{name: ENGINE / "inference-extension" / name for name in ("epp", "bbr")},
    "envoy": Path(sys.executable).parent / "envoy",
}
"""By the name of their image."""
START_SECONDS: Final = 120.0
_PORT: Final = re.compile(r"(?P<flag>--[a-z-]*port)=(?P<port>\d+)")
_HEALTH: Final = "/grpc.health.v1.Health/Check"
_SERVING: Final = b"\x08\x01"
_ASK_SECONDS: Final = 2.0
_PROBES: Final = ("startupProbe", "readinessProbe")

Change = Callable[[str, Mapping[int, int]], str]
"""What a mounted file is here, by its text and the port here of each port of the container."""


@dataclass(frozen=True)
class Workload:
    """A running Deployment."""

    name: str
    program: Program
    ports: Mapping[int, int]
    """The port here of each port of the container."""
    _container: Mapping[str, Any]

    def is_ready(self) -> bool:
        """Return what its probes find."""
        return all(self._passes(self._container.get(each, {})) for each in _PROBES)

    def port(self, port: int | str) -> int:
        """Return the port here of a port of the container, by its number or name."""
        named = {each.get("name"): each["containerPort"] for each in self._container["ports"]}
        return self.ports[port if isinstance(port, int) else named[port]]

    def _passes(self, probe: Mapping[str, Any]) -> bool:
        if "tcpSocket" in probe:
            return self._listens(self.port(probe["tcpSocket"]["port"]))
        if "httpGet" in probe:
            asked = probe["httpGet"]
            return says_ok(self.port(asked["port"]), asked["path"])
        return "grpc" not in probe or self._serves(probe["grpc"])

    def _listens(self, port: int) -> bool:
        with closing(socket.socket()) as opened:
            return opened.connect_ex((LOOPBACK, port)) == 0

    def _serves(self, probe: Mapping[str, Any]) -> bool:
        address = f"{LOOPBACK}:{self.port(probe['port'])}"
        service = str(probe.get("service", "")).encode()
        request = b"\x0a" + bytes([len(service)]) + service if service else b""
        with grpc.insecure_channel(address) as channel:
            ask = cast("Callable[..., bytes]", channel.unary_unary(_HEALTH))
            try:
                return ask(request, timeout=_ASK_SECONDS) == _SERVING
            except grpc.RpcError:
                return False

    def wait(self) -> None:
        """Wait until it is ready. Raises ProgramError if it won't be."""
        self.program.wait_until(self.is_ready, START_SECONDS)


def program_of(deployment: Manifest) -> Path | None:
    """Return the program that a Deployment's first container is, if it is here: of its image's
    release where that was built too, else of the one that is."""
    image: str = _container(deployment)["image"]
    name, _, release = image.rpartition("/")[2].partition("@")[0].partition(":")
    program = PROGRAMS.get(name)
    if program is None:
        return None
    of_release = program.parent.with_name(f"{program.parent.name}-{release}") / name
    return of_release if of_release.exists() else program


def start(
    running: ExitStack,
    client: Client,
    cluster: Cluster,
    deployment: Manifest,
    folder: Path,
    change: Change = lambda text, _: text,
) -> Workload:
    """Start what a Deployment runs, in a new folder, with its files changed; it isn't ready yet."""
    folder.mkdir()
    metadata, spec = deployment["metadata"], deployment["spec"]["template"]["spec"]
    container = _container(deployment)
    args: list[str] = list(container["args"])
    wanted = {int(port) for arg in args if (port := _port(arg)) is not None}
    wanted |= {each["containerPort"] for each in container.get("ports", ())}
    ports = dict(zip(wanted, free_ports(len(wanted)), strict=True))
    args = [_PORT.sub(lambda m: f"{m['flag']}={ports[int(m['port'])]}", arg) for arg in args]
    for volume, path, data in _mounted(cluster, spec):
        here = folder / volume
        here.mkdir()
        for name, text in data.items():
            (here / name).write_text(change(text, ports), encoding="utf-8")
        args = [re.sub(rf"(?<![^=]){re.escape(path)}(?=/|$)", str(here), arg) for arg in args]
    environment = {
        **os.environ,
        **{each["name"]: _variable(each, metadata) for each in container.get("env", ())},
        "KUBECONFIG": str(_kubeconfig(client, metadata, spec, folder)),
    }
    program = program_of(deployment)
    if program is None:
        raise LookupError(f"no program here is the image {container['image']}")
    return Workload(
        metadata["name"],
        Program(running, folder / f"{metadata['name']}.log", [program, *args], environment),
        ports,
        container,
    )


def _container(deployment: Manifest) -> dict[str, Any]:
    return deployment["spec"]["template"]["spec"]["containers"][0]


def _port(arg: str) -> str | None:
    found = _PORT.fullmatch(arg)
    return found["port"] if found else None


def _variable(variable: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    """Return the value that the kubelet gives a variable."""
    if "value" in variable:
        return variable["value"]
    fields = {
        "metadata.namespace": metadata["namespace"],
        "metadata.name": f"{metadata['name']}-0000000000-00000",
    }
    return fields[variable["valueFrom"]["fieldRef"]["fieldPath"]]


def files(cluster: Cluster, deployment: Manifest) -> list[str]:
    """Return what its container mounts of ConfigMaps, as it is deployed."""
    mounted = _mounted(cluster, deployment["spec"]["template"]["spec"])
    return [text for _, _, data in mounted for text in data.values()]


def _mounted(
    cluster: Cluster, spec: Mapping[str, Any]
) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Yield volume, path and files of each ConfigMap that the first container mounts."""
    sources = {
        volume["name"]: volume["configMap"]["name"]
        for volume in spec.get("volumes", ())
        if "configMap" in volume
    }
    for mount in spec["containers"][0].get("volumeMounts", ()):
        if mount["name"] in sources:
            data = cluster.one("ConfigMap", sources[mount["name"]])["data"]
            yield mount["name"], mount["mountPath"], data


def _kubeconfig(
    client: Client, metadata: Mapping[str, Any], spec: Mapping[str, Any], folder: Path
) -> Path:
    """Write how the pod reaches the API server, as its own service account."""
    namespace, account = metadata["namespace"], spec["serviceAccountName"]
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    request: Manifest = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {},
    }
    token = client.request("POST", path, request)["status"]["token"]
    file = folder / "kubeconfig"
    write_kubeconfig(file, client, token, namespace)
    return file


def write_kubeconfig(file: Path, client: Client, token: str, namespace: str = "default") -> None:
    """Write how a program reaches the API server with a token."""
    entry = {"server": client.url, "certificate-authority": str(client.certificate)}
    context = {"cluster": "here", "user": "pod", "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": entry}],
        "users": [{"name": "pod", "user": {"token": token}}],
        "contexts": [{"name": "here", "context": context}],
        "current-context": "here",
    }
    write_private(file, json.dumps(document))

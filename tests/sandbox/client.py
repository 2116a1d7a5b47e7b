"""A small engine: calls a provider over gRPC the way the real one does."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.check import Failure
from sandbox.values import Values, from_struct, to_struct


def urn_of(token: str, name: str) -> str:
    """Return the URN of a resource in a stack named dev."""
    return f"urn:pulumi:dev::test::{token}::{name}"


class RefusedError(Exception):
    """The provider's error; `str()` is its message."""


class Client:
    """One provider resource's connection. Inputs and outputs are plain property maps."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self.stub, method)(request)
        except grpc.RpcError as error:
            raise RefusedError(error.details()) from None  # a Call too

    def configure(self, **settings: Any) -> None:
        request = provider_pb2.ConfigureRequest(args=to_struct(settings), acceptSecrets=True)
        self._call("Configure", request)

    def check_config(self, settings: Values) -> list[Failure]:
        request = provider_pb2.CheckRequest(urn="urn:provider", news=to_struct(settings))
        failures = self._call("CheckConfig", request).failures
        return [Failure(failure.property, failure.reason) for failure in failures]

    def diff_config(self, old: Values, new: Values) -> Any:
        request = provider_pb2.DiffRequest(old_inputs=to_struct(old), news=to_struct(new))
        return self._call("DiffConfig", request)

    def checked(
        self, token: str, inputs: Values, *, name: str = "it", olds: Values | None = None
    ) -> tuple[Values, list[Failure]]:
        response = self._call(
            "Check",
            provider_pb2.CheckRequest(
                urn=urn_of(token, name),
                type=token,
                name=name,
                news=to_struct(inputs),
                olds=to_struct(olds or {}),
                randomSeed=b"\x01\x02\x03\x04",
            ),
        )
        failures = [Failure(failure.property, failure.reason) for failure in response.failures]
        return from_struct(response.inputs), failures

    def create(
        self, token: str, inputs: Values, *, name: str = "it", preview: bool = False
    ) -> tuple[str, Values]:
        checked, failures = self.checked(token, inputs, name=name)
        if failures:
            raise RefusedError("; ".join(failure.reason for failure in failures))
        response = self._call(
            "Create",
            provider_pb2.CreateRequest(
                urn=urn_of(token, name),
                type=token,
                name=name,
                properties=to_struct(checked),
                preview=preview,
            ),
        )
        return response.id, from_struct(response.properties)

    def diff(self, token: str, id_: str, old: Values, new: Values) -> Any:
        return self._call(
            "Diff",
            provider_pb2.DiffRequest(
                id=id_,
                urn=urn_of(token, "it"),
                type=token,
                olds=to_struct(old),
                old_inputs=to_struct(old),
                news=to_struct(new),
            ),
        )

    def update(
        self, token: str, id_: str, old: Values, new: Values, *, preview: bool = False
    ) -> Values:
        response = self._call(
            "Update",
            provider_pb2.UpdateRequest(
                id=id_,
                urn=urn_of(token, "it"),
                type=token,
                olds=to_struct(old),
                old_inputs=to_struct(old),
                news=to_struct(new),
                preview=preview,
            ),
        )
        return from_struct(response.properties)

    def read(self, token: str, id_: str) -> tuple[str, Values, Values]:
        response = self._call(
            "Read", provider_pb2.ReadRequest(id=id_, urn=urn_of(token, "it"), type=token)
        )
        return response.id, from_struct(response.inputs), from_struct(response.properties)

    def delete(self, token: str, id_: str, state: Values | None = None) -> None:
        self._call(
            "Delete",
            provider_pb2.DeleteRequest(
                id=id_,
                urn=urn_of(token, "it"),
                type=token,
                properties=to_struct(state or {}),
                old_inputs=to_struct(state or {}),
            ),
        )

    def invoke(self, token: str, **arguments: Any) -> Values:
        request = provider_pb2.InvokeRequest(tok=token, args=to_struct(arguments))
        return from_struct(getattr(self._call("Invoke", request), "return"))

    def enable(self, *services: str) -> None:
        for service in services:
            inputs = {"service": f"{service}.googleapis.com"}
            self.create("gcp:projects/service:Service", inputs, name=service)


@contextmanager
def connect(port: int) -> Generator[Client]:
    """Yield a connection of its own, as the engine opens one per provider resource."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield Client(channel)

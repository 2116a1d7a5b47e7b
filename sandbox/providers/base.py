"""What both providers share: connections, errors on the wire, deletions and diffs of configuration.

One server serves every provider resource of a program (two clusters are two `kubernetes` provider
resources on one port). The engine opens a connection for each, so the connection tells them apart.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.check import Checker, Failure
from sandbox.diff import Change, changes
from sandbox.errors import CloudError, NotReadyError
from sandbox.faults import Call, Faults
from sandbox.providers.status import status_type
from sandbox.sdk_types import provider_inputs
from sandbox.values import Secret, Value, Values, from_struct, plain_map, to_struct
from sandbox.world import CloudResource, World, WorldError

Config = TypeVar("Config")
Handler = Callable[[Any, grpc.ServicerContext], Any]
_LOG: Final = logging.getLogger("sandbox")
_ENGINE_KEYS: Final = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "__internal"})
_METHODS: Final = tuple(
    name for name in vars(provider_pb2_grpc.ResourceProviderServicer) if not name.startswith("_")
)
_INPUTS: Final = {
    "Create": "properties",
    "Update": "news",
    "Read": "inputs",
    "Delete": "old_inputs",
}
"""Where the calls that change or read a resource have its inputs."""
_DIFF_KINDS: Final = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def check_response(inputs: Values, failures: list[Failure]) -> provider_pb2.CheckResponse:
    """Return the answer of Check and CheckConfig."""
    return provider_pb2.CheckResponse(
        inputs=to_struct(inputs),
        failures=[
            provider_pb2.CheckFailure(property=failure.path, reason=failure.reason)
            for failure in failures
        ],
    )


def diff_response(
    found: list[Change], replacing: set[str], *, delete_first: bool
) -> provider_pb2.DiffResponse:
    """Return the detailed answer of Diff; `replacing` holds the paths that need a new resource."""
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME
        if found
        else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({change.path.split(".")[0].split("[")[0] for change in found}),
        replaces=sorted(replacing),
        deleteBeforeReplace=bool(replacing) and delete_first,
        hasDetailedDiff=True,
        detailedDiff={
            change.path: provider_pb2.PropertyDiff(
                kind=_DIFF_KINDS[change.kind, change.path in replacing], inputDiff=True
            )
            for change in found
        },
    )


class Provider(Generic[Config]):
    """A resource provider over a world. Requests and answers are the engine's messages."""

    package: ClassVar[str]
    version: ClassVar[str]

    def __init__(self, world: World) -> None:
        self.world = world

    def configured(self, settings: Values) -> Config:
        """Return the meaning of a provider resource's configuration."""
        raise NotImplementedError

    def config_replaces(self, old: Values, new: Values) -> set[str]:
        """Return the configuration properties whose change replaces everything the provider
        made."""
        del old, new
        return set()

    def check(self, request: Any, config: Config) -> Any:
        """Check inputs and fill in defaults."""
        raise NotImplementedError

    def diff(self, request: Any, config: Config) -> Any:
        """Compare the inputs of two deployments."""
        raise NotImplementedError

    def create(self, request: Any, config: Config) -> Any:
        """Make a resource, or answer what is known of it before it exists."""
        raise NotImplementedError

    def update(self, request: Any, config: Config) -> Any:
        """Change a resource in place."""
        raise NotImplementedError

    def read(self, request: Any, config: Config) -> Any:
        """Return what the cloud knows of a resource; no id when it is gone."""
        raise NotImplementedError

    def delete(self, request: Any, config: Config) -> Any:
        """Delete a resource."""
        raise NotImplementedError

    def forget(self, resource: CloudResource) -> None:
        """Delete what no program asks for any more, whatever uses it."""
        raise NotImplementedError

    def invoke(self, request: Any, config: Config) -> Any:
        """Answer a function."""
        raise NotImplementedError

    def check_config(self, request: Any) -> provider_pb2.CheckResponse:
        """Check the names of a provider's configuration; the SDK sends nested values as JSON."""
        news = from_struct(request.news)
        checker = Checker(f"pulumi:providers:{self.package}", lenient=True)
        named: Values = {
            name: value
            for name, value in news.items()
            if name not in _ENGINE_KEYS and not _is_json(value)
        }
        return check_response(news, checker.check(named, provider_inputs(self.package)))

    def diff_config(self, request: Any) -> provider_pb2.DiffResponse:
        """Compare two configurations of a provider."""
        old = from_struct(request.old_inputs) or from_struct(request.olds)
        new = from_struct(request.news)
        found = [c for c in changes(old, new, _same) if c.path not in _ENGINE_KEYS]
        replacing = self.config_replaces(old, new) & {change.path for change in found}
        return diff_response(found, replacing, delete_first=True)


class Wire(provider_pb2_grpc.ResourceProviderServicer):
    """Puts a provider on the wire: configurations by connection, refusals as gRPC statuses.

    What is not listed here (Handshake, Construct, Call...) answers UNIMPLEMENTED, after which the
    engine does without.
    """

    def __init__(self, provider: Provider[Any], faults: Faults | None = None) -> None:
        self._provider = provider
        self.faults = faults or Faults(provider.world)
        self._configs: dict[str, Any] = {}
        for name in _METHODS:
            self._serve(name, _unimplemented(name))
        fixed: dict[str, Any] = {
            "Attach": empty_pb2.Empty(),
            "Cancel": empty_pb2.Empty(),
            "GetPluginInfo": plugin_pb2.PluginInfo(version=provider.version),
            "GetMapping": provider_pb2.GetMappingResponse(),
            "GetMappings": provider_pb2.GetMappingsResponse(),
        }
        for name, answer in fixed.items():
            self._serve(name, _always(answer))
        for name in ("Check", "Diff", "Create", "Update", "Read", "Delete", "Invoke"):
            method = self._configured(getattr(provider, name.lower()))
            self._serve(name, self._befallen(name, method) if name in _INPUTS else method)
        self._serve("CheckConfig", lambda request, _: provider.check_config(request))
        self._serve("DiffConfig", lambda request, _: provider.diff_config(request))
        self._serve("Configure", self._configure)

    def _serve(self, name: str, handler: Handler) -> None:
        """Offer a method; its refusals become statuses, its defects one readable line."""

        def served(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                return handler(request, context)
            except NotReadyError as error:
                context.abort_with_status(_not_ready(error))
            except CloudError as error:
                context.abort(error.status, str(error))
            except WorldError as error:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            except Exception as error:
                _LOG.exception("defect in %s", name)
                subject = getattr(request, "urn", "") or getattr(request, "tok", "")
                context.abort(
                    grpc.StatusCode.INTERNAL,
                    f"the sandbox cloud failed in {name} of {subject}: {type(error).__name__}: "
                    f"{error}; this is a defect of the sandbox, not of the program",
                )

        setattr(self, name, served)

    def _configured(self, method: Callable[[Any, Any], Any]) -> Handler:
        return lambda request, context: method(request, self._config(context))

    def _befallen(self, name: str, method: Handler) -> Handler:
        """Let a call end as the faults of the plan have it; a preview calls no cloud."""

        def handler(request: Any, context: grpc.ServicerContext) -> Any:
            if not self.faults.plan or getattr(request, "preview", False):
                return method(request, context)
            inputs = plain_map(from_struct(getattr(request, _INPUTS[name])))
            id_ = getattr(request, "id", "")
            call = Call(name.lower(), request.type, request.urn, inputs, id_)
            return self.faults.play(call, lambda: method(request, context))

        return handler

    def _config(self, context: grpc.ServicerContext) -> Any:
        found = self._configs.get(context.peer())
        if found is None and len(self._configs) == 1:
            return next(iter(self._configs.values()))
        if found is None:
            raise CloudError(
                f"the connection of a {self._provider.package} provider to the sandbox was lost; "
                "run the command again"
            )
        return found

    def _configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        settings = plain_map(from_struct(request.args))
        self._configs[context.peer()] = self._provider.configured(settings)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            acceptResources=False,
            acceptOutputs=False,
            supports_autonaming_configuration=True,
        )


@dataclass(frozen=True)
class _Status:
    """A gRPC status as its server takes one."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


def _not_ready(error: NotReadyError) -> Any:
    """Return the status by which the engine keeps a resource with what it lacks."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.id, properties=error.properties, reasons=[str(error)]
    )
    status = status_type()(code=error.status.value[0], message=str(error))
    status.details.add().Pack(detail)
    metadata = (("grpc-status-details-bin", status.SerializeToString()),)
    return _Status(error.status, str(error), metadata)


def _unimplemented(name: str) -> Handler:
    def handler(request: Any, context: grpc.ServicerContext) -> Any:
        del request, context
        raise CloudError(f"the sandbox does not offer {name}", grpc.StatusCode.UNIMPLEMENTED)

    return handler


def _always(answer: Any) -> Handler:
    def handler(request: Any, context: grpc.ServicerContext) -> Any:
        del request, context
        return answer

    return handler


def _is_json(value: Value) -> bool:
    text = value.value if isinstance(value, Secret) else value
    return isinstance(text, str) and text[:1] in {"{", "["}


def _same(value: Value) -> Value:
    return value


def autoname(request: Any, key: str) -> tuple[str | None, Failure | None]:
    """Return a name for a resource that was given none: from the engine's rule, else name and
    suffix."""
    options = provider_pb2.CheckRequest.AutonamingOptions
    if request.HasField("autonaming"):
        if request.autonaming.mode == options.DISABLE:
            return None, Failure(
                key,
                f"missing required property '{key}' of {request.type}: automatic names are "
                "disabled for this stack; give the resource a name",
            )
        return request.autonaming.proposed_name, None
    suffix = (request.randomSeed or request.urn.encode()).hex()[:7]
    name = request.name or request.urn.rsplit("::", 1)[-1]
    return f"{name}-{suffix}", None


def invoke_response(result: Values) -> provider_pb2.InvokeResponse:
    """Return the answer of Invoke."""
    response = provider_pb2.InvokeResponse()
    getattr(response, "return").CopyFrom(to_struct(result))
    return response

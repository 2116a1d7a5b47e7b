"""The `kubernetes` provider: built-in kinds and custom resources in the sandbox's clusters."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any, ClassVar

from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.check import Checker, Failure
from sandbox.diff import changes, matches
from sandbox.errors import CloudError, kubernetes
from sandbox.gcp.effects.cluster import CLUSTER
from sandbox.kubernetes.cluster import Access, Cluster, access_of, find_cluster, reach
from sandbox.kubernetes.controllers import after_apply, before_delete, settle
from sandbox.kubernetes.decode import decode
from sandbox.kubernetes.kinds import check_served, is_namespaced
from sandbox.kubernetes.known import known, row
from sandbox.kubernetes.objects import (
    RELEASE,
    Kind,
    metadata_of,
    name_holder,
    object_id,
    split_id,
)
from sandbox.kubernetes.outputs import outputs_of, previewed, previewed_release
from sandbox.kubernetes.references import check_references
from sandbox.kubernetes.rules import selector_failures
from sandbox.kubernetes.schemas import check_object
from sandbox.names import kubernetes_names
from sandbox.providers.base import (
    Provider,
    autoname,
    check_response,
    diff_response,
    invoke_response,
)
from sandbox.sdk_shapes import ANY, Property
from sandbox.sdk_types import resource_type
from sandbox.values import (
    Secret,
    Unknown,
    Values,
    as_map,
    from_struct,
    has_unknown,
    is_map,
    marked_map,
    plain_map,
    to_struct,
)
from sandbox.world import CloudResource, World

_AUTONAMED = "pulumi.com/autonamed"
_IDENTITY = ("metadata.name", "metadata.namespace", "apiVersion", "kind")
_RELEASE_IDENTITY = ("name", "namespace")


class KubernetesProvider(Provider[Access]):
    """Serves the engine for all `kubernetes` provider resources, one cluster each.

    `patience`: seconds without any change in the world after which a missing reference is an error.
    """

    package: ClassVar[str] = "kubernetes"
    version: ClassVar[str] = metadata.version("pulumi-kubernetes")

    def __init__(self, world: World, patience: float = 10.0) -> None:
        super().__init__(world)
        self.patience = patience

    def configured(self, settings: Values) -> Access:
        """Find the cluster; what its controllers were left to do is done by now."""
        access = access_of(settings)
        cluster = find_cluster(self.world, access)
        if cluster is not None:
            settle(self.world, cluster)
        return access

    def config_replaces(self, old: Values, new: Values) -> set[str]:
        """Return another API server means another cluster."""
        before, after = access_of(plain_map(old)), access_of(plain_map(new))
        if has_unknown(new.get("kubeconfig")) or before.host == after.host:
            return set()
        return {"kubeconfig", "context"}

    def check(self, request: Any, config: Access) -> provider_pb2.CheckResponse:
        """Check an object against its type or schema; name it and place it in a namespace."""
        kind = Kind(request.type)
        news, olds = from_struct(request.news), from_struct(request.olds)
        cluster = find_cluster(self.world, config)
        failures = self._failures(kind, cluster, news)
        named, failure = _named(request, kind, news, olds)
        if failure:
            failures.append(failure)
        holder = name_holder(kind, named)
        if is_namespaced(self.world, cluster, kind) and holder and "namespace" not in holder:
            named = _with(kind, named, {"namespace": config.namespace})
        failures += kubernetes_names(kind, plain_map(named))
        failures += selector_failures(kind, plain_map(named))
        return check_response(named, failures)

    def _failures(self, kind: Kind, cluster: Cluster | None, news: Values) -> list[Failure]:
        checker = Checker(kind.token, lenient=False)
        builtin = resource_type(kind.token)
        if builtin is not None:
            return checker.check(news, builtin.inputs)
        found = checker.check(news, _envelope(news))
        return found + check_object(self.world, cluster, kind, plain_map(news))

    def diff(
        self,
        request: Any,
        config: Access,  # noqa: ARG002 -- the base's signature
    ) -> provider_pb2.DiffResponse:
        """Compare objects; their identity and immutable fields replace."""
        kind = Kind(request.type)
        old = plain_map(from_struct(request.old_inputs))
        new = plain_map(from_struct(request.news))
        found = changes(old, new, lambda value: value)
        rules = [*row(kind).get("immutable", ())]
        rules += _RELEASE_IDENTITY if kind.token == RELEASE else _IDENTITY
        if kind.name in {"ConfigMap", "Secret"} and old.get("immutable"):
            rules += ["data", "binaryData", "stringData"]
        replacing = {change.path for change in found if matches(change.pattern, rules)}
        before, after = name_holder(kind, old), name_holder(kind, new)
        same = all(before.get(key) == after.get(key) for key in ("name", "namespace"))
        return diff_response(found, replacing, delete_first=same)

    def _id(self, kind: Kind, cluster: Cluster | None, inputs: Values) -> str:
        holder = name_holder(kind, inputs)
        namespaced = is_namespaced(self.world, cluster, kind)
        namespace = str(holder.get("namespace", "default")) if namespaced else ""
        return object_id(namespace, str(holder["name"]))

    def create(self, request: Any, config: Access) -> provider_pb2.CreateResponse:
        """Apply a new object, or answer what is known of it before."""
        given = from_struct(request.properties)
        inputs, kind = plain_map(given), Kind(request.type)
        if request.preview:
            outputs = _preview(kind, inputs, {})
            return provider_pb2.CreateResponse(properties=to_struct(_secured(kind, outputs, given)))
        cluster = reach(self.world, config)
        id_ = self._id(kind, cluster, inputs)
        check_served(self.world, cluster, kind)
        self._check_namespace(cluster, kind, id_, inputs)
        _refuse(check_object(self.world, cluster, kind, inputs))
        found = self.world.get(kind.token, id_, cluster.id)
        adopted = self.world.lost.pop((kind.token, id_, cluster.id), None)
        if found is not None and adopted is None and not config.upsert and not kind.is_patch:
            raise kubernetes(f'{kind.plural} "{split_id(id_)[1]}" already exists')
        outputs = self._apply(cluster, kind, id_, inputs, request.urn)
        return provider_pb2.CreateResponse(
            id=id_, properties=to_struct(_secured(kind, outputs, given))
        )

    def _check_namespace(self, cluster: Cluster, kind: Kind, id_: str, inputs: Values) -> None:
        namespace = split_id(id_)[0]
        if not namespace or namespace in known()["namespaces"]:
            return
        if kind.token == RELEASE and inputs.get("createNamespace"):
            return
        if self.world.get("kubernetes:core/v1:Namespace", namespace, cluster.id) is None:
            raise kubernetes(f'namespaces "{namespace}" not found')

    def _apply(self, cluster: Cluster, kind: Kind, id_: str, inputs: Values, urn: str) -> Values:
        check_references(self.world, cluster, kind, id_, inputs, self.patience)
        with self.world.transaction():
            old = self.world.get(kind.token, id_, cluster.id)
            applied = CloudResource(
                kind.token,
                id_,
                cluster.id,
                cluster.project,
                urn=urn,
                inputs=inputs,
                outputs=outputs_of(cluster, kind, id_, inputs, old),
            )
            self.world.put(applied)
            return after_apply(self.world, cluster, kind, applied, old).outputs

    def update(self, request: Any, config: Access) -> provider_pb2.UpdateResponse:
        """Apply a changed object."""
        given, olds = from_struct(request.news), from_struct(request.olds)
        inputs, kind = plain_map(given), Kind(request.type)
        if request.preview:
            outputs = _preview(kind, inputs, plain_map(olds))
            return provider_pb2.UpdateResponse(
                properties=to_struct(_secured(kind, outputs, given, olds))
            )
        cluster = reach(self.world, config)
        if self.world.get(kind.token, request.id, cluster.id) is None:
            raise kubernetes(f'{kind.plural} "{split_id(request.id)[1]}" not found')
        _refuse(check_object(self.world, cluster, kind, inputs))
        outputs = self._apply(cluster, kind, request.id, inputs, request.urn)
        return provider_pb2.UpdateResponse(
            properties=to_struct(_secured(kind, outputs, given, olds))
        )

    def read(self, request: Any, config: Access) -> provider_pb2.ReadResponse:
        """Return the live object; no id when it is gone."""
        kind = Kind(request.type)
        if config.delete_unreachable and find_cluster(self.world, config) is None:
            return provider_pb2.ReadResponse()
        cluster = reach(self.world, config)
        id_ = request.id
        if "/" not in id_ and is_namespaced(self.world, cluster, kind):
            id_ = f"default/{id_}"
        found = self.world.get(kind.token, id_, cluster.id)
        if found is None:
            return provider_pb2.ReadResponse()
        olds, old_inputs = from_struct(request.properties), from_struct(request.inputs)
        return provider_pb2.ReadResponse(
            id=id_,
            properties=to_struct(_secured(kind, found.outputs, olds)),
            inputs=to_struct(marked_map(found.inputs, old_inputs)),
        )

    def delete(self, request: Any, config: Access) -> empty_pb2.Empty:
        """Delete an object and what its controllers made."""
        kind = Kind(request.type)
        if config.delete_unreachable and find_cluster(self.world, config) is None:
            return empty_pb2.Empty()
        cluster = reach(self.world, config)
        self._remove(cluster, kind, request.id)
        return empty_pb2.Empty()

    def forget(self, resource: CloudResource) -> None:
        """Delete what no program asks for any more, whatever uses it."""
        cluster = self.world.get(CLUSTER, resource.scope)
        if cluster is not None:
            self._remove(Cluster(cluster), Kind(resource.type), resource.id)

    def _remove(self, cluster: Cluster, kind: Kind, id_: str) -> None:
        with self.world.transaction():
            found = self.world.get(kind.token, id_, cluster.id)
            if found is not None:
                before_delete(self.world, cluster, kind, found)
                self.world.remove(kind.token, id_, cluster.id)

    def invoke(
        self,
        request: Any,
        config: Access,  # noqa: ARG002 -- the base's signature
    ) -> provider_pb2.InvokeResponse:
        """Answer a function of the SDK: only `kubernetes:yaml:decode` has a use here."""
        if request.tok != "kubernetes:yaml:decode":
            raise CloudError(
                f"the sandbox has no function '{request.tok}'; allowed: kubernetes:yaml:decode"
            )
        result = {"result": decode(plain_map(from_struct(request.args)))}
        return invoke_response(result)


def _envelope(news: Values) -> Mapping[str, Property]:
    """Return what every custom resource has; the rest is its schema's business."""
    config_map = resource_type("kubernetes:core/v1:ConfigMap")
    assert config_map is not None  # noqa: S101 -- the SDK is pinned
    free = {name: Property(name, ANY, False) for name in news}
    return {**free, "metadata": config_map.inputs["metadata"]}


def _named(request: Any, kind: Kind, news: Values, olds: Values) -> tuple[Values, Failure | None]:
    """Return the inputs with a name: given, kept from before, or made from the resource's."""
    metadata = news.get("metadata")
    if kind.token != RELEASE and isinstance(metadata, Unknown | Secret):
        return news, None
    holder = name_holder(kind, news)
    if holder.get("name") is not None or holder.get("generateName") is not None:
        return news, None
    key = "name" if kind.token == RELEASE else "metadata.name"
    if kind.is_patch:
        return news, Failure(key, f"missing required property '{key}' of {kind.token}")
    name, failure = autoname(request, key)
    old = name_holder(kind, olds)
    if kind.token == RELEASE:
        return {**news, "name": name}, failure
    was = as_map(old.get("annotations")).get(_AUTONAMED)
    annotations = {**as_map(holder.get("annotations")), _AUTONAMED: "true"}
    kept = old.get("name") if was else None
    return _with(kind, news, {"name": kept or name, "annotations": annotations}), failure


def _with(kind: Kind, inputs: Values, extra: Values) -> Values:
    if kind.token == RELEASE:
        return {**inputs, **extra}
    return {**inputs, "metadata": {**metadata_of(inputs), **extra}}


def _preview(kind: Kind, inputs: Values, old: Values) -> Values:
    return previewed_release(inputs, old) if kind.token == RELEASE else previewed(inputs, old)


def _refuse(failures: list[Failure]) -> None:
    if failures:
        raise kubernetes(
            "failed to create typed patch object: " + "; ".join(f.reason for f in failures)
        )


def _secured(kind: Kind, outputs: Values, *likes: Values) -> Values:
    """Return the contents of a Secret are secret even when the program gave them in the open."""
    result = marked_map(outputs, *likes)
    if kind.name == "Secret" and not kind.group:
        for name in ("data", "stringData"):
            if is_map(result.get(name)):
                result[name] = Secret(plain_map(result[name]))
    return result

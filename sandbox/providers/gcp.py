"""The `gcp` provider: every type of the pulumi-gcp SDK, made in the sandbox world."""

import json
import re
from dataclasses import replace
from importlib import metadata
from typing import Any, ClassVar, cast

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.check import Checker, Failure
from sandbox.diff import Change
from sandbox.errors import CloudError, google
from sandbox.gcp.conditions import conditions
from sandbox.gcp.constraints import refusals
from sandbox.gcp.deletion import check_protection, check_unused
from sandbox.gcp.effects import effect_of, psc
from sandbox.gcp.facts import Facts, Node, facts_of
from sandbox.gcp.functions import invoke
from sandbox.gcp.identifiers import expand, id_format, is_upsert, make_id
from sandbox.gcp.immutability import differences, replaces
from sandbox.gcp.naming import project_number
from sandbox.gcp.outputs import outputs_of, previewed
from sandbox.gcp.references import check_references
from sandbox.gcp.request import ProviderConfig, Request, effective
from sandbox.gcp.rights import check_rights
from sandbox.gcp.services import check_enabled
from sandbox.gcp.write_only import readable
from sandbox.names import google_names
from sandbox.providers.base import (
    Provider,
    autoname,
    check_response,
    diff_response,
    invoke_response,
)
from sandbox.sdk_types import ResourceType, resource_type
from sandbox.values import (
    UNKNOWN,
    Secret,
    Unknown,
    Value,
    Values,
    from_struct,
    has_unknown,
    is_list,
    is_map,
    marked_map,
    plain_map,
    to_struct,
)
from sandbox.world import EXISTING, CloudResource

_DEFAULTS = "__defaults"


class GcpProvider(Provider[ProviderConfig]):
    """Serves the engine for all `gcp` provider resources."""

    package: ClassVar[str] = "gcp"
    version: ClassVar[str] = metadata.version("pulumi-gcp")

    def configured(self, settings: Values) -> ProviderConfig:
        """Return project, region, zone and default labels; the project exists from now on."""
        project = str(settings.get("project", ""))
        if project:
            self.world.add_project(project, project_number(project))
        labels = settings.get("defaultLabels", {})
        if isinstance(labels, str):
            labels = json.loads(labels)
        return ProviderConfig(
            project,
            str(settings.get("region", "")),
            str(settings.get("zone", "")),
            cast("dict[str, str]", labels) if is_map(labels) else {},
        )

    def _type(self, token: str) -> ResourceType:
        found = resource_type(token)
        if found is None:
            raise CloudError(
                f"unknown resource type '{token}': allowed are the types of pulumi-gcp "
                f"{self.version}",
                grpc.StatusCode.UNIMPLEMENTED,
            )
        return found

    def _request(self, request: Any, config: ProviderConfig, inputs: Values) -> Request:
        kind = self._type(request.type)
        return Request(self.world, kind, config, request.urn, effective(kind, inputs, config))

    def check(self, request: Any, config: ProviderConfig) -> provider_pb2.CheckResponse:  # noqa: ARG002 -- the base's signature
        """Check inputs against the SDK's types, and name what has no name."""
        kind = self._type(request.type)
        news, olds = from_struct(request.news), from_struct(request.olds)
        unnamed: list[Failure] = []
        if _is_autonamed(kind) and news.get("name") is None:
            name, failure = autoname(request, "name")
            kept = olds.get("name") if "name" in olds.get(_DEFAULTS, []) else None
            unnamed = [failure] if failure else []
            news = {**news, "name": kept or name, _DEFAULTS: ["name"]}
        return check_response(news, [*unnamed, *failures_of(kind, news, olds)])

    def put_existing(self, kind: ResourceType, inputs: Values, id_: str) -> None:
        """Put what others made into the world; an id of '' is worked out from the inputs."""
        wanted = Request(self.world, kind, ProviderConfig(), "", inputs)
        wanted = replace(wanted, id=id_ or make_id(wanted))
        if self.world.get(kind.token, wanted.id) is None:
            with self.world.transaction():
                self._put(wanted, inputs, EXISTING)

    def diff(self, request: Any, config: ProviderConfig) -> provider_pb2.DiffResponse:
        """Compare inputs; immutable ones replace."""
        kind = self._type(request.type)
        old = plain_map(from_struct(request.old_inputs))
        new = plain_map(from_struct(request.news))
        found = differences(kind, old, new)
        replacing = {change.path for change in found if replaces(kind, change, old, new)}
        if psc.recreates_closed(kind.token, plain_map(from_struct(request.olds)), new):
            found.append(Change(psc.STATUS, "update"))
            replacing.add(psc.STATUS)
        delete_first = bool(replacing) and self._same_id(request, config, new)
        return diff_response(found, replacing, delete_first=delete_first)

    def _same_id(self, request: Any, config: ProviderConfig, new: Values) -> bool:
        """Return whether the replacement would collide with what it replaces."""
        kind, pattern = self._type(request.type), id_format(self._type(request.type)) or ""
        if is_upsert(kind.token) or "{{*}}" in pattern or has_unknown(new.get("name")):
            return False
        known = {key: value for key, value in new.items() if not has_unknown(value)}
        return make_id(self._request(request, config, known)) == request.id

    def create(self, request: Any, config: ProviderConfig) -> provider_pb2.CreateResponse:
        """Make a resource, or answer what is known of it before it exists."""
        given = from_struct(request.properties)
        inputs = _own(given)
        wanted = self._request(request, config, inputs)
        if request.preview:
            outputs = marked_map(previewed(wanted), given)
            return provider_pb2.CreateResponse(properties=to_struct(outputs))
        with self.world.transaction():
            _check_project(wanted)
            check_enabled(wanted)
            wanted = replace(wanted, id=self._id(wanted))
            found = self.world.get(wanted.type.token, wanted.id)
            adopted = self.world.lost.pop((wanted.type.token, wanted.id, ""), None)
            if found is not None and adopted is None and not is_upsert(wanted.type.token):
                raise google(409, f"The resource '{wanted.id}' already exists", "alreadyExists")
            outputs = self._write(replace(wanted, old=adopted.outputs if adopted else {}), inputs)
        return provider_pb2.CreateResponse(
            id=wanted.id, properties=to_struct(_secured(wanted.type, outputs, given))
        )

    def _id(self, wanted: Request) -> str:
        """Return the id it gets; one the cloud chooses is that of its lost forerunner, if there
        is one."""
        if "{{*}}" in (id_format(wanted.type) or ""):
            for lost in list(self.world.lost.values()):
                if (lost.type, lost.urn) == (wanted.type.token, wanted.urn):
                    return lost.id
        return make_id(wanted)

    def _write(self, request: Request, inputs: Values) -> Values:
        check_references(request)
        check_rights(request)
        effect_of(request.type.token).check(request)
        return self._put(request, inputs, "pulumi")

    def _put(self, request: Request, inputs: Values, owner: str) -> Values:
        effect = effect_of(request.type.token)
        outputs = outputs_of(request, effect.outputs(request))
        self.world.put(
            CloudResource(
                request.type.token,
                request.id,
                project=request.project,
                owner=owner,
                urn=request.urn,
                inputs=inputs,
                outputs=outputs,
            )
        )
        effect.after_write(request)
        written = self.world.get(request.type.token, request.id)
        return {**outputs, **written.outputs} if written else outputs

    def update(self, request: Any, config: ProviderConfig) -> provider_pb2.UpdateResponse:
        """Change a resource in place."""
        given, olds = from_struct(request.news), from_struct(request.olds)
        inputs = _own(given)
        wanted = replace(self._request(request, config, inputs), id=request.id, old=plain_map(olds))
        if request.preview:
            outputs = marked_map(previewed(wanted), given, olds)
            return provider_pb2.UpdateResponse(properties=to_struct(outputs))
        with self.world.transaction():
            found = self.world.get(wanted.type.token, request.id)
            if found is None:
                raise google(404, f"The resource '{request.id}' was not found", "notFound")
            outputs = self._write(replace(wanted, old=found.outputs), inputs)
        return provider_pb2.UpdateResponse(
            properties=to_struct(_secured(wanted.type, outputs, given, olds))
        )

    def read(self, request: Any, config: ProviderConfig) -> provider_pb2.ReadResponse:
        """Return what the cloud knows of a resource; no id when it is gone."""
        kind = self._type(request.type)
        found = self.world.get(kind.token, request.id)
        if found is None:
            found = self.world.get(kind.token, expand(kind, request.id, config))
        if found is None:
            return provider_pb2.ReadResponse()
        olds, old_inputs = from_struct(request.properties), from_struct(request.inputs)
        inputs = readable(found.inputs)
        if _DEFAULTS in old_inputs:
            inputs[_DEFAULTS] = old_inputs[_DEFAULTS]
        return provider_pb2.ReadResponse(
            id=found.id,
            properties=to_struct(_secured(kind, found.outputs, olds)),
            inputs=to_struct(marked_map(inputs, old_inputs)),
        )

    def delete(self, request: Any, config: ProviderConfig) -> empty_pb2.Empty:
        """Delete a resource unless it is protected or in use."""
        olds = plain_map(from_struct(request.properties))
        inputs = _own(from_struct(request.old_inputs))
        unwanted = replace(self._request(request, config, inputs), id=request.id, old=olds)
        with self.world.transaction():
            check_protection(unwanted)
            found = self.world.get(unwanted.type.token, request.id)
            if found is None or olds.get("deletionPolicy") == "ABANDON":
                return empty_pb2.Empty()
            check_unused(unwanted)
            self._remove(unwanted)
        return empty_pb2.Empty()

    def forget(self, resource: CloudResource) -> None:
        """Delete what no program asks for any more, whatever uses it."""
        kind = self._type(resource.type)
        config = ProviderConfig(resource.project, "", "", {})
        with self.world.transaction():
            self._remove(
                Request(
                    *(self.world, kind, config, resource.urn),
                    inputs=effective(kind, resource.inputs, config),
                    id=resource.id,
                    old=resource.outputs,
                )
            )

    def _remove(self, unwanted: Request) -> None:
        effect = effect_of(unwanted.type.token)
        effect.before_delete(unwanted)
        self.world.remove(unwanted.type.token, unwanted.id)
        effect.after_delete(unwanted)

    def invoke(self, request: Any, config: ProviderConfig) -> provider_pb2.InvokeResponse:
        """Answer a function."""
        args = plain_map(from_struct(request.args))
        if has_unknown(args):
            return provider_pb2.InvokeResponse()
        result = invoke(self.world, config, request.tok, args)
        return invoke_response(result)


def failures_of(kind: ResourceType, inputs: Values, before: Values) -> list[Failure]:
    """Return every failure of a resource's inputs; `before` are those that an update starts
    from."""
    failures = Checker(kind.token, lenient=True).check(inputs, kind.inputs)
    facts = facts_of(kind.token)
    # What isn't of its type goes with nothing, and against nothing.
    unfit = {re.split(r"[.\[]", failure.path)[0] for failure in failures} & inputs.keys()
    fit = plain_map({**inputs, **dict.fromkeys(unfit, UNKNOWN)})
    for more in (
        refusals(kind.token, facts, inputs) if facts else [],
        conditions(kind.token, fit, plain_map(before)),
        google_names(kind.token, fit),
    ):
        told = {failure.path for failure in failures}
        failures += [failure for failure in more if failure.path not in told]
    return failures


def _own(given: Values) -> Values:
    """Return the inputs as the cloud sees them."""
    inputs = plain_map(given)
    inputs.pop(_DEFAULTS, None)
    return inputs


def _is_autonamed(kind: ResourceType) -> bool:
    prop, output = kind.inputs.get("name"), kind.outputs.get("name")
    return prop is not None and not prop.required and output is not None and output.computed


def _check_project(request: Request) -> None:
    if "project" not in request.type.inputs:
        return
    if not request.project:
        raise google(
            400,
            "project: required field is not set: give the resource or its provider a project",
            "required",
        )
    if request.project not in request.world.projects():
        request.world.assume(f"projects/{request.project}", request.urn)


def _secured(kind: ResourceType, outputs: Values, *likes: Values) -> Values:
    marked = marked_map(outputs, *likes)
    facts = facts_of(kind.token) or Facts()
    for name, member in facts.root.members.items():
        if name in marked:
            marked[name] = _hidden(member, marked[name])
    for name in kind.secret_outputs:
        if name in marked and not isinstance(marked[name], Secret) and marked[name] is not UNKNOWN:
            marked[name] = Secret(marked[name])
    return marked


def _hidden(node: Node, value: Value) -> Value:
    """Return a value with the parts as secrets that are so by the provider's schema."""
    if isinstance(value, Secret | Unknown) or value is None:
        return value
    if node.fact.secret:
        return Secret(value)
    if is_map(value):
        known = node.members
        return {name: _hidden(known.get(name, Node()), item) for name, item in value.items()}
    if is_list(value) and node.element is not None:
        return [_hidden(node.element, item) for item in value]
    return value

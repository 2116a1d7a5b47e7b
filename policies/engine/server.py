"""Serves rules to the engine, as an analyzer plugin.

The SDK's own server converts every property anew for each policy, and the whole stack anew for
each stack policy. This one converts a resource once, and not at all when no rule speaks of its
type.
"""

import gc
import sys
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, Final, cast

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2
from pulumi_policy.version import VERSION

from policies.engine import wire
from policies.engine.config import (
    EXEMPTIONS,
    LEVEL,
    PolicyConfigError,
    effective,
    read_settings,
    unknown_rules,
)
from policies.engine.environment import file_of, load
from policies.engine.event_log import EventLog
from policies.engine.judge import Finding, Judge, Result
from policies.engine.packs import ALL, rules_of, version_of
from policies.shared.rule import AnyRule, StackRule
from resources.resource import Resource, Stack

# Requests leave few cycles behind; searching for them each few hundred objects takes time.
OBJECTS_BETWEEN_COLLECTIONS: Final = 200_000
_MOST_BYTES: Final = 400 * 1024 * 1024
_LEVELS: Final = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
    "disabled": analyzer_pb2.DISABLED,
    "remediate": analyzer_pb2.REMEDIATE,
}
_LEVEL_NAMES: Final = {number: name for name, number in _LEVELS.items()}
_SEVERITIES: Final = {
    "low": analyzer_pb2.POLICY_SEVERITY_LOW,
    "medium": analyzer_pb2.POLICY_SEVERITY_MEDIUM,
    "high": analyzer_pb2.POLICY_SEVERITY_HIGH,
    "critical": analyzer_pb2.POLICY_SEVERITY_CRITICAL,
}
_SERVICE: Final = analyzer_pb2.DESCRIPTOR.services_by_name["Analyzer"].full_name
_EXEMPTIONS_SCHEMA: Final = {
    "type": "array",
    "items": {"type": "object"},
    "description": "Findings that are accepted for a while",
}


class PackServer(analyzer_pb2_grpc.AnalyzerServicer):
    """The rules of one pack. What the engine asks between `Configure` calls may come at once."""

    def __init__(
        self, pack: str, event_log: EventLog | None = None, environment: Path | None = None
    ) -> None:
        self._pack = pack
        self._environment_file = environment
        self._rules = rules_of(pack)
        self._event_log = event_log
        self._defaults = effective(self._rules, {})
        self._environment = self._defaults
        self._no_environment = ""
        self._judge: Judge | None = None
        self._not_applicable: dict[str, bytes] = {}
        self._changes_nothing = b""
        self._inputs: dict[str, struct_pb2.Struct] = {}

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Refuse in silence: the engine goes on without it."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "not needed")

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Return the version of the policy SDK that this speaks like."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Return at once: a judgement that is under way takes less than it would to stop it."""
        return empty_pb2.Empty()

    def ConfigureStack(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Read the environment of the stack."""
        try:
            config = load(self._environment_file or file_of(request.stack))
            self._environment = {rule.id: config[rule.id] for rule in self._rules}
        except PolicyConfigError as error:
            self._no_environment = str(error)
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        """Return the pack and its rules; the environment is what a config is laid over."""
        info = analyzer_pb2.AnalyzerInfo(
            name=self._pack,
            version=version_of(self._pack),
            supportsConfig=True,
            policies=[_policy_info(rule) for rule in self._rules],
        )
        for rule_id, values in self._environment.items():
            entry = info.initialConfig[rule_id]
            entry.enforcementLevel = _LEVELS[str(values[LEVEL])]
            properties: dict[str, Any] = {k: v for k, v in values.items() if k != LEVEL}
            entry.properties.update(properties)
        return info

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Take the policy config; refuse one that cannot be used, which ends the run."""
        values: dict[str, dict[str, object]] = {
            name: {
                **cast("dict[str, object]", json_format.MessageToDict(config.properties)),
                LEVEL: _LEVEL_NAMES[config.enforcementLevel],
            }
            for name, config in request.policyConfig.items()
        }
        try:
            if self._no_environment and values == self._defaults:
                raise PolicyConfigError(self._no_environment)
            # The engine takes `all` for every rule, and hands on names that no rule has.
            if unknown := list(unknown_rules(values.keys() - {ALL}, rules_of(ALL))):
                raise PolicyConfigError("\n".join(unknown))
            settings = read_settings(self._rules, values)
        except PolicyConfigError as error:
            text = f"the policy config of {self._pack} cannot be used:\n{error}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
            raise
        self._judge = Judge(self._rules, settings)
        self._not_applicable.clear()
        # Else the engine tells of each resource that it passed every rule's changes.
        self._changes_nothing = analyzer_pb2.RemediateResponse(
            not_applicable=_names(self._judge.not_remediating)
        ).SerializeToString()
        if self._event_log:
            self._event_log.pack(self._pack, self._rules, settings)
        return empty_pb2.Empty()

    def remediate(self, asked: bytes, context: Any) -> bytes:
        """Return the changes that rules at level `remediate` make to a resource."""
        judge = self._configured(context)
        if not judge.remediates:
            return self._changes_nothing
        request = analyzer_pb2.AnalyzeRequest.FromString(asked)
        response = analyzer_pb2.RemediateResponse()
        if not judge.may_remediate(request.type):
            return self._changes_nothing
        changed = struct_pb2.Struct()
        changed.CopyFrom(request.properties)
        resource = _resource(request)
        for rule, changes in judge.remediations(resource):
            attempt = struct_pb2.Struct()
            attempt.CopyFrom(changed)
            known = wire.merge(attempt, changes)
            changed = attempt if known else changed
            response.remediations.append(
                analyzer_pb2.Remediation(
                    policyName=rule.id,
                    policyPackName=self._pack,
                    description=rule.description,
                    properties=attempt if known else None,
                    diagnostic="" if known else "what it would change is not known in this preview",
                )
            )
        return self._changes_nothing + response.SerializeToString()

    def analyze(self, asked: bytes, context: Any) -> bytes:
        """Return what the resource rules say of one resource."""
        judge = self._configured(context)
        request = analyzer_pb2.AnalyzeRequest.FromString(asked)
        self._inputs[request.urn] = request.properties
        response = analyzer_pb2.AnalyzeResponse()
        if judge.applicable(request.type):
            results = judge.resource(_resource(request))
            for result in results:
                self._report(response, result)
        else:
            results = []
        if self._event_log:
            self._event_log.resource(request.urn, request.type, request.name, results)
        # One message after another is a message with the fields of both.
        return self._silent(judge, request.type) + response.SerializeToString()

    def AnalyzeStack(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Return what the stack rules say of all resources, and what became of the exemptions."""
        judge = self._configured(context)
        response = analyzer_pb2.AnalyzeResponse()
        stack = Stack(self._stack_resource(each) for each in request.resources)
        results = judge.stack(stack)
        for result in results:
            self._report(response, result)
        notes = judge.notes()
        rules = {rule.id: rule for rule in self._rules}
        for note in notes:
            self._add(response, rules[note.exemption.rule], note.text, "", "advisory")
        if self._event_log:
            self._event_log.stack(stack, judge.stack_rules, results, notes)
            needs = {each.urn: list(each.dependencies) for each in request.resources}
            self._event_log.wiring(needs, stack)
        return response

    def _stack_resource(self, request: Any) -> Resource:
        """Return a resource as a stack rule sees it.

        Where a provider isn't configured yet, as that of a cluster which the same program makes, a
        preview gives stack rules no property at all. Then the inputs stand in, which were analysed
        before.
        """
        wired = {name: tuple(each.urns) for name, each in request.propertyDependencies.items()}
        properties: struct_pb2.Struct = request.properties
        if not properties.fields:
            properties = self._inputs.get(request.urn) or properties
        return Resource(
            request.type,
            request.name,
            request.urn,
            wire.plain(properties),
            wired,
            request.options.protect,
            request.provider.urn,
        )

    def _configured(self, context: Any) -> Judge:
        if self._judge is None:
            context.abort(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"{self._pack} was not configured by the engine",
            )
            raise RuntimeError("not configured")
        return self._judge

    def _silent(self, judge: Judge, token: str) -> bytes:
        """Return the response that names the rules that do not speak of a type; made once."""
        known = self._not_applicable.get(token)
        if known is None:
            response = analyzer_pb2.AnalyzeResponse(
                not_applicable=_names(judge.not_applicable(token))
            )
            self._not_applicable[token] = known = response.SerializeToString()
        return known

    def _report(self, response: Any, result: Result) -> None:
        if result.unread:
            text = f"can't run policy '{result.rule.id}' during preview: {result.unread}"
            self._add(response, result.rule, text, "", "advisory")
        for finding in result.violations:
            self._violation(response, result, finding)

    def _violation(self, response: Any, result: Result, finding: Finding) -> None:
        urn = finding.urn if isinstance(result.rule, StackRule) else ""
        text = f"{result.rule.description}\n{finding.message}"
        self._add(response, result.rule, text, urn, result.level)

    def _add(self, response: Any, rule: AnyRule, text: str, urn: str, level: str) -> None:
        response.diagnostics.append(
            analyzer_pb2.AnalyzeDiagnostic(
                policyName=rule.id,
                policyPackName=self._pack,
                description=rule.description,
                message=text,
                urn=urn,
                enforcementLevel=_LEVELS[level],
                severity=_SEVERITIES[rule.severity.value],
            )
        )


def _names(rules: Iterable[AnyRule]) -> list[Any]:
    return [analyzer_pb2.PolicyNotApplicable(policy_name=rule.id) for rule in rules]


def _resource(request: Any) -> Resource:
    return Resource(
        request.type,
        request.name,
        request.urn,
        wire.plain(request.properties),
        protected=request.options.protect,
        provider=request.provider.urn,
    )


def _policy_info(rule: AnyRule) -> Any:
    info = analyzer_pb2.PolicyInfo(
        name=rule.id,
        displayName=rule.display_name,
        description=rule.description,
        enforcementLevel=_LEVELS[rule.level.value],
        policy_type=analyzer_pb2.POLICY_TYPE_STACK
        if isinstance(rule, StackRule)
        else analyzer_pb2.POLICY_TYPE_RESOURCE,
        severity=_SEVERITIES[rule.severity.value],
        tags=[f"{each.framework} {each.control}" for each in rule.references],
        remediation_steps=rule.remediation,
        url=rule.url,
    )
    schema: dict[str, Any] = {EXEMPTIONS: _EXEMPTIONS_SCHEMA}
    for limit in rule.limits:
        default = {} if limit.default is None else {"default": limit.default}
        schema[limit.name] = {**limit.schema(), **default}
    # What must be given is left to `Configure`, which also says where.
    info.configSchema.properties.update(schema)
    if rule.references:
        info.framework.name = rule.references[0].framework
        info.framework.reference = rule.references[0].control
    return info


def add_to_server(pack: PackServer, server: grpc.Server) -> None:
    """Have a server answer the engine by a pack.

    What is asked for each resource goes to and fro as bytes: most answers are known before.
    """
    each: dict[str, Any] = {
        "Analyze": pack.analyze,
        "Remediate": pack.remediate,
    }
    handlers = {name: grpc.unary_unary_rpc_method_handler(how) for name, how in each.items()}
    # The first that knows a method answers it.
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(pack, server)


@contextmanager
def serving(pack: str, environment: Path | None = None) -> Generator[int]:
    """Serve a pack and yield the port.

    Without `environment`, the file of one, the stack's is read.
    """
    server = grpc.server(
        ThreadPoolExecutor(max_workers=4),
        options=[("grpc.max_receive_message_length", _MOST_BYTES)],
    )
    add_to_server(PackServer(pack, EventLog.of_environment(), environment), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(0)


def serve(folder: Path) -> None:
    """Serve the pack of a folder until the engine ends the process.

    Prints the port first, as a plugin must.
    """
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    with serving(folder.name) as port, suppress(KeyboardInterrupt):
        sys.stdout.buffer.write(f"{port}\n".encode())
        sys.stdout.flush()
        Event().wait()

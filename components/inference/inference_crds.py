"""InferenceCrds: the custom resource definitions the endpoint picker watches and GKE lacks.

Owns InferenceObjective and InferenceModelRewrite. Does not own InferencePool: GKE installs it and
deleting a definition deletes every object of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import pulumi
from pulumi_kubernetes.apiextensions import v1 as apiextensions
from pulumi_kubernetes.apiextensions.v1 import (
    CustomResourceDefinitionSpecArgsDict,
    JSONSchemaPropsArgsDict,
)

from components.inference.custom_resources import INFERENCE_OBJECTIVE
from components.ready import after
from components.validation import component_type, register

API_GROUP, _, API_VERSION = INFERENCE_OBJECTIVE.api_version.partition("/")


class InferenceCrdsArgs(TypedDict):
    """Arguments of `InferenceCrds`."""


class InferenceCrds(pulumi.ComponentResource):
    """Installs the extension kinds of the Gateway API Inference Extension, release 1.5.

    InferenceObjective gives requests a priority within a pool; InferenceModelRewrite sends a share
    of a model name's requests to another model of the pool, such as a new LoRA adapter.
    Source: https://gateway-api-inference-extension.sigs.k8s.io/reference/x-v1a2-spec
    """

    api_group: pulumi.Output[str]
    """Group of the kinds, known once both are installed."""

    def __init__(
        self,
        name: str,
        args: InferenceCrdsArgs,  # noqa: ARG002 - every component has arguments
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(component_type(InferenceCrds), name, {}, opts)
        definitions = [
            apiextensions.CustomResourceDefinition(
                f"{name}-{role}",
                metadata={
                    "name": f"{plural}.{API_GROUP}",
                },
                spec=_definition(kind, plural, spec),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role, kind, plural, spec in _KINDS
        ]
        self.api_group = after(API_GROUP, *[each.id for each in definitions])
        register(self)


def _definition(
    kind: str, plural: str, spec: JSONSchemaPropsArgsDict
) -> CustomResourceDefinitionSpecArgsDict:
    status: JSONSchemaPropsArgsDict = {
        "type": "object",
        "x_kubernetes_preserve_unknown_fields": True,
    }
    return {
        "group": API_GROUP,
        "scope": "Namespaced",
        "names": {
            "kind": kind,
            "list_kind": f"{kind}List",
            "plural": plural,
            "singular": kind.lower(),
        },
        "versions": [
            {
                "name": API_VERSION,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "open_apiv3_schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "apiVersion": {"type": "string"},
                            "kind": {"type": "string"},
                            "metadata": {"type": "object"},
                            "spec": spec,
                            "status": status,
                        },
                    }
                },
            }
        ],
    }


def _object(
    properties: Mapping[str, JSONSchemaPropsArgsDict], required: Sequence[str]
) -> JSONSchemaPropsArgsDict:
    schema: JSONSchemaPropsArgsDict = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = list(required)
    return schema


_POOL_REFERENCE = _object(
    {
        "group": {"type": "string", "max_length": 253, "default": "inference.networking.k8s.io"},
        "kind": {
            "type": "string",
            "min_length": 1,
            "max_length": 63,
            "default": "InferencePool",
        },
        "name": {"type": "string", "min_length": 1, "max_length": 253},
    },
    ["name"],
)

_OBJECTIVE = _object({"poolRef": _POOL_REFERENCE, "priority": {"type": "integer"}}, ["poolRef"])

# Below `items` the SDK translates no names, so they are Kubernetes' own.
_RULE: Any = {
    "type": "object",
    "properties": {
        "matches": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["model"],
                "properties": {
                    "model": {
                        "type": "object",
                        "required": ["value"],
                        "properties": {
                            "type": {"type": "string", "enum": ["Exact"], "default": "Exact"},
                            "value": {"type": "string", "minLength": 1},
                        },
                    }
                },
            },
        },
        "targets": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["modelRewrite"],
                "properties": {
                    "modelRewrite": {"type": "string"},
                    "weight": {
                        "type": "integer",
                        "format": "int32",
                        "minimum": 1,
                        "maximum": 1000000,
                    },
                },
            },
        },
    },
}

_MODEL_REWRITE = _object(
    {"poolRef": _POOL_REFERENCE, "rules": {"type": "array", "items": _RULE}}, ["poolRef", "rules"]
)

_KINDS: Sequence[tuple[str, str, str, JSONSchemaPropsArgsDict]] = (
    ("inference-objective", "InferenceObjective", "inferenceobjectives", _OBJECTIVE),
    ("inference-model-rewrite", "InferenceModelRewrite", "inferencemodelrewrites", _MODEL_REWRITE),
)

__all__ = ["API_GROUP", "InferenceCrds", "InferenceCrdsArgs"]

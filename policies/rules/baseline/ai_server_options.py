"""Model servers run their own code alone, and offer what they are for.

Closed against the security page of vLLM, the options of its release in use, and what SGLang, Text
Generation Inference, Triton and Ray call the same.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pulumi_policy import EnforcementLevel, Severity

from policies.shared.limits import Limits, NamesLimit
from policies.shared.programs import has_programs, settings
from policies.shared.rule import ResourceRule
from resources.resource import Resource

_RUNS: Final = "runs code that comes with the weights or from a file"
_READS: Final = "lets requests read files of the pod"
_READS_WEB: Final = "lets requests have it fetch from every host"
_SHOWS: Final = "writes prompts and answers into the logs"
_OPENS: Final = "answers requests that change or inspect the server"
_TRUSTS: Final = "takes parts of requests that the server trusts as its own"
_LONGER: Final = "takes requests that are longer than the model was made for"
_PASSES: Final = "answers where no guardrail reads"
# Whatever a program calls it by: an option, a variable, a key of a file.
ANYWHERE: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "hf-datasets-trust-remote-code",
            "hf-trust-remote-code",
            "kv-connector-module-path",
            "torch-force-no-weights-only-load",
            "trust-remote-code",
            "vllm-allow-insecure-serialization",
            "vllm-gpt-oss-system-tool-mcp-labels",
            "vllm-trust-remote-code",
        ),
        _RUNS,
    ),
    **dict.fromkeys(
        (
            "vllm-allow-runtime-lora-updating",
            "vllm-lora-resolver-cache-dir",
            "vllm-lora-resolver-hf-repo-list",
            "vllm-server-dev-mode",
            "vllm-torch-profiler-dir",
        ),
        _OPENS,
    ),
    **dict.fromkeys(("vllm-debug-log-api-server-response", "vllm-trace-function"), _SHOWS),
    "allowed-local-media-path": _READS,
    "vllm-allow-long-max-model-len": _LONGER,
}
# Options alone: as keys of an object such words are everybody's.
OPTIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "io-processor-plugin",
            "logits-processor-pattern",
            "logits-processors",
            "middleware",
            "reasoning-parser-plugin",
            "scheduler-cls",
            "tool-parser-plugin",
            "tool-server",
            "worker-cls",
            "worker-extension-cls",
        ),
        _RUNS,
    ),
    **dict.fromkeys(
        (
            "enable-custom-logit-processor",
            "enable-mm-embeds",
            "enable-prompt-embeds",
            "trust-request-chat-template",
        ),
        _TRUSTS,
    ),
    **dict.fromkeys(("enable-log-outputs", "enable-log-requests"), _SHOWS),
    **dict.fromkeys(
        ("allow-credentials", "enable-tokenizer-info-endpoint", "profiler-config"), _OPENS
    ),
    "grpc": _PASSES,
}
# Options of which only some values do.
_VALUES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    # vLLM fetches what a request names: https://docs.vllm.ai/en/stable/usage/security/
    "allowed-media-domains": (re.compile(r".*\*.*"), _READS_WEB),
    "chat-template": (re.compile("[a-z]+://.*"), _RUNS),
    # The dashboard of Ray runs whatever code it is sent: CVE-2023-48022.
    "dashboard-host": (re.compile(r"0\.0\.0\.0|::|\[::\]"), _OPENS),
    "model-control-mode": (re.compile("explicit|poll"), _OPENS),
}
_NAMES: Final = frozenset({*ANYWHERE, *OPTIONS, *_VALUES})
_OFF: Final = ("", "0", "false", "no", "none", "null", "off")


def _check(resource: Resource, limits: Limits) -> Iterator[str]:
    found = settings(resource.type, resource.props, _NAMES.__contains__)
    for each in sorted(found, key=lambda each: each.name):
        does = ANYWHERE.get(each.name) or (each.option and OPTIONS.get(each.name))
        value = each.value.lower() if isinstance(each.value, str) else None
        if each.option and each.name in _VALUES:
            pattern, means = _VALUES[each.name]
            does = means if value is not None and pattern.fullmatch(value) else ""
        on = each.elsewhere or (value is not None and value not in _OFF)
        if does and on and each.name not in limits.names("allowed"):
            yield f"{each.name} {does}"


RULE: Final = ResourceRule(
    id="ai-server-options",
    display_name="Model servers run their own code alone",
    description=(
        "No option, variable or file tells a model server to run code that comes with weights, to "
        "read files for requests, to answer requests that change it, or to log prompts."
    ),
    why="Whoever writes the weights or a request then acts with the server's rights and data.",
    remediation=(
        "remove it, or add its name, such as trust-remote-code, to allowed once somebody has read "
        "what it runs."
    ),
    severity=Severity.HIGH,
    level=EnforcementLevel.MANDATORY,
    url="https://docs.vllm.ai/en/stable/usage/security/",
    limits=(
        NamesLimit("allowed", "Settings that may stand, in small letters with dashes", default=()),
    ),
    applies=has_programs,
    check=_check,
)

"""Every single thing broken on the way to a model is found, and nothing where all is whole."""

from typing import Any

import pytest

from request_path.checks import findings_of
from request_path.finding import Check
from request_path.objects import InCluster, Objects
from tests.engine.conftest import Rehearsal
from tests.request_path.deployments import (
    DEPLOYMENT,
    GATEWAY,
    GONE,
    POOL,
    ROUTE,
    ROUTING,
    SERVICE,
    TRAFFIC,
    Change,
    Deployment,
    both,
    changed,
    objects,
    put,
    settings,
    twin,
    without,
)

PLATFORM = "inference-us-central1-gateway"
EIGHT = "inference-us-central1-llama-3-1-8b"
QWEN, LLAMA = "inference-us-central1-qwen3-4b", "inference-us-central1-llama-3-3-70b"
EXTENSION, ROUTER = "inference-us-central1-extension", "inference-us-central1-router-extension"
QWEN_POOL, QWEN_PODS = f"{QWEN}-l4-pool", "qwen3-4b-l4-us-central1-deployment"
PICKER = f"{QWEN}-l4-picker-service"
TEMPLATE = "modelarmor/template:Template"
CHAIN: tuple[str | int, ...] = ("spec", "extensionChains", 0)
ARMOR: tuple[str | int, ...] = (*CHAIN, "extensions", 0)
CONDITION: tuple[str | int, ...] = (*CHAIN, "matchCondition", "celExpressions")
MATCH: tuple[str | int, ...] = ("spec", "rules", 0, "matches", 0)
BACKEND: tuple[str | int, ...] = ("spec", "rules", 0, "backendRefs", 0)
TARGET: tuple[str | int, ...] = ("spec", "targetRefs", 0, "name")
NO_FILTERS = {
    "piAndJailbreakFilterSettings": {"filterEnforcement": "DISABLED"},
    "maliciousUriFilterSettings": {"filterEnforcement": "DISABLED"},
    "sdpSettings": {"basicConfig": {"filterEnforcement": "DISABLED"}},
}
CALLOUT = {
    "name": "audit",
    "backendRef": {"group": "", "kind": "Service", "name": "qwen3-4b-l4-epp", "port": 9002},
    "supportedEvents": ["RequestBody", "ResponseBody"],
    "timeout": "1s",
}
GUARDRAIL = {**CALLOUT, "name": "nemo-guardrail", "failOpen": False}


def cel(*expressions: str) -> Change:
    return put(TRAFFIC, EXTENSION, *CONDITION, to=[{"celMatcher": each} for each in expressions])


def extension(key: str, value: Any) -> Change:
    return put(TRAFFIC, EXTENSION, *ARMOR, key, to=value)


def events(*names: str) -> Change:
    return extension("supportedEvents", list(names))


GUARDED: list[tuple[str, str, Change]] = [
    ("no extension at all", "no-extension", without(TRAFFIC, EXTENSION)),
    ("on another Gateway", "extension-unattached", put(TRAFFIC, EXTENSION, *TARGET, to="other")),
    ("so nothing screens", "no-extension", put(TRAFFIC, EXTENSION, *TARGET, to="other")),
    (
        "in another namespace than its Gateway",
        "extension-unattached",
        put(TRAFFIC, EXTENSION, "metadata", "namespace", to="default"),
    ),
    ("two of them", "several-extensions", twin(TRAFFIC, EXTENSION, named="second")),
    ("a chain for another path", "no-chain", cel('request.path.startsWith("/security/")')),
    ("a chain for one path of many", "no-chain", cel('request.path.startsWith("/v1/chat")')),
    ("a chain for all but the prefix", "no-chain", cel('request.path.startsWith("/v1/")')),
    ("a chain for another host", "no-chain", cel('request.host == "other.internal"')),
    ("a chain by a header", "no-chain", cel("request.headers['x-safe'] == 'yes'")),
    ("a chain by its opposite", "no-chain", cel('!request.path.startsWith("/v1")')),
    ("a chain for one method", "no-chain", cel("request.method == 'POST'")),
    ("a condition that can't be read", "no-chain", cel('request.path.matches("^/.*")')),
    ("a broken condition", "no-chain", cel("request.path.startsWith(")),
    (
        "of two conditions one too narrow",
        "no-chain",
        cel('request.path.startsWith("/")', 'request.path.startsWith("/security/")'),
    ),
    (
        "another chain decides first",
        "chain-without-guardrail",
        lambda deployment: _before(deployment, {"name": "audit", "extensions": [CALLOUT]}),
    ),
    (
        "no guardrail in the chain",
        "chain-without-guardrail",
        extension("googleAPIServiceName", "a"),
    ),
    ("prompts left out", "body-not-screened", events("RequestHeaders", "ResponseBody")),
    ("answers left out", "body-not-screened", events("RequestBody", "ResponseHeaders")),
    ("fails open", "fail-open", extension("failOpen", True)),
    ("only watches", "observes-only", extension("observabilityMode", True)),
    (
        "Model Armor of another region",
        "another-region",
        extension("googleAPIServiceName", "modelarmor.europe-west4.rep.googleapis.com"),
    ),
    ("no settings", "no-settings", extension("metadata", {})),
    ("broken settings", "no-settings", extension("metadata", {"model_armor_settings": "[{"})),
    ("no entry", "no-entry", settings(lambda entries: entries.clear(), EXTENSION)),
    (
        "no entry for this name",
        "no-entry",
        settings(lambda entries: entries[0].update(model="another"), EXTENSION),
    ),
    (
        "no template for answers",
        "no-template",
        settings(lambda entries: entries[0].pop("model_response_template_id"), EXTENSION),
    ),
    (
        "a template that isn't there",
        "template-missing",
        without(TEMPLATE, "inference-us-central1-default-prompt"),
    ),
    (
        "a template of another region",
        "template-elsewhere",
        settings(lambda entries: _move(entries[0], "us-east4"), EXTENSION),
    ),
    (
        "a guardrail service that gets pieces",
        "body-in-pieces",
        put(TRAFFIC, EXTENSION, *ARMOR, to=GUARDRAIL),
    ),
    (
        "a guardrail service that isn't there",
        "callout-missing",
        put(
            TRAFFIC,
            EXTENSION,
            *ARMOR,
            to={**GUARDRAIL, "backendRef": {**CALLOUT["backendRef"], "name": "nemo"}},
        ),
    ),
    (
        "API management of another namespace",
        "callout-missing",
        put(
            TRAFFIC,
            EXTENSION,
            *ARMOR,
            to={**CALLOUT, "backendRef": {"kind": "ApigeeBackendService", "name": "apigee"}},
        ),
    ),
]

UNAMBIGUOUS: list[tuple[str, str, Change]] = [
    ("a route twice", "same-request", twin(ROUTE, f"{QWEN}-route", named="again")),
    (
        "two models by one name",
        "same-request",
        put(ROUTE, f"{QWEN}-route", *MATCH, "headers", 0, "value", to="llama-3.3-70b"),
    ),
    (
        "no name at all, twice",
        "same-request",
        both(
            put(ROUTE, f"{QWEN}-route", *MATCH, "headers", to=[]),
            put(ROUTE, f"{LLAMA}-route", *MATCH, "headers", to=[]),
        ),
    ),
    (
        "different headers of one request",
        "same-request",
        put(ROUTE, f"{QWEN}-route", *MATCH, "headers", 0, "name", to="x-team"),
    ),
    (
        "one match twice in a route",
        "same-request",
        lambda deployment: _repeat_match(deployment),
    ),
]

REACHABLE: list[tuple[str, str, Change]] = [
    (
        "a route to no Gateway",
        "route-without-gateway",
        put(ROUTE, f"{QWEN}-route", "spec", "parentRefs", 0, "name", to="other"),
    ),
    ("a route to no pool", "pool-missing", put(ROUTE, f"{QWEN}-route", *BACKEND, "name", to="x")),
    ("a pool gone", "pool-missing", without(POOL, QWEN_POOL)),
    (
        "a pool of another namespace",
        "no-reference-grant",
        both(
            put(ROUTE, f"{QWEN}-route", *BACKEND, "namespace", to="models"),
            put(POOL, QWEN_POOL, "metadata", "namespace", to="models"),
        ),
    ),
    ("weights of zero", "weights-zero", put(ROUTE, f"{QWEN}-route", *BACKEND, "weight", to=0)),
    (
        "a selector of nothing",
        "no-replicas",
        put(POOL, QWEN_POOL, "spec", "selector", "matchLabels", to={"app": "nothing"}),
    ),
    ("replicas gone", "no-replicas", without(DEPLOYMENT, QWEN_PODS)),
    (
        "another model's pods",
        "another-model",
        put(
            POOL,
            QWEN_POOL,
            "spec",
            "selector",
            "matchLabels",
            "app.kubernetes.io/instance",
            to="llama-3-3-70b-h100-us-central1",
        ),
    ),
    (
        "the pods of all models",
        "mixed-models",
        put(
            POOL,
            QWEN_POOL,
            "spec",
            "selector",
            "matchLabels",
            to={"app.kubernetes.io/name": "vllm"},
        ),
    ),
    (
        "another port than the pods'",
        "port-unserved",
        put(POOL, QWEN_POOL, "spec", "targetPorts", to=[{"number": 8080}]),
    ),
    ("no picker", "no-picker", without(SERVICE, PICKER)),
    (
        "a picker on another port",
        "no-picker",
        put(POOL, QWEN_POOL, "spec", "endpointPickerRef", "port", "number", to=9999),
    ),
    (
        "a picker without pods",
        "no-picker",
        put(SERVICE, PICKER, "spec", "selector", to={"app": "nothing"}),
    ),
    ("no health check", "no-health-check", without("HealthCheckPolicy", f"{QWEN}-l4-health-check")),
    ("no body-based router", "no-body-based-router", without(ROUTING, ROUTER)),
    (
        "a router in another namespace",
        "extension-unattached",
        put(ROUTING, ROUTER, "metadata", "namespace", to="default"),
    ),
    ("no nodes", "node-pool-missing", without("nodePool:NodePool", "l4-us-central1-pool")),
    ("a model without a route", "model-unrouted", without(ROUTE, f"{QWEN}-route")),
    (
        "an adapter without a route",
        "model-unrouted",
        put(
            ROUTE, "inference-us-central1-llama-3-1-8b-route", *MATCH, "headers", 0, "value", to="x"
        ),
    ),
    (
        "a Gateway that isn't published",
        "unpublished",
        without("serviceAttachment:ServiceAttachment", "inference-us-central1-attachment"),
    ),
    ("no DNS name", "no-dns-name", without("recordSet:RecordSet", "inference-apps-record")),
    (
        "another DNS name",
        "no-dns-name",
        put("recordSet:RecordSet", "inference-apps-record", "name", to="ai.acme.internal."),
    ),
    (
        "a Gateway for another host",
        "no-dns-name",
        both(
            put(
                GATEWAY, "inference-us-central1-gateway", "spec", "listeners", 0, "hostname", to="*"
            ),
            put(ROUTE, f"{QWEN}-route", "spec", "hostnames", to=["ai.acme.internal"]),
        ),
    ),
]


def _before(deployment: Deployment, chain: dict[str, Any]) -> None:
    for each in deployment:
        if each["urn"].endswith(f"::{EXTENSION}"):
            for side in ("inputs", "outputs"):
                each[side]["spec"]["extensionChains"].insert(0, chain)


def _move(entry: dict[str, str], region: str) -> None:
    for key in ("user_prompt_template_id", "model_response_template_id"):
        entry[key] = entry[key].replace("us-central1", region)


def _repeat_match(deployment: Deployment) -> None:
    for each in deployment:
        if each["urn"].endswith(f"::{QWEN}-route"):
            for side in ("inputs", "outputs"):
                matches = each[side]["spec"]["rules"][0]["matches"]
                matches.append(matches[0])


def codes(found: Objects, check: Check) -> set[str]:
    return {each.code for each in findings_of(found) if each.check is check and not each.note}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_nothing_is_wrong_with_what_is_made(rehearsals: dict[str, Rehearsal], stack: str) -> None:
    assert findings_of(objects(rehearsals[stack].resources())) == []


CASES = [
    (check, *case)
    for check, cases in (
        (Check.GUARDED, GUARDED),
        (Check.UNAMBIGUOUS, UNAMBIGUOUS),
        (Check.REACHABLE, REACHABLE),
    )
    for case in cases
]


@pytest.mark.parametrize(
    ("check", "code", "change"),
    [(check, code, change) for check, _, code, change in CASES],
    ids=[f"{title}" for _, title, _, _ in CASES],
)
def test_what_is_broken_is_found(
    rehearsals: dict[str, Rehearsal], check: Check, code: str, change: Change
) -> None:
    found = changed(rehearsals["prod"].resources(), change)
    assert code in codes(found, check)
    # The cluster of the other region is as it was.
    for each in findings_of(found):
        assert not isinstance(each.subject, InCluster) or "us-east4" not in each.subject.label


HARMLESS: list[tuple[str, Change]] = [
    ("the prefix named exactly", cel('request.path == "/v1" || request.path.startsWith("/v1/")')),
    ("no condition", put(TRAFFIC, EXTENSION, *CHAIN, "matchCondition", to=GONE)),
    ("the Gateway's host", cel('request.host == "inference.acme.internal"')),
    (
        "a path and its host",
        cel('request.path.startsWith("/v1") && request.host.endsWith(".internal")'),
    ),
    ("a chain for paths nobody routes first", lambda d: _before(d, OTHER_PATHS)),
]
OTHER_PATHS = {
    "name": "metrics",
    "matchCondition": {"celExpressions": [{"celMatcher": 'request.path.startsWith("/metrics")'}]},
    "extensions": [CALLOUT],
}


@pytest.mark.parametrize(("title", "change"), HARMLESS, ids=[each[0] for each in HARMLESS])
def test_what_is_whole_in_another_way_is_not_found(
    rehearsals: dict[str, Rehearsal], title: str, change: Change
) -> None:
    assert findings_of(changed(rehearsals["prod"].resources(), change)) == [], title


def unscreen(region: str) -> Change:
    return both(
        *(
            put(TEMPLATE, f"inference-{region}-default-{side}", "filterConfig", to=NO_FILTERS)
            for side in ("prompt", "response")
        )
    )


def test_a_guardrail_with_every_filter_off_is_a_note(rehearsals: dict[str, Rehearsal]) -> None:
    found = findings_of(changed(rehearsals["dev"].resources(), unscreen("us-central1")))
    assert [(each.code, each.note, each.unscreened) for each in found] == [
        ("unscreened", True, frozenset({"qwen3-4b"})),
        ("unscreened", True, frozenset({"qwen3-4b"})),
    ]


def test_models_allowed_to_go_unscreened_need_no_extension(
    rehearsals: dict[str, Rehearsal],
) -> None:
    found = changed(rehearsals["dev"].resources(), without(TRAFFIC, EXTENSION))
    assert [each.note for each in findings_of(found, frozenset({"qwen3-4b"}))] == [True]
    assert [each.note for each in findings_of(found, frozenset({"another"}))] == [False]


def test_a_guardrail_in_the_pod_is_one(rehearsals: dict[str, Rehearsal]) -> None:
    guarded = both(
        without(TRAFFIC, EXTENSION),
        put(POOL, QWEN_POOL_DEV, "spec", "targetPorts", to=[{"number": 8001}]),
        lambda deployment: _sidecar(deployment, "nemo-guardrail"),
    )
    assert codes(changed(rehearsals["dev"].resources(), guarded), Check.GUARDED) == set()


def test_any_other_proxy_in_the_pod_is_none(rehearsals: dict[str, Rehearsal]) -> None:
    proxied = both(
        without(TRAFFIC, EXTENSION),
        put(POOL, QWEN_POOL_DEV, "spec", "targetPorts", to=[{"number": 8001}]),
        lambda deployment: _sidecar(deployment, "envoy"),
    )
    found = changed(rehearsals["dev"].resources(), proxied)
    assert codes(found, Check.GUARDED) == {"no-extension"}


QWEN_POOL_DEV = f"{QWEN}-l4-spot-pool"


def _sidecar(deployment: Deployment, name: str) -> None:
    for each in deployment:
        if each["urn"].endswith("::qwen3-4b-l4-spot-us-central1-deployment"):
            for side in ("inputs", "outputs"):
                each[side]["spec"]["template"]["spec"]["containers"].append(
                    {"name": name, "ports": [{"containerPort": 8001}]}
                )


def test_a_program_without_a_gateway_is_left_alone(rehearsals: dict[str, Rehearsal]) -> None:
    pools_only = [
        each for each in rehearsals["dev"].resources() if not each["type"].endswith(GATEWAY)
    ]
    assert findings_of(objects(pools_only)) == []

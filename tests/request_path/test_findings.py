"""Every single thing broken on the way to a model is found, and nothing where all is whole."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from request_path.checks import findings_of
from request_path.finding import NOTES, Check
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
    across_nodes,
    both,
    changed,
    objects,
    put,
    settings,
    the,
    twin,
    without,
)

PLATFORM = "inference-us-central1-gateway"
QWEN, LLAMA = "inference-us-central1-qwen3-4b", "inference-us-central1-llama-3-3-70b"
EXTENSION, ROUTER = "inference-us-central1-extension", "inference-us-central1-router-extension"
QWEN_POOL, QWEN_PODS = f"{QWEN}-l4-pool", "qwen3-4b-l4-us-central1-deployment"
PICKER = f"{QWEN}-l4-picker-service"
TEMPLATE = "modelarmor/template:Template"
CHAIN: tuple[str | int, ...] = ("spec", "extensionChains", 0)
APIGEE: tuple[str | int, ...] = (*CHAIN, "extensions", 0)
ARMOR: tuple[str | int, ...] = (*CHAIN, "extensions", 1)
CONDITION: tuple[str | int, ...] = (*CHAIN, "matchCondition", "celExpressions")
MATCH: tuple[str | int, ...] = ("spec", "rules", 0, "matches", 0)
BACKEND: tuple[str | int, ...] = ("spec", "rules", 0, "backendRefs", 0)
TARGET: tuple[str | int, ...] = ("spec", "targetRefs", 0, "name")
NO_FILTERS = {
    "piAndJailbreakFilterSettings": {"filterEnforcement": "DISABLED"},
    "maliciousUriFilterSettings": {"filterEnforcement": "DISABLED"},
    "sdpSettings": {"basicConfig": {"filterEnforcement": "DISABLED"}},
}
CALLED: dict[str, Any] = {
    "group": "",
    "kind": "Service",
    "name": "qwen3-4b-l4-epp",
    "port": 9002,
}
CALLOUT: dict[str, Any] = {
    "name": "audit",
    "backendRef": CALLED,
    "supportedEvents": ["RequestBody", "ResponseBody"],
    "timeout": "1s",
}
GUARDRAIL = {**CALLOUT, "name": "nemo-guardrail", "failOpen": False}
OPEN = {**GUARDRAIL, "failOpen": True}
VERTEX = "google-gemini-2-5-flash-vertex-us-central1"
GEMINI = "inference-us-central1-google-gemini-2-5-flash-route"
RECORD, FRONTEND = "recordSet:RecordSet", "inference-apps-frontend"
BACKEND_POLICY, BACKEND_SERVICE = "v1:GCPBackendPolicy", "backendService:BackendService"


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
    ("has no time", "no-time", extension("timeout", "0s")),
    ("has a moment", "no-time", extension("timeout", "10ms")),
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
            to={**GUARDRAIL, "backendRef": {**CALLED, "name": "nemo"}},
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
    (
        "API management gone",
        "callout-missing",
        without("v1:ApigeeBackendService", "inference-us-central1-backend"),
    ),
    ("API management after the guardrail", "guardrail-first", lambda d: _reverse(d)),
    ("a guardrail service that fails open", "fail-open", put(TRAFFIC, EXTENSION, *ARMOR, to=OPEN)),
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
    ("no regional name", "no-dns-name", without(RECORD, "inference-apps-us-central1-record")),
    (
        "a regional name of another region",
        "no-dns-name",
        put(
            RECORD,
            "inference-apps-us-central1-record",
            "name",
            to="us-east4.inference.acme.internal.",
        ),
    ),
    (
        "a region not behind the name of all",
        "no-dns-name",
        without(
            "regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
            f"{FRONTEND}-us-central1-backend",
        ),
    ),
    (
        "a region taken out of the backend service",
        "no-dns-name",
        lambda deployment: _leave_out(deployment, "us-central1"),
    ),
    *(
        (f"a frontend without its {kind}", "no-dns-name", without(kind, f"{FRONTEND}-{part}"))
        for kind, part in (
            (BACKEND_SERVICE, "service"),
            ("uRLMap:URLMap", "urls"),
            ("targetHttpsProxy:TargetHttpsProxy", "proxy"),
        )
    ),
    ("a Service gone", "service-missing", without(SERVICE, f"{VERTEX}-service")),
    ("a route to no Service", "service-missing", put(ROUTE, GEMINI, *BACKEND, "name", to="x")),
    (
        "a Service of another namespace",
        "no-reference-grant",
        both(
            put(ROUTE, GEMINI, *BACKEND, "namespace", to="models"),
            put(SERVICE, f"{VERTEX}-service", "metadata", "namespace", to="models"),
        ),
    ),
    (
        "a Service of no pods",
        "no-replicas",
        put(SERVICE, f"{VERTEX}-service", "spec", "selector", to={"app": "nothing"}),
    ),
    ("a proxy gone", "no-replicas", without(DEPLOYMENT, f"{VERTEX}-deployment")),
    ("another port of a Service", "port-unserved", put(ROUTE, GEMINI, *BACKEND, "port", to=80)),
    (
        "a Service that sends to another port",
        "port-unserved",
        put(SERVICE, f"{VERTEX}-service", "spec", "ports", 0, "targetPort", to=8081),
    ),
    (
        "a proxy that is never asked for its health",
        "no-health-check",
        without("HealthCheckPolicy", f"{VERTEX}-health-check"),
    ),
    (
        "an objective of no pool",
        "objective-without-pool",
        put(
            "InferenceObjective",
            "inference-us-central1-llama-3-1-8b-l4-batch-objective",
            *("spec", "poolRef", "name"),
            to="x",
        ),
    ),
    (
        "a Cloud Armor policy that isn't there",
        "security-policy-missing",
        put(
            BACKEND_POLICY,
            f"{QWEN}-l4-backend-policy",
            *("spec", "default", "securityPolicy"),
            to="edge",
        ),
    ),
]


def _before(deployment: Deployment, chain: dict[str, Any]) -> None:
    for each in deployment:
        if each["urn"].endswith(f"::{EXTENSION}"):
            for side in ("inputs", "outputs"):
                each[side]["spec"]["extensionChains"].insert(0, chain)


def _reverse(deployment: Deployment) -> None:
    resource = the(deployment, TRAFFIC, EXTENSION)
    for side in ("inputs", "outputs"):
        resource[side]["spec"]["extensionChains"][0]["extensions"].reverse()


def _leave_out(deployment: Deployment, region: str) -> None:
    """Take a region out of the frontend's backends, as a program without it would."""
    kind = "regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
    group = the(deployment, kind, f"{FRONTEND}-{region}-backend")
    service = the(deployment, BACKEND_SERVICE, f"{FRONTEND}-service")
    for side in ("inputs", "outputs"):
        service[side]["backends"] = [
            each
            for each in service[side]["backends"]
            if each["group"] != group["outputs"]["selfLink"]
        ]
    service["propertyDependencies"]["backends"].remove(group["urn"])


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


@pytest.mark.parametrize("stack", ["dev", "prod", "services"])
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
    (
        "a route that only redirects, at a Gateway of another stack",
        both(
            twin(ROUTE, f"{QWEN}-route", named="to-https"),
            put(
                *(ROUTE, "to-https", "spec"),
                to={
                    "parentRefs": [{"name": "web", "namespace": "edge"}],
                    "rules": [
                        {
                            "filters": [
                                {
                                    "type": "RequestRedirect",
                                    "requestRedirect": {"scheme": "https", "statusCode": 301},
                                }
                            ]
                        }
                    ],
                },
            ),
        ),
    ),
    ("the prefix named exactly", cel('request.path == "/v1" || request.path.startsWith("/v1/")')),
    ("no condition", put(TRAFFIC, EXTENSION, *CHAIN, "matchCondition", to=GONE)),
    ("the Gateway's hosts", cel('request.host.endsWith("inference.acme.internal")')),
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


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (
            "no-outlier-detection",
            put(BACKEND_SERVICE, f"{FRONTEND}-service", "outlierDetection", to=GONE),
        ),
        ("callers-unchecked", put(TRAFFIC, EXTENSION, *APIGEE, "failOpen", to=True)),
    ],
)
def test_what_the_config_may_choose_is_a_note(
    rehearsals: dict[str, Rehearsal], code: str, change: Change
) -> None:
    found = findings_of(changed(rehearsals["prod"].resources(), change))
    assert {(each.code, each.note) for each in found} == {(code, True)}


REPLICA_PODS = "llama-3-2-1b-l4-spot-us-central1-deployment"


def test_a_chain_of_services_is_known_by_their_names(rehearsals: dict[str, Rehearsal]) -> None:
    deployment = rehearsals["services"].resources()
    assert codes(changed(deployment, _reverse), Check.GUARDED) == {"guardrail-first"}
    for name, broken in (("audit", {"chain-without-guardrail"}), ("nemo-guardrails", set[str]())):
        renamed = put(TRAFFIC, EXTENSION, *ARMOR, "name", to=name)
        other = put(TRAFFIC, EXTENSION, *ARMOR, "backendRef", "name", to="llama-3-2-1b-l4-spot-epp")
        assert codes(changed(deployment, both(renamed, other)), Check.GUARDED) == broken


def test_a_guardrail_at_the_replica_needs_none_in_the_chain(
    rehearsals: dict[str, Rehearsal],
) -> None:
    found = changed(rehearsals["services"].resources(), without(TRAFFIC, EXTENSION))
    assert {
        (each.subject.label, each.code)
        for each in findings_of(found)
        if each.check is Check.GUARDED
    } == {(f"{QWEN}-route", "no-extension")}


def test_a_guardrail_taken_from_the_replica_leaves_its_model_unreachable(
    rehearsals: dict[str, Rehearsal],
) -> None:
    found = changed(rehearsals["services"].resources(), lambda each: _without_guardrail(each))
    assert codes(found, Check.REACHABLE) == {"port-unserved"}


def test_a_way_past_the_guardrail_of_the_replica_is_found(rehearsals: dict[str, Rehearsal]) -> None:
    past = both(
        without(TRAFFIC, EXTENSION),
        put(POOL, REPLICA_POOL, "spec", "targetPorts", to=[{"number": 8000}]),
    )
    found = changed(rehearsals["services"].resources(), past)
    assert {each.subject.label for each in findings_of(found) if each.code == "no-extension"} == {
        f"{QWEN}-route",
        "inference-us-central1-llama-3-2-1b-route",
    }


REPLICA_POOL = "inference-us-central1-llama-3-2-1b-l4-spot-pool"


def _without_guardrail(deployment: Deployment) -> None:
    resource = the(deployment, DEPLOYMENT, REPLICA_PODS)
    for side in ("inputs", "outputs"):
        pod = resource[side]["spec"]["template"]["spec"]
        pod["containers"] = [each for each in pod["containers"] if each["name"] != "guardrail"]


LEADERS = put(
    POOL,
    QWEN_POOL,
    *("spec", "selector", "matchLabels", "app.kubernetes.io/component"),
    to="leader",
)


def test_the_leader_of_a_replica_that_spans_nodes_answers(
    rehearsals: dict[str, Rehearsal],
) -> None:
    spanning = both(across_nodes(QWEN_PODS, 2), LEADERS)
    assert findings_of(changed(rehearsals["prod"].resources(), spanning)) == []


def test_a_pool_that_takes_the_workers_too_is_found(rehearsals: dict[str, Rehearsal]) -> None:
    found = changed(rehearsals["prod"].resources(), across_nodes(QWEN_PODS, 2))
    assert "workers-selected" in codes(found, Check.REACHABLE)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (
            "security-policy-missing",
            without("RegionSecurityPolicy", "inference-us-central1-policy"),
        ),
        (
            "security-policy-elsewhere",
            put(
                "RegionSecurityPolicy", "inference-us-central1-policy", "region", to="europe-west4"
            ),
        ),
    ],
)
def test_a_cloud_armor_policy_is_there_and_in_the_region(
    rehearsals: dict[str, Rehearsal], code: str, change: Change
) -> None:
    found = changed(rehearsals["services"].resources(), change)
    assert codes(found, Check.REACHABLE) == {code}


def test_every_sentence_is_of_a_finding_and_every_finding_has_one() -> None:
    root = Path(__file__).parents[2] / "request_path"
    table = yaml.safe_load((root / "findings.yaml").read_text(encoding="utf-8"))
    names = {name for sentences in table.values() for name in sentences}
    code = "".join(file.read_text(encoding="utf-8") for file in root.rglob("*.py"))
    assert names <= set(re.findall(r'"([a-z/-]+)"', code))
    assert {name.partition("/")[0] for name in names} >= NOTES

"""Whatever the properties are, no rule raises, tells a secret or passes an unknown limit."""

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi_policy.proxy import UnknownValueError

from policies.shared.rule import ResourceRule
from tests.policies.cases import CASES
from tests.policies.harness import RULES, UNKNOWN, check, check_stack, resource

SECRET = "Xy7-s3cr3t_Marker/9q"  # noqa: S105  a marker that must not come back
CONFIG: dict[str, dict[str, Any]] = {case.rule: case.limits for case in CASES}
STACK_CONFIG: dict[str, dict[str, Any]] = {
    "ai-guardrail-on-every-path": {"unscreenedModels": []},
    "ai-routes-unambiguous": {},
    "ai-models-reachable": {},
    "scale-gpu-total": {"maxGpus": 0.0, "maxGpusPerRegion": 0.0, "maxGpusPerType": 0.0},
    "scale-pubsub-dlq": {"maxDeliveryAttempts": 0.0},
    "cost-prices-current": {"maxDays": 0.0},
    "cost-monthly-ceiling": {
        "maxWorstCaseUsd": 0.0,
        "maxExpectedUsd": 0.0,
        "maxBaselineUsd": 0.0,
        "unpricedTypes": [],
    },
    **{case.rule: case.limits for case in CASES if not isinstance(RULES[case.rule], ResourceRule)},
}
EXAMPLES = [
    *((case.rule, row["type"], row["props"]) for case in CASES for row in case.resources),
]
CONFIGURED = [rule.id for rule in RULES.values() if rule.id in CONFIG or not rule.limits]


def nested(depth: int) -> Any:
    """Return lists and maps in one another, as deep as the engine's messages go."""
    return {"items": [nested(depth - 1)], "spec": SECRET} if depth else SECRET


ODD = st.one_of(
    st.just(UNKNOWN),
    st.none(),
    st.just(SECRET),
    st.just([SECRET]),
    st.just({"name": SECRET}),
    st.booleans(),
    st.floats(),
    st.integers(),
    st.just(""),
    st.just([]),
    st.just({}),
    st.just(nested(48)),
)


def mutated(value: Any, draw: st.DrawFn) -> Any:
    """Return the value with some of its parts replaced by something odd."""
    if draw(st.integers(0, 4)) == 0:
        return draw(ODD)
    if isinstance(value, dict):
        parts = cast("dict[str, Any]", value)
        return {key: mutated(each, draw) for key, each in parts.items()}
    if isinstance(value, list):
        return [mutated(each, draw) for each in cast("list[Any]", value)]
    return value


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    rule, resource_type, props = draw(st.sampled_from(EXAMPLES))
    if draw(st.booleans()):
        rule = draw(st.sampled_from(CONFIGURED))
    return rule, resource_type, {key: mutated(each, draw) for key, each in props.items()}


@settings(max_examples=1000)
@given(cases())
def test_resource_rules_stand_anything(case: tuple[str, str, dict[str, Any]]) -> None:
    rule, resource_type, props = case
    if not isinstance(RULES[rule], ResourceRule):
        return
    try:
        messages = check(rule, resource_type, props, CONFIG.get(rule))
    except UnknownValueError as error:
        # Only a policy document that cannot be read is left to the engine to tell.
        assert error.props == ["policyData"]
        return
    assert SECRET not in "".join(messages)


@settings(max_examples=200)
@given(st.lists(cases(), max_size=4))
def test_stack_rules_stand_anything(some: list[tuple[str, str, dict[str, Any]]]) -> None:
    resources = [resource(kind, props, f"r{index}") for index, (_, kind, props) in enumerate(some)]
    for rule in (rule for rule in RULES.values() if not isinstance(rule, ResourceRule)):
        messages = check_stack(rule.id, resources, STACK_CONFIG[rule.id])
        assert SECRET not in "".join(messages)


def test_every_rule_is_among_those_that_stand_anything() -> None:
    assert {rule for rule, _, _ in EXAMPLES} | set(STACK_CONFIG) >= set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_no_rule_raises_on_a_huge_stack_of_nothing(rule: str) -> None:
    tokens = sorted({kind for _, kind, _ in EXAMPLES})
    asked = RULES[rule]
    if not isinstance(asked, ResourceRule):
        many = [resource(kind, {}, f"r{index}") for index, kind in enumerate(tokens * 20)]
        check_stack(rule, many, STACK_CONFIG[rule])
        return
    for token in tokens:
        try:
            check(rule, token, {}, CONFIG.get(rule))
        except UnknownValueError as error:
            assert error.props == ["policyData"]


# Where each limit stands: an unknown anywhere on the way to it must be told.
LIMIT_PATHS: list[tuple[str, str, tuple[str, ...]]] = [
    (
        "scale-cloudrun-worker-max",
        "gcp:cloudrunv2/workerPool:WorkerPool",
        ("scaling", "maxInstanceCount"),
    ),
    (
        "scale-vertex-replicas",
        "gcp:vertex/aiDeploymentResourcePool:AiDeploymentResourcePool",
        ("dedicatedResources", "maxReplicaCount"),
    ),
    (
        "scale-quota-not-raised",
        "gcp:cloudquota/sQuotaPreference:SQuotaPreference",
        ("quotaConfig", "preferredValue"),
    ),
    ("data-kms-rotation", "gcp:kms/cryptoKey:CryptoKey", ("rotationPeriod",)),
    (
        "scale-cloudrun-concurrency",
        "gcp:cloudrunv2/service:Service",
        ("template", "maxInstanceRequestConcurrency"),
    ),
    (
        "scale-cloudrun-max-instances",
        "gcp:cloudrunv2/service:Service",
        ("template", "scaling", "maxInstanceCount"),
    ),
    ("scale-cloudrun-timeout", "gcp:cloudrunv2/service:Service", ("template", "timeout")),
    (
        "scale-gke-pool-bounded",
        "gcp:container/nodePool:NodePool",
        ("autoscaling", "totalMaxNodeCount"),
    ),
    ("scale-pubsub-retention", "gcp:pubsub/topic:Topic", ("messageRetentionDuration",)),
    ("scale-deploy-replicas", "kubernetes:apps/v1:Deployment", ("spec", "replicas")),
    (
        "scale-hpa-max",
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        ("spec", "maxReplicas"),
    ),
]


@pytest.mark.parametrize(("rule", "resource_type", "path"), LIMIT_PATHS)
@settings(max_examples=30)
@given(st.data())
def test_unknown_on_the_way_to_a_limit_never_passes(
    rule: str, resource_type: str, path: tuple[str, ...], data: st.DataObject
) -> None:
    depth = data.draw(st.integers(1, len(path)))
    props: Any = UNKNOWN
    for step in reversed(path[:depth]):
        noise = data.draw(st.dictionaries(st.sampled_from(["labels", "note"]), ODD, max_size=2))
        props = {**noise, step: props}
    assert check(rule, resource_type, props, CONFIG[rule])

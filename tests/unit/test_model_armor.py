"""Model Armor: every part both ways, every model, closed on failure, exact rights."""

import json
from copy import deepcopy
from typing import Any, cast

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.inference.model_armor_access import ModelArmorAccess, ModelArmorAccessArgs
from components.inference.model_armor_guardrail import (
    ModelArmorGuardrail,
    ModelArmorGuardrailArgs,
    validate_model_armor_guardrail,
)
from components.inference.model_armor_settings import model_armor_settings
from components.inference.traffic_extension import TrafficExtension
from tests.unit.harness import Cloud, Deploy
from tests.unit.inference_arguments import GUARDRAIL as ARGS

EXTENSION = "kubernetes:networking.gke.io/v1:GCPTrafficExtension"
TEMPLATE = "gcp:modelarmor/template:Template"
INSPECT = "gcp:dataloss/preventionInspectTemplate:PreventionInspectTemplate"
DEIDENTIFY = "gcp:dataloss/preventionDeidentifyTemplate:PreventionDeidentifyTemplate"
GRANT = "gcp:projects/iAMMember:IAMMember"
HOME = "projects/acme/locations/us-central1"
CALLOUT = "serviceAccount:service-415104041262@gcp-sa-dep.iam.gserviceaccount.com"
CALLS = {
    (role, CALLOUT)
    for role in (
        "roles/modelarmor.calloutUser",
        "roles/modelarmor.user",
        "roles/serviceusage.serviceUsageConsumer",
    )
}


def _with(**changes: Any) -> ModelArmorGuardrailArgs:
    return cast("ModelArmorGuardrailArgs", {**deepcopy(ARGS), **changes})


def _deploy(deploy: Deploy, args: ModelArmorGuardrailArgs = ARGS) -> Cloud:
    def program() -> None:
        extension = ModelArmorGuardrail("armor", args).extension
        TrafficExtension(
            "chain", {"namespace": "n", "gateway_name": "gateway", "extensions": [extension]}
        )

    return deploy(program)


def _callout(cloud: Cloud) -> dict[str, Any]:
    (chain,) = cloud.one(EXTENSION).inputs["spec"]["extensionChains"]
    (callout,) = chain["extensions"]
    return callout


def _screened_by(text: str) -> dict[str, tuple[str, str]]:
    """Return the ids of the templates by model name."""
    return {
        entry["model"]: (
            entry["user_prompt_template_id"].removeprefix(f"{HOME}/templates/"),
            entry["model_response_template_id"].removeprefix(f"{HOME}/templates/"),
        )
        for entry in json.loads(text)
    }


def _filters(cloud: Cloud, template: str) -> dict[str, Any]:
    return cloud.one(TEMPLATE, f"armor-{template}").inputs["filterConfig"]


class TestEveryPartBothWays:
    """No part of a request or response gets around the guardrail."""

    def test_prompts_and_responses_are_sent_whole(self, deploy: Deploy):
        assert _callout(_deploy(deploy))["supportedEvents"] == [
            *("RequestHeaders", "RequestBody", "RequestTrailers"),
            *("ResponseHeaders", "ResponseBody", "ResponseTrailers"),
        ]

    def test_model_armor_and_the_templates_are_in_the_region(self, deploy: Deploy):
        cloud = _deploy(deploy)
        assert (
            _callout(cloud)["googleAPIServiceName"] == "modelarmor.us-central1.rep.googleapis.com"
        )
        assert {each.inputs["location"] for each in cloud.all(TEMPLATE)} == {"us-central1"}

    def test_the_extension_waits_for_all_templates(self, deploy: Deploy):
        cloud = _deploy(deploy)
        for template in (*cloud.all(TEMPLATE), *cloud.all(INSPECT), *cloud.all(DEIDENTIFY)):
            assert cloud.requires(cloud.one(EXTENSION), template)


class TestEveryModel:
    """Each model and adapter name has its guardrail, and any other name the default one."""

    def test_each_name_is_mapped_to_its_templates(self, deploy: Deploy):
        metadata = _callout(_deploy(deploy))["metadata"]
        assert list(metadata) == ["model_armor_settings"]
        assert _screened_by(metadata["model_armor_settings"]) == {
            "llama-3.1-8b": ("default-prompt", "default-response"),
            "topic-control": ("strict-prompt", "strict-response"),
            "raw": ("none-prompt", "none-response"),
            "default": ("default-prompt", "default-response"),
        }

    def test_every_named_template_is_made(self, deploy: Deploy):
        cloud = _deploy(deploy)
        text = _callout(cloud)["metadata"]["model_armor_settings"]
        named = {each for pair in _screened_by(text).values() for each in pair}
        assert {each.inputs["templateId"] for each in cloud.all(TEMPLATE)} == named

    def test_templates_no_model_has_are_not_made(self, deploy: Deploy):
        cloud = _deploy(deploy, _with(models={"llama-3.1-8b": "default"}))
        found = [each.inputs["templateId"] for each in cloud.all(TEMPLATE)]
        assert found == ["default-prompt", "default-response"]

    def test_an_unscreened_model_has_templates_that_screen_nothing(self, deploy: Deploy):
        cloud = _deploy(deploy)
        for template in ("none-prompt", "none-response"):
            assert _filters(cloud, template) == {
                "maliciousUriFilterSettings": {"filterEnforcement": "DISABLED"},
                "piAndJailbreakFilterSettings": {"filterEnforcement": "DISABLED"},
                "sdpSettings": {"basicConfig": {"filterEnforcement": "DISABLED"}},
            }

    @given(
        st.dictionaries(
            st.from_regex(r"[a-z][a-z0-9._/-]{0,30}", fullmatch=True).filter(
                lambda name: name != "default"
            ),
            st.sampled_from(["default", "default", "default", "default", "strict", "none"]),
            min_size=1,
            max_size=12,
        )
    )
    def test_settings_fit_and_give_every_name_its_guardrail(self, models: dict[str, str]):
        try:
            metadata = model_armor_settings("acme", "us-central1", models, "default")
        except ValueError as problem:
            assert "allowed: 1003 bytes" in str(problem)
            assert sum(guardrail != "default" for guardrail in models.values()) > 3
            return
        assert sum(len(key) + len(value) for key, value in metadata.items()) < 1024
        screened = _screened_by(metadata["model_armor_settings"])
        for name, guardrail in models.items():
            found = screened.get(name, screened["default"])
            assert found == (f"{guardrail}-prompt", f"{guardrail}-response")

    def test_names_of_the_default_guardrail_are_left_out_only_when_not_all_fit(self):
        few: dict[str, str] = dict.fromkeys("abc", "default")
        text = model_armor_settings("acme", "us-central1", few, "default")["model_armor_settings"]
        assert list(_screened_by(text)) == ["a", "b", "c", "default"]
        many = {**dict.fromkeys("abcdefgh", "default"), "z": "none"}
        text = model_armor_settings("acme", "us-central1", many, "default")["model_armor_settings"]
        assert list(_screened_by(text)) == ["z", "default"]

    def test_too_many_names_with_guardrails_of_their_own_are_told(self):
        with pytest.raises(ValueError, match=r"^models: found 8 model and adapter names"):
            model_armor_settings("acme", "us-central1", dict.fromkeys("abcdefgh", "x"), "default")


class TestFailure:
    """Without a verdict, nothing passes."""

    def test_a_request_without_a_verdict_fails_after_ten_seconds(self, deploy: Deploy):
        callout = _callout(_deploy(deploy))
        assert callout["failOpen"] is False
        assert callout["timeout"] == "10s"

    def test_both_can_be_chosen(self, deploy: Deploy):
        callout = _callout(_deploy(deploy, _with(fail_open=True, timeout_seconds=2)))
        assert callout["failOpen"] is True
        assert callout["timeout"] == "2s"

    def test_templates_block_also_when_a_filter_fails_and_log_no_prompt(self, deploy: Deploy):
        for template in _deploy(deploy).all(TEMPLATE):
            metadata = template.inputs["templateMetadata"]
            assert metadata["enforcementType"] == "INSPECT_AND_BLOCK"
            assert metadata["ignorePartialInvocationFailures"] is False
            assert metadata["logSanitizeOperations"] is False
            assert metadata["logTemplateOperations"] is True
            assert metadata["customPromptSafetyErrorCode"] == 403
            assert metadata["customLlmResponseSafetyErrorCode"] == 403


class TestFilters:
    """A guardrail screens what it says, and by default everything."""

    def test_everything_is_screened_by_default(self, deploy: Deploy):
        cloud = _deploy(deploy)
        both = {
            "maliciousUriFilterSettings": {"filterEnforcement": "ENABLED"},
            "raiSettings": {
                "raiFilters": [
                    {"filterType": harm, "confidenceLevel": "MEDIUM_AND_ABOVE"}
                    for harm in ("DANGEROUS", "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT")
                ]
            },
            "sdpSettings": {"basicConfig": {"filterEnforcement": "ENABLED"}},
        }
        injection = {"filterEnforcement": "ENABLED", "confidenceLevel": "MEDIUM_AND_ABOVE"}
        assert _filters(cloud, "default-prompt") == {
            **both,
            "piAndJailbreakFilterSettings": injection,
        }
        assert _filters(cloud, "default-response") == {
            **both,
            "piAndJailbreakFilterSettings": {"filterEnforcement": "DISABLED"},
        }

    def test_levels_are_confidences(self, deploy: Deploy):
        filters = _filters(_deploy(deploy), "strict-prompt")
        assert filters["piAndJailbreakFilterSettings"]["confidenceLevel"] == "LOW_AND_ABOVE"
        assert filters["raiSettings"]["raiFilters"] == [
            {"filterType": "DANGEROUS", "confidenceLevel": "HIGH"},
            {"filterType": "HATE_SPEECH", "confidenceLevel": "MEDIUM_AND_ABOVE"},
            {"filterType": "SEXUALLY_EXPLICIT", "confidenceLevel": "MEDIUM_AND_ABOVE"},
        ]
        assert filters["maliciousUriFilterSettings"] == {"filterEnforcement": "DISABLED"}

    def test_redaction_replaces_what_inspection_finds(self, deploy: Deploy):
        cloud = _deploy(deploy)
        inspect, deidentify = cloud.one(INSPECT), cloud.one(DEIDENTIFY)
        for side in ("prompt", "response"):
            assert _filters(cloud, f"strict-{side}")["sdpSettings"] == {
                "advancedConfig": {
                    "inspectTemplate": inspect.id,
                    "deidentifyTemplate": deidentify.id,
                }
            }
        assert inspect.inputs["parent"] == deidentify.inputs["parent"] == HOME
        (transformation,) = deidentify.inputs["deidentifyConfig"]["infoTypeTransformations"][
            "transformations"
        ]
        assert transformation["infoTypes"] == inspect.inputs["inspectConfig"]["infoTypes"]
        assert transformation["primitiveTransformation"] == {"replaceWithInfoTypeConfig": True}

    def test_chosen_info_types_can_be_blocked(self, deploy: Deploy):
        guardrails = {"default": {"info_types": ["IBAN_CODE"]}}
        cloud = _deploy(deploy, _with(guardrails=guardrails, models={"a": "default"}))
        inspect = cloud.one(INSPECT)
        assert inspect.inputs["inspectConfig"]["infoTypes"] == [{"name": "IBAN_CODE"}]
        assert cloud.all(DEIDENTIFY) == []
        assert _filters(cloud, "default-prompt")["sdpSettings"] == {
            "advancedConfig": {"inspectTemplate": inspect.id}
        }


class TestRights:
    """The load balancer's agent may call Model Armor, and nothing else is granted."""

    def _grants(self, deploy: Deploy, **more: Any) -> set[tuple[str, str]]:
        args = cast(
            "ModelArmorAccessArgs", {"project": "acme", "project_number": "415104041262", **more}
        )
        cloud = deploy(lambda: ModelArmorAccess("armor", args).project_id)
        assert cloud.value == "acme"
        assert {grant.inputs["project"] for grant in cloud.all(GRANT)} == {"acme"}
        return {(each.inputs["role"], each.inputs["member"]) for each in cloud.all(GRANT)}

    def test_three_roles_by_default(self, deploy: Deploy):
        assert self._grants(deploy) == CALLS

    def test_model_armor_may_use_templates_where_there_are_some(self, deploy: Deploy):
        agent = "service-415104041262@gcp-sa-modelarmor.iam.gserviceaccount.com"
        assert self._grants(deploy, model_armor_agent_email=agent) - CALLS == {
            ("roles/dlp.reader", f"serviceAccount:{agent}"),
            ("roles/dlp.user", f"serviceAccount:{agent}"),
        }

    def test_the_guardrail_waits_for_the_grants(self, deploy: Deploy):
        def program() -> None:
            access = ModelArmorAccess("access", {"project": "acme", "project_number": "1"})
            ModelArmorGuardrail("armor", _with(project=access.project_id))

        cloud = deploy(program)
        for grant in cloud.all(GRANT):
            for template in cloud.all(TEMPLATE):
                assert cloud.requires(template, grant)


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        (
            {"guardrails": {}, "models": {"a": "none"}},
            "guardrails",
            "found an empty mapping; allowed: one",
        ),
        ({"models": {}}, "models", "found an empty mapping; allowed"),
        ({"default": "strct"}, "default", "found 'strct'; allowed: default, strict"),
        ({"models": {"a": "x"}}, "models.a", "found 'x'; allowed: default, none, strict"),
        ({"timeout_seconds": 11}, "timeout_seconds", "found 11; allowed: a number from 0.1 to"),
    ],
)
def test_wrong_arguments_are_told(changes: dict[str, Any], path: str, reason: str):
    found = validate_model_armor_guardrail(_with(**changes)).found
    assert any(
        problem["property_path"] == path and problem["reason"].startswith(reason)
        for problem in found
    ), found


@pytest.mark.parametrize(
    ("guardrail", "path", "reason"),
    [
        ({"prompt_injection": "LOW"}, ".prompt_injection", "found 'LOW'; allowed: none, low"),
        (
            {"responsible_ai": {"hate": "low"}},
            ".responsible_ai.hate",
            "found the name 'hate'; allowed: dang",
        ),
        (
            {"responsible_ai": {"dangerous": "off"}},
            ".responsible_ai.dangerous",
            "found 'off'; allowed: none, low, medium, high",
        ),
        ({"sensitive_data": "off"}, ".sensitive_data", "found 'off'; allowed: none, block, redact"),
        ({"info_types": []}, ".info_types", "found an empty list; allowed: one"),
        (
            {"sensitive_data": "none", "info_types": ["IBAN_CODE"]},
            ".info_types",
            "found a list; allowed: nothing where sensitive_data is 'none'",
        ),
    ],
)
def test_a_wrong_guardrail_is_told(guardrail: dict[str, Any], path: str, reason: str):
    args = _with(guardrails={**ARGS["guardrails"], "default": guardrail})
    (problem,) = validate_model_armor_guardrail(args).found
    assert problem["property_path"] == f"guardrails.default{path}"
    assert problem["reason"].startswith(reason)


def test_a_guardrail_cannot_be_called_none_nor_anything_a_template_cannot(deploy: Deploy):
    for name in ("none", "Strict", "x" * 60):
        args = _with(guardrails={**ARGS["guardrails"], name: {}})
        with pytest.raises(pulumi.InputPropertiesError, match=rf"guardrails\.{name}: found"):
            deploy(lambda args=args: ModelArmorGuardrail("armor", args))

"""A secret in any property of any resource is neither in comment, page nor findings.

The resources are those of prod as it is recorded, one of each type, with every text in them taken
for a secret: nothing says which are.
"""

import itertools
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from plans import page
from plans.report import report_of
from policies.engine.environment import ENVIRONMENTS, settings_of
from policies.engine.packs import ALL, rules_of
from policies.reports import data, markdown, sarif, state, text
from tests.plans.documents import Document
from tests.plans.test_comment import judged, rendered

STATE = Path(__file__).parents[1] / "upgrades" / "2026-11-29-prod.tar.xz"
PERIMETER = "gcp:accesscontextmanager/servicePerimeter:ServicePerimeter"
TODAY = date(2026, 11, 29)
NAMES = {"kubernetes:gateway.networking.k8s.io/v1:Gateway": {"metadata.name"}}
"""What the picture is labelled with."""
GRANTED_ON = {
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": {"repository"},
    "gcp:bigquery/datasetIamMember:DatasetIamMember": {"datasetId"},
    "gcp:bigquery/iamMember:IamMember": {"tableId"},
    "gcp:certificateauthority/caPoolIamMember:CaPoolIamMember": {"caPool"},
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": {"name"},
    "gcp:projects/iAMMember:IAMMember": {"project"},
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": {"subscription"},
    "gcp:pubsub/topicIAMMember:TopicIAMMember": {"topic"},
    "gcp:secretmanager/secretIamMember:SecretIamMember": {"secretId"},
    "gcp:serviceaccount/iAMMember:IAMMember": {"serviceAccountId"},
    "gcp:storage/bucketIAMMember:BucketIAMMember": {"bucket"},
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": {"roleRef.name"},
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": {"metadata.namespace", "roleRef.name"},
}
"""What somebody gets a role on, where the text could be a name of that kind."""
WHO = {
    **NAMES,
    **GRANTED_ON,
    PERIMETER: {
        *("status.ingressPolicies[].ingressFrom.identities[]",),
        *("status.ingressPolicies[].ingressFrom.identityType",),
        *("status.ingressPolicies[].ingressFrom.sources[].accessLevel",),
        *("status.ingressPolicies[].ingressTo.operations[].serviceName",),
    },
    "gcp:compute/serviceAttachment:ServiceAttachment": {"consumerAcceptLists[].projectIdOrNum"},
}
"""Who is let in to what, where the text could be a name of that kind."""
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
NEEDED = {
    **GRANTED_ON,
    "gcp:certificatemanager/certificateIssuanceConfig:CertificateIssuanceConfig": {
        "certificateAuthorityConfig.certificateAuthorityServiceConfig.caPool"
    },
    "gcp:cloudrunv2/service:Service": {
        *("template.containers[].envs[].valueSource.secretKeyRef.secret",),
        *("template.volumes[].secret.secret",),
    },
    "gcp:monitoring/notificationChannel:NotificationChannel": {"labels.topic"},
    SUBSCRIPTION: {
        *("deadLetterPolicy.deadLetterTopic", "name"),
        *("pushConfig.oidcToken.serviceAccountEmail", "pushConfig.pushEndpoint"),
    },
}
"""What a finding names as what a right is needed on, or held on."""
SHOWN = 4
"""So many changed values of a resource are told."""


@cache
def recorded() -> Mapping[str, Mapping[str, Any]]:
    """Return the inputs of one resource of each type."""
    with tarfile.open(STATE) as archive:
        (name,) = (each for each in archive.getnames() if each.endswith("/prod.json"))
        file = archive.extractfile(name)
        assert file is not None
        resources = json.load(file)["checkpoint"]["latest"]["resources"]
    custom = (each for each in resources if each.get("custom"))
    return {
        each["type"]: each["inputs"] for each in custom if not each["type"].startswith("pulumi:")
    }


class Planted:
    """Secrets of a shape, each with the property it was put into."""

    def __init__(self, shape: str) -> None:
        self._shape, self._numbers = shape, itertools.count()
        self.places: dict[str, tuple[str, str]] = {}

    def found_in(self, text: str) -> set[str]:
        """Return the secrets that a text has."""
        secret = re.compile(re.escape(self._shape).replace(re.escape("{}"), r"\d+"))
        return {each for each in secret.findall(text) if each in self.places}

    def into(self, value: Any, of_type: str, path: str = "") -> Any:
        """Return a value with a secret in the place of each text."""
        if isinstance(value, str):
            secret = self._shape.format(next(self._numbers))
            self.places[secret] = of_type, re.sub(r"\d+\]", "]", path)
            return secret
        if isinstance(value, dict):
            entries = cast("dict[str, Any]", value)
            return {
                key: self.into(each, of_type, below(path, key)) for key, each in entries.items()
            }
        if isinstance(value, list):
            items = cast("list[Any]", value)
            return [self.into(each, of_type, f"{path}[{at}]") for at, each in enumerate(items)]
        return value


def below(path: str, key: str) -> str:
    plain = re.fullmatch(r"\w+", key)
    return f'{path}["{key}"]' if not plain else f"{path}.{key}" if path else key


def texts(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each text, as the engine writes it."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, each in cast("dict[str, Any]", value).items():
            yield from texts(each, below(path, key))
    elif isinstance(value, list):
        for index, each in enumerate(cast("list[Any]", value)):
            yield from texts(each, f"{path}[{index}]")


@pytest.mark.parametrize(
    ("shape", "allowed"),
    [("Hunter2/planted+{}=", NAMES), ("hunter2-planted-{}x", WHO), ("sk{}x", WHO)],
    ids=["base64", "words", "token"],
)
def test_no_text_is_shown_but_names_and_who_is_let_in(
    shape: str, allowed: Mapping[str, set[str]]
) -> None:
    document, planted = Document(), Planted(shape)
    for of_type, inputs in recorded().items():
        paths = [*texts(inputs)]
        for start in range(0, len(paths), SHOWN):
            changed = paths[start : start + SHOWN]
            old, new = planted.into(inputs, of_type), planted.into(inputs, of_type)
            document.step("update", of_type, changed[0], old, new, changed=changed)
        document.step("create", of_type, "new", None, planted.into(inputs, of_type))
    plan = document.plan()
    whole, _ = page.render(report_of(plan, judged(), TODAY), plan, judged())
    for shown in (rendered(plan), whole):
        found = {planted.places[each] for each in planted.found_in(shown)}
        assert found <= {(of_type, path) for of_type, paths in allowed.items() for path in paths}
    assert len(planted.places) > 1000


@pytest.mark.parametrize(
    ("shape", "allowed"),
    [("Hunter2/planted+{}=", {SUBSCRIPTION: {"name"}}), ("hunter2-planted-{}x", NEEDED)],
    ids=["base64", "words"],
)
def test_findings_of_the_policies_show_no_text_but_what_a_right_is_needed_on(
    shape: str, allowed: Mapping[str, set[str]]
) -> None:
    planted, exported = Planted(shape), list[dict[str, Any]]()
    for index, (of_type, inputs) in enumerate(recorded().items()):
        given = planted.into(inputs, of_type)
        urn = f"urn:pulumi:prod::inference::{of_type}::{index}"
        exported.append({"urn": urn, "type": of_type, "inputs": given, "outputs": given})
    settings = settings_of(ENVIRONMENTS / "prod.yaml", TODAY)
    run = state.judge(exported, rules_of(ALL), settings, TODAY)
    assert len(run.found) > 100
    for render in (data.render, markdown.render, sarif.render, text.render):
        found = {planted.places[each] for each in planted.found_in(render(run))}
        assert found <= {(of_type, path) for of_type, paths in allowed.items() for path in paths}

"""The packs as the real engine runs them: a preview fails with the message, or passes quietly."""

import datetime as dt
import gc
import json
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi_gcp as gcp
import pytest
import yaml
from pulumi import Output, automation
from pulumi.automation.events import EngineEvent

from policies.engine.config import LEVEL
from policies.engine.environment import ENVIRONMENTS, environments, load
from policies.engine.packs import rules_of, version_of
from policies.reports.run import of_event_log
from tests.engine.conftest import until_programs_end
from tests.policies import path_routed_gateway as sample
from tests.policies.echo_provider import serve

ROOT = Path(__file__).resolve().parents[2]
ALL = ROOT / "policies" / "all"
PACKS = ("baseline", "least-privilege", "scale-limits")
DEV = ENVIRONMENTS / "dev.yaml"
PROD = load(ENVIRONMENTS / "prod.yaml")
# Limits of a whole pack, as the engine's own kind of config has them.
OWN_LIMITS: dict[str, Any] = {
    rule.id: {key: each for key, each in PROD[rule.id].items() if key != LEVEL}
    for rule in rules_of("scale-limits")
    if rule.limits and PROD[rule.id][LEVEL] != "disabled"
} | {"scale-gpu-types-allowed": {"gpuTypes": ["nvidia-l4"]}}
LABELS = {"environment": "dev", "platform": "inference"}
IMAGE = "us-central1-docker.pkg.dev/acme-inference-dev/app/worker:1"
PUBSUB_AGENT = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
LAUNCHER = f"""#!/bin/sh
cd "$2" && exec "{sys.executable}" -u -m pulumi.policy "$1" "$2"
"""

# The Automation API leaves the event loop of an inline program open; see `collect` below.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Preview = Callable[..., str]


@pytest.fixture(autouse=True, scope="module")
def collect() -> Iterator[None]:
    """Let what the Automation API leaves open be found here, not in some later module."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    own = ROOT / ".engine" / "bin" / "pulumi"
    engine = shutil.which("pulumi") or (str(own) if own.exists() else None)
    if engine is None:
        pytest.skip(
            "NO PULUMI ENGINE: the policy packs were NOT run by a real engine; run `make setup`"
        )
    home = tmp_path_factory.mktemp("engine")
    launcher = home / "bin" / "pulumi-analyzer-policy-python"
    launcher.parent.mkdir()
    launcher.write_text(LAUNCHER)
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    for name in ("state", "work", "temporary", "pulumi"):
        (home / name).mkdir()
    (home / "pulumi" / "logs").touch()  # so the engine writes none
    with serve() as port, pytest.MonkeyPatch.context() as patch:
        path = (str(launcher.parent), str(Path(engine).parent), os.environ["PATH"])
        patch.setenv("PATH", os.pathsep.join(path))
        patch.setenv("PULUMI_DEBUG_PROVIDERS", f"gcp:{port},kubernetes:{port}")
        patch.setenv("PULUMI_BACKEND_URL", f"file://{home / 'state'}")
        patch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
        patch.setenv("PULUMI_HOME", str(home / "pulumi"))
        patch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
        patch.setattr(tempfile, "tempdir", str(home / "temporary"))

        def run(program: Callable[[], None], environment: str, *packs: str) -> str:
            stack = stack_of(program, environment)
            folders = [str(ROOT / "policies" / pack) for pack in packs or ("all",)]
            try:
                result = stack.preview(policy_packs=folders, color="never")
            finally:
                until_programs_end()
            return result.stdout + result.stderr

        yield run
    assert not list((home / "temporary").iterdir())


def stack_of(
    program: Callable[[], None], environment: str = "dev", variables: dict[str, str] | None = None
) -> automation.Stack:
    """Return a stack whose files are beside the engine's: without a folder, each gets one that
    stays."""
    work = Path(os.environ["PULUMI_HOME"]).parent / "work"
    options = automation.LocalWorkspaceOptions(
        work_dir=str(work), env_vars=variables, pulumi_command=command(os.environ["PATH"])
    )
    return automation.create_or_select_stack(
        environment, "inference", program=program, opts=options
    )


@cache
def command(_path: str) -> automation.PulumiCommand:
    """Return the engine on the path; it is asked for its version once."""
    return automation.PulumiCommand()


def account(name: str) -> gcp.serviceaccount.Account:
    return gcp.serviceaccount.Account(name, account_id=name, project="acme-inference-dev")


def member(email: Output[str]) -> Output[str]:
    return Output.concat("serviceAccount:", email)


def clean() -> None:
    runner = account("runner")
    gcp.cloudrunv2.Service(
        "worker",
        location="us-central1",
        project="acme-inference-dev",
        ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
        labels=LABELS,
        template={
            "service_account": runner.email,
            "timeout": "60s",
            "max_instance_request_concurrency": 40,
            "scaling": {"max_instance_count": 5},
            "containers": [{"image": IMAGE, "startup_probe": {"http_get": {"path": "/"}}}],
        },
    )
    gcp.projects.IAMMember(
        "logs",
        project="acme-inference-dev",
        role="roles/container.defaultNodeServiceAccount",
        member=member(runner.email),
    )
    gcp.container.NodePool(
        "l4",
        cluster="main",
        location="us-central1",
        project="acme-inference-dev",
        autoscaling={"total_min_node_count": 0, "total_max_node_count": 2},
        node_config={
            "machine_type": "g2-standard-8",
            "service_account": runner.email,
            "spot": True,
            "shielded_instance_config": {"enable_secure_boot": True},
            "workload_metadata_config": {"mode": "GKE_METADATA"},
        },
    )
    work, dead = (
        gcp.pubsub.Topic(
            name,
            project="acme-inference-dev",
            labels=LABELS,
            message_storage_policy={"allowed_persistence_regions": ["us-central1"]},
        )
        for name in ("work", "dead")
    )
    reader = gcp.pubsub.Subscription(
        "work",
        topic=work.id,
        project="acme-inference-dev",
        labels=LABELS,
        dead_letter_policy={"dead_letter_topic": dead.id, "max_delivery_attempts": 5},
        retry_policy={"minimum_backoff": "10s"},
        expiration_policy={"ttl": ""},
    )
    gcp.pubsub.SubscriptionIAMMember(
        "take",
        subscription=reader.name,
        project="acme-inference-dev",
        role="roles/pubsub.subscriber",
        member=PUBSUB_AGENT,
    )
    gcp.pubsub.TopicIAMMember(
        "publish",
        topic=dead.name,
        project="acme-inference-dev",
        role="roles/pubsub.publisher",
        member=PUBSUB_AGENT,
    )
    gcp.pubsub.Subscription(
        "dead",
        topic=dead.id,
        project="acme-inference-dev",
        labels=LABELS,
        expiration_policy={"ttl": ""},
    )
    gcp.monitoring.AlertPolicy(
        "down",
        project="acme-inference-dev",
        display_name="down",
        combiner="OR",
        conditions=[
            {"display_name": "down", "condition_prometheus_query_language": {"query": "up"}}
        ],
        notification_channels=["projects/acme-inference-dev/notificationChannels/1"],
        user_labels=LABELS,
    )
    gcp.projects.IAMAuditConfig(
        "audit",
        project="acme-inference-dev",
        service="allServices",
        audit_log_configs=[{"log_type": "DATA_READ"}, {"log_type": "DATA_WRITE"}],
    )


def owner() -> None:
    gcp.projects.IAMMember(
        "owner",
        project="acme-inference-dev",
        role="roles/owner",
        member="user:someone@acme.example",
    )


def h100() -> None:
    gcp.container.NodePool(
        "h100",
        cluster="main",
        location="us-central1",
        project="acme-inference-dev",
        autoscaling={"total_max_node_count": 2},
        node_config={"machine_type": "a3-highgpu-8g"},
    )


def violating() -> None:
    owner()
    h100()


def test_clean_program_passes_without_a_word(preview: Preview) -> None:
    output = re.sub(
        r"warning: using \S+ from \$PATH|[0-9]+ warnings", "", preview(clean, "dev", *PACKS)
    )
    for word in ("[mandatory]", "[advisory]", "can't run policy", "warning", "error"):
        assert word not in output, output
    for pack in PACKS:
        assert pack in output


def test_violating_program_fails_with_the_messages(preview: Preview) -> None:
    with pytest.raises(automation.CommandError) as caught:
        preview(violating, "dev", *PACKS)
    output = str(caught.value)
    for finding in (
        "owner (gcp:projects/iAMMember:IAMMember): grants the basic role roles/owner",
        "may take 16 nvidia-h100-80gb GPUs, allowed 4",
        "uses the GPU type nvidia-h100-80gb, allowed: nvidia-l4",
        "nodeConfig.serviceAccount is not set",
    ):
        assert finding in output, output


def updated(program: Callable[[], None], pack: str, state: Path) -> tuple[str, list[str]]:
    """Return what an update of `program` under one pack alone fails with, and the types it made."""
    folder = ROOT / "policies" / pack
    variables = {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": ""}
    stack = stack_of(program, variables=variables)
    with pytest.raises(automation.CommandError) as caught:
        stack.up(
            policy_packs=[str(folder)],
            color="never",
        )
    made = stack.export_stack().deployment or {}
    return str(caught.value), [each["type"] for each in made.get("resources", [])]


@pytest.mark.usefixtures("preview")
@pytest.mark.parametrize(
    ("pack", "program", "refused_type", "finding"),
    [
        ("baseline", "open_bucket", "gcp:storage/bucket:Bucket", "must be true"),
        ("least-privilege", "owner", "gcp:projects/iAMMember:IAMMember", "roles/owner"),
        ("scale-limits", "h100", "gcp:container/nodePool:NodePool", "may take 16"),
        ("all", "owner", "gcp:projects/iAMMember:IAMMember", "roles/owner"),
    ],
)
def test_each_pack_alone_stops_an_update_before_the_resource_is_made(
    tmp_path: Path, pack: str, program: str, refused_type: str, finding: str
) -> None:
    programs = {"owner": owner, "h100": h100, "open_bucket": open_bucket}
    output, made = updated(programs[program], pack, tmp_path)
    assert finding in output
    assert "[mandatory]" in output
    assert f"{pack}@v{version_of(pack)}" in output
    assert refused_type not in made


class Wrapped(pulumi.ComponentResource):
    """A component in a component that hides what it makes."""

    def __init__(self, name: str, depth: int, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("acme:index:Wrapped", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        if depth:
            Wrapped(f"{name}-in", depth - 1, own)
            return
        gcp.projects.IAMMember(
            f"{name}-grant",
            project="acme-inference-dev",
            role=Output.secret("roles/").apply(lambda start: f"{start}owner"),
            member=Output.secret("user:someone@acme.example"),
            opts=pulumi.ResourceOptions.merge(
                own,
                pulumi.ResourceOptions(
                    aliases=[pulumi.Alias(name="harmless")],
                    delete_before_replace=True,
                    ignore_changes=["role"],
                    retain_on_delete=True,
                ),
            ),
        )
        gcp.container.NodePool(
            f"{name}-pool",
            cluster="main",
            location="us-central1",
            project="acme-inference-dev",
            node_count=Output.from_input(2).apply(lambda count: count + 1),
            node_config={"machine_type": Output.secret("a3-highgpu-8g"), "labels": None},
            opts=own,
        )


def test_components_secrets_aliases_and_options_hide_nothing(preview: Preview) -> None:
    with pytest.raises(automation.CommandError) as caught:
        preview(lambda: (Wrapped("outer", 3), None)[1], "dev")
    output = str(caught.value)
    for finding in (
        "outer-in-in-in-grant (gcp:projects/iAMMember:IAMMember): grants the basic role",
        "may take 72 nvidia-h100-80gb GPUs, allowed 4",
    ):
        assert finding in output, output


def test_the_provider_s_project_hides_no_chain(preview: Preview) -> None:
    def program() -> None:
        opts = pulumi.ResourceOptions(provider=gcp.Provider("acme", project="acme-inference-dev"))
        deployer = gcp.serviceaccount.Account("deployer", account_id="deployer", opts=opts)
        gcp.serviceaccount.IAMMember(
            "token",
            service_account_id=deployer.name,
            role="roles/iam.serviceAccountTokenCreator",
            member="group:dev@acme.com",
            opts=opts,
        )
        gcp.folder.IAMMember(
            "admin",
            folder="folders/1",
            role="roles/resourcemanager.folderAdmin",
            member="serviceAccount:deployer@acme-inference-dev.iam.gserviceaccount.com",
            opts=opts,
        )

    with pytest.raises(automation.CommandError) as caught:
        preview(program, "dev")
    assert "group:dev@acme.com takes tokens of service account deployer" in str(caught.value)


def test_unscreened_path_beside_a_screened_one_fails_the_preview(preview: Preview) -> None:
    def published() -> None:
        sample.make(*sample.AS_PUBLISHED, prefixes=("/v1/", "/security/", "/cache/"))

    with pytest.raises(automation.CommandError) as caught:
        preview(published, "dev")
    output = str(caught.value)
    for finding in (
        "requests to /v1/ may pass no guardrail: no chain of guardrails is sure to match them",
        "for requests to /cache/ the chain",
    ):
        assert finding in output, output
    assert "v1-below (kubernetes:gateway.networking.k8s.io/v1:HTTPRoute)" in output
    assert "ai-models-reachable" not in output
    assert "ai-routes-unambiguous" not in output


def test_one_chain_for_every_path_passes(preview: Preview) -> None:
    def corrected() -> None:
        sample.make(*sample.CORRECTED, prefixes=("/v1/", "/security/", "/cache/"))

    output = preview(corrected, "dev")
    assert "[mandatory]" not in output, output


def test_two_models_on_one_path_fail_the_preview(preview: Preview) -> None:
    def ambiguous() -> None:
        sample.make(*sample.CORRECTED, prefixes=("/v1/", "/v1"))

    with pytest.raises(automation.CommandError) as caught:
        preview(ambiguous, "dev")
    assert "the older of the two gets every request" in str(caught.value)


def test_same_program_differs_by_environment(preview: Preview) -> None:
    with pytest.raises(automation.CommandError) as caught:
        preview(violating, "prod")
    output = str(caught.value)
    assert "grants the basic role roles/owner" in output
    assert "allowed: nvidia-l4" not in output


def refused(program: Callable[[], None], pack: Path, config: dict[str, Any]) -> str:
    """Return what a preview of `program` fails with under a config over that of dev's
    environment."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dev.json"
        file.write_text(json.dumps(config))
        stack = stack_of(program)
        with pytest.raises(automation.CommandError) as caught:
            stack.preview(policy_packs=[str(pack)], policy_pack_configs=[str(file)], color="never")
        return str(caught.value)


@pytest.mark.usefixtures("preview")
def test_every_pack_in_one_process_says_the_same() -> None:
    output = refused(violating, ALL, {})
    for finding in (
        "owner (gcp:projects/iAMMember:IAMMember): grants the basic role roles/owner",
        "may take 16 nvidia-h100-80gb GPUs, allowed 4",
    ):
        assert finding in output, output


def open_bucket() -> None:
    gcp.storage.Bucket(
        "models",
        location="us-central1",
        project="acme-inference-dev",
        uniform_bucket_level_access=False,
        labels={**LABELS, "team": "ml"},
        lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"age": 7}}],
    )


@pytest.mark.usefixtures("preview")
def test_a_bucket_is_changed_where_the_environment_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "uniformBucketLevelAccess must be true" in refused(open_bucket, ALL, {})
    document = yaml.safe_load(DEV.read_text())
    document["remediate"] = ["data-gcs-private", "cost-labels-prescribed"]
    document["rules"]["cost-labels-prescribed"] = {"labels": ["env=dev"]}
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("POLICY_ENVIRONMENT", str(own))
    seen: list[dict[str, Any]] = []

    def watch(event: EngineEvent) -> None:
        step = event.resource_pre_event.metadata if event.resource_pre_event else None
        if step is not None and step.type == "gcp:storage/bucket:Bucket" and step.new is not None:
            seen.append({**(step.new.inputs or {})})

    stack_of(open_bucket).preview(policy_packs=[str(ALL)], color="never", on_event=watch)
    (inputs,) = seen
    assert inputs["uniformBucketLevelAccess"] is True
    assert inputs["publicAccessPrevention"] == "enforced"
    assert inputs["labels"] == {**LABELS, "team": "ml", "env": "dev"}
    # What was made is what was changed: the provider got it, and the state has it.
    made = stack_of(open_bucket, "remediated")
    made.up(policy_packs=[str(ALL)], color="never")
    resources = cast("dict[str, Any]", made.export_stack().deployment)["resources"]
    (bucket,) = [each for each in resources if each["type"] == "gcp:storage/bucket:Bucket"]
    for state in (bucket["inputs"], bucket["outputs"]):
        assert state["uniformBucketLevelAccess"] is True
        assert state["publicAccessPrevention"] == "enforced"
        assert state["labels"] == {**LABELS, "team": "ml", "env": "dev"}


def bucket_of_another() -> None:
    other = gcp.storage.Bucket(
        "other",
        location="us-central1",
        project="acme-inference-dev",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        labels=LABELS,
        lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"age": 7}}],
    )
    gcp.storage.Bucket(
        "models",
        location="us-central1",
        project="acme-inference-dev",
        uniform_bucket_level_access=other.self_link.apply(lambda _: False),
        public_access_prevention="inherited",
        labels=LABELS,
        lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"age": 7}}],
    )


@pytest.mark.usefixtures("preview")
def test_what_is_not_known_in_a_preview_is_refused_rather_than_changed() -> None:
    config = {"data-gcs-private": {"enforcementLevel": "remediate"}}
    output = refused(bucket_of_another, ALL, config)
    assert "uniformBucketLevelAccess must be true, it is not known during preview" in output


def test_nothing_is_changed_as_shipped() -> None:
    for name in environments():
        levels = {each[LEVEL] for each in load(ENVIRONMENTS / f"{name}.yaml").values()}
        assert levels <= {"advisory", "mandatory", "disabled"}, name


@pytest.mark.usefixtures("preview")
def test_an_exempted_finding_passes_with_a_word_until_it_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {
        "resource": "gcp:storage/bucket:Bucket::models",
        "finding": "must be true",
        "reason": "An old reader of this bucket still needs its object rules.",
        "owner": "platform@acme.example",
        "expires": str(dt.date.today() + dt.timedelta(days=30)),
    }
    other = {**entry, "finding": "must be enforced"}
    config = {"data-gcs-private": {"exemptions": [entry, other]}}
    event_log = tmp_path / "event_log"
    monkeypatch.setenv("POLICY_EVENT_LOG", str(event_log))
    file = tmp_path / "dev.json"
    file.write_text(json.dumps(config))
    stack = stack_of(open_bucket)
    output = stack.preview(
        policy_packs=[str(ALL)], policy_pack_configs=[str(file)], color="never"
    ).stdout
    assert "by platform@acme.example covers 1 until" in output
    run = of_event_log(event_log)
    assert run.whole
    assert [each.rule["id"] for each in run.exempted] == ["data-gcs-private"] * 2
    entry["expires"] = "2026-01-01"
    assert "until 2026-01-01, which is past" in refused(open_bucket, ALL, config)


@pytest.mark.usefixtures("preview")
@pytest.mark.parametrize(
    ("rule", "settings", "said"),
    [
        ("iam-no-sa-keys", {"enforcementLevel": "remediate"}, "it cannot remediate"),
        ("scale-hpa-max", {"maxReplicas": 3, "maxReplica": 3}, "the rule has no such property"),
        ("scale-hpa-max", {"maxReplicas": 3, "exemptions": [{"owner": "me"}]}, "reason: not set"),
        ("iam-no-sa-keys", {"exemptions": [{"owner": "me"}]}, "iam-no-sa-keys has no exemptions"),
    ],
)
def test_a_config_that_cannot_be_used_stops_before_the_first_resource(
    rule: str, settings: dict[str, Any], said: str
) -> None:
    config = {rule: {"enforcementLevel": "mandatory", **settings}}
    output = refused(violating, ALL, config)
    assert "the policy config of all cannot be used" in output
    assert said in output
    assert "grants the basic role" not in output


@pytest.mark.usefixtures("preview")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "cannot unmarshal array"),
        ("{", "unexpected end of JSON input"),
        ('{"scale-hpa-max": {"maxReplicas": NaN}}', "invalid character 'N'"),
        ('{"scale-hpa-max": {"enforcementLevel": "mandatory", "maxReplicas": "ten"}}', "Invalid"),
        ('{"scale-hpa-max": {"enforcementLevel": "loud", "maxReplicas": 3}}', "loud"),
    ],
)
def test_a_config_file_that_is_none_stops_the_engine(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "dev.json"
    file.write_text(text)
    stack = stack_of(violating)
    with pytest.raises(automation.CommandError) as caught:
        stack.preview(policy_packs=[str(ALL)], policy_pack_configs=[str(file)], color="never")
    output = str(caught.value)
    assert said in output
    assert "grants the basic role" not in output
    assert "Traceback" not in output


@pytest.mark.usefixtures("preview")
@pytest.mark.parametrize("pack", [*PACKS, "all"])
def test_a_stack_without_an_environment_says_what_to_do(pack: str) -> None:
    stack = stack_of(violating, "qa")
    with pytest.raises(automation.CommandError) as caught:
        stack.preview(policy_packs=[str(ROOT / "policies" / pack)], color="never")
    output = str(caught.value)
    assert "no environment named 'qa', there are: dev, estate, mlops, prod; copy" in output
    assert "not set" not in output
    assert "grants the basic role" not in output
    assert "Traceback" not in output


@pytest.mark.usefixtures("preview")
def test_a_config_alone_is_enough_where_it_says_all(tmp_path: Path) -> None:
    """Another program may keep no environment's file, and give the engine's own kind of config."""
    file = tmp_path / "config.json"
    stack = stack_of(violating, "qa")
    for limits, said in (
        ({"scale-hpa-max": {"maxReplicas": 3}}, "scale-gpu-total.maxGpus: not set, allowed: a num"),
        (OWN_LIMITS, "uses the GPU type nvidia-h100-80gb, allowed: nvidia-l4"),
    ):
        file.write_text(json.dumps(limits))
        pack = ROOT / "policies" / "scale-limits"
        with pytest.raises(automation.CommandError) as caught:
            stack.preview(policy_packs=[str(pack)], policy_pack_configs=[str(file)], color="never")
        assert said in str(caught.value)


@pytest.mark.usefixtures("preview")
def test_a_rule_that_is_misspelled_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "iam-no-sa-key: no rule has that name; did you mean 'iam-no-sa-keys'?"
    pack = ROOT / "policies" / "least-privilege"
    output = refused(violating, pack, {"iam-no-sa-key": {"enforcementLevel": "disabled"}})
    assert said in output
    own = tmp_path / "own.yaml"
    own.write_text(DEV.read_text().replace("rules:\n", "rules:\n  iam-no-sa-key: disabled\n"))
    monkeypatch.setenv("POLICY_ENVIRONMENT", str(own))
    output = refused(violating, pack, {})
    assert f"{own}: rules.{said}" in output
    assert "grants the basic role" not in output
    assert "Traceback" not in output


@pytest.mark.usefixtures("preview")
def test_limit_that_is_no_limit_stops_the_engine() -> None:
    pack = ROOT / "policies" / "scale-limits"
    output = refused(clean, pack, {"scale-hpa-max": {"maxReplicas": -1}})
    assert "scale-hpa-max: maxReplicas: Must be greater than or equal to 0" in output


@pytest.mark.usefixtures("preview")
def test_a_config_of_one_s_own_is_laid_over_the_environment() -> None:
    """Only what it names differs: the rest is as dev says."""
    config = {"scale-gke-gpu-per-pool": {"maxGpus": 15}}
    output = refused(violating, ALL, config)
    assert "may take 16 nvidia-h100-80gb GPUs, allowed 15" in output
    assert "uses the GPU type nvidia-h100-80gb, allowed: nvidia-l4" in output

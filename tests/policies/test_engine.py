"""The packs as the real engine runs them: a preview fails with the message, or passes quietly."""

import gc
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi_gcp as gcp
import pytest
from pulumi import Output, automation

from tests.policies import path_routed_gateway as sample
from tests.policies.echo_provider import serve

ROOT = Path(__file__).resolve().parents[2]
PACKS = ("baseline", "least-privilege", "scale-limits")
LABELS = {"environment": "dev", "platform": "inference"}
IMAGE = "us-central1-docker.pkg.dev/acme-inference-dev/app/worker:1"
LAUNCHER = f"""#!/bin/sh
cd "$2" && exec "{sys.executable}" -u -m pulumi.policy "$1" "$2"
"""

# The Automation API leaves the event loop of an inline program open; see `collect` below.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

Preview = Callable[[Callable[[], None], str], str]


@pytest.fixture(autouse=True)
def collect() -> Iterator[None]:
    """Let what the Automation API leaves open be found here, not in some later test."""
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
    (home / "state").mkdir()
    with serve() as port, pytest.MonkeyPatch.context() as patch:
        path = (str(launcher.parent), str(Path(engine).parent), os.environ["PATH"])
        patch.setenv("PATH", os.pathsep.join(path))
        patch.setenv("PULUMI_DEBUG_PROVIDERS", f"gcp:{port},kubernetes:{port}")
        patch.setenv("PULUMI_BACKEND_URL", f"file://{home / 'state'}")
        patch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
        patch.setenv("PULUMI_HOME", str(home / "pulumi"))
        patch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")

        def run(program: Callable[[], None], environment: str) -> str:
            stack = automation.create_or_select_stack(environment, "inference", program=program)
            folders = [ROOT / "policies" / pack for pack in PACKS]
            result = stack.preview(
                policy_packs=[str(folder) for folder in folders],
                policy_pack_configs=[str(folder / f"{environment}.json") for folder in folders],
                color="never",
            )
            return result.stdout + result.stderr

        yield run


def account(name: str) -> gcp.serviceaccount.Account:
    return gcp.serviceaccount.Account(name, account_id=name, project="acme")


def member(email: Output[str]) -> Output[str]:
    return Output.concat("serviceAccount:", email)


def clean() -> None:
    runner = account("runner")
    gcp.cloudrunv2.Service(
        "worker",
        location="us-central1",
        project="acme",
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
        "logs", project="acme", role="roles/logging.logWriter", member=member(runner.email)
    )
    gcp.container.NodePool(
        "l4",
        cluster="main",
        location="us-central1",
        project="acme",
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
            project="acme",
            labels=LABELS,
            message_storage_policy={"allowed_persistence_regions": ["us-central1"]},
        )
        for name in ("work", "dead")
    )
    gcp.pubsub.Subscription(
        "work",
        topic=work.id,
        project="acme",
        labels=LABELS,
        dead_letter_policy={"dead_letter_topic": dead.id, "max_delivery_attempts": 5},
    )
    gcp.pubsub.Subscription("dead", topic=dead.id, project="acme", labels=LABELS)


def violating() -> None:
    gcp.projects.IAMMember(
        "owner", project="acme", role="roles/owner", member="user:someone@acme.example"
    )
    gcp.container.NodePool(
        "h100",
        cluster="main",
        location="us-central1",
        project="acme",
        autoscaling={"total_max_node_count": 2},
        node_config={"machine_type": "a3-highgpu-8g"},
    )


def test_clean_program_passes_without_a_word(preview: Preview) -> None:
    output = re.sub(r"warning: using \S+ from \$PATH|[0-9]+ warnings", "", preview(clean, "dev"))
    for word in ("[mandatory]", "[advisory]", "can't run policy", "warning", "error"):
        assert word not in output, output
    for pack in PACKS:
        assert pack in output


def test_violating_program_fails_with_the_messages(preview: Preview) -> None:
    with pytest.raises(automation.CommandError) as caught:
        preview(violating, "dev")
    output = str(caught.value)
    for finding in (
        "owner (gcp:projects/iAMMember:IAMMember): grants the basic role roles/owner",
        "may take 16 nvidia-h100-80gb GPUs, allowed 4",
        "uses the GPU type nvidia-h100-80gb, allowed: nvidia-l4",
        "nodeConfig.serviceAccount is not set",
    ):
        assert finding in output, output


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
    def mended() -> None:
        sample.make(*sample.MENDED, prefixes=("/v1/", "/security/", "/cache/"))

    output = preview(mended, "dev")
    assert "[mandatory]" not in output, output


def test_two_models_on_one_path_fail_the_preview(preview: Preview) -> None:
    def ambiguous() -> None:
        sample.make(*sample.MENDED, prefixes=("/v1/", "/v1"))

    with pytest.raises(automation.CommandError) as caught:
        preview(ambiguous, "dev")
    assert "the older of the two gets every request" in str(caught.value)


def test_same_program_differs_by_environment(preview: Preview) -> None:
    with pytest.raises(automation.CommandError) as caught:
        preview(violating, "prod")
    output = str(caught.value)
    assert "grants the basic role roles/owner" in output
    assert "allowed: nvidia-l4" not in output


@pytest.mark.usefixtures("preview")
def test_limits_left_out_stop_the_engine() -> None:
    stack = automation.create_or_select_stack("dev", "inference", program=clean)
    with pytest.raises(automation.CommandError) as caught:
        stack.preview(policy_packs=[str(ROOT / "policies" / "scale-limits")], color="never")
    assert "scale-gpu-total: maxGpus is required" in str(caught.value)


@pytest.mark.usefixtures("preview")
def test_limit_that_is_no_limit_stops_the_engine(tmp_path: Path) -> None:
    pack = ROOT / "policies" / "scale-limits"
    config = json.loads((pack / "dev.json").read_text())
    config["scale-hpa-max"]["maxReplicas"] = -1
    bad = tmp_path / "dev.json"
    bad.write_text(json.dumps(config))
    stack = automation.create_or_select_stack("dev", "inference", program=clean)
    with pytest.raises(automation.CommandError) as caught:
        stack.preview(policy_packs=[str(pack)], policy_pack_configs=[str(bad)], color="never")
    assert "scale-hpa-max: maxReplicas: Must be greater than or equal to 0" in str(caught.value)


@pytest.mark.usefixtures("preview")
def test_pack_with_a_misspelled_rule_does_not_start(tmp_path: Path) -> None:
    for room in ("catalog", "cost", "request_path"):
        (tmp_path / room).symlink_to(ROOT / room)
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    pack = tmp_path / "policies" / "least-privilege"
    config = (pack / "dev.json").read_text()
    (pack / "dev.json").write_text(config.replace("iam-no-sa-keys", "iam-no-sa-key"))
    stack = automation.create_or_select_stack("dev", "inference", program=clean)
    with pytest.raises(automation.CommandError) as caught:
        stack.preview(
            policy_packs=[str(pack)], policy_pack_configs=[str(pack / "dev.json")], color="never"
        )
    output = str(caught.value)
    assert "iam-no-sa-key: no rule of this pack has that name" in output
    assert "failed to start" in output
    assert "Traceback" not in output

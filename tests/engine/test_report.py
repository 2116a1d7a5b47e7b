"""What `make report` writes of a real preview, and what never gets into it."""

from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pytest

from launcher import diff, policy_report
from launcher.cli import main
from launcher.plan_report import report
from launcher.problem import LaunchError
from plans import comment
from tests.engine.conftest import Rehearsal

PLANTED = "hunter2-planted"
NAME = "key"


def test_a_new_model_and_a_wider_pool_are_told_to_reviewers(
    brought_up: Callable[[str], Rehearsal],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = brought_up("dev")
    stack.edit(lambda config: config["gpu_pools"]["l4-spot"].update(max_nodes=3))
    model = {
        "source": "Qwen/Qwen3-1.7B",
        "replica_sets": [{"node_pool": "l4-spot", "replicas": 1}],
    }
    stack.edit(lambda config: config["models"].update({"qwen3-1.7b": model}))
    report(stack.places, "sandbox")
    folder = stack.places.home / "report"
    text = (folder / "comment.md").read_text()
    assert text.startswith(comment.marker("dev"))
    assert "- new: qwen3-1.7b" in text
    assert "| us-central1 | nvidia-l4 | preemptible | 2 | 3 |" in text
    assert "| ModelServer qwen3-1-7b-l4-spot-us-central1 | " in text
    assert "`autoscaling.totalMaxNodeCount` 2 → 3" in text
    assert "```mermaid" in text
    assert (folder / "plan.json").stat().st_mode & 0o077 == 0
    page = (folder / "page.html").read_text()
    assert 'class="node create"' in page
    assert "The way of a request" in page
    assert {"report.sarif", "report.md"} <= {each.name for each in folder.iterdir()}
    assert str(folder / "comment.md") in capsys.readouterr().out
    # Where nothing was ever made, and with a file that is none.
    monkeypatch.setenv("INFERENCE_SANDBOX", str(tmp_path / "none"))
    plan = str(folder / "plan.json")
    assert diff.main(["--from", plan, "--to", plan]) == 0
    assert (tmp_path / "none" / "diff.html").exists()
    assert diff.main(["--from", plan, "--to", "no-such.json"]) == 1
    assert "error: TO: found 'no-such.json'" in capsys.readouterr().err


def test_a_config_that_is_refused_is_told_in_the_comment(
    rehearsal_of: Callable[[str], Rehearsal],
) -> None:
    stack = rehearsal_of("dev")
    stack.edit(lambda config: config["models"]["qwen3-4b"].update(memory_gib=1000))
    with pytest.raises(LaunchError, match="memory_gib"):
        report(stack.places, "sandbox")
    text = (stack.places.home / "report" / "comment.md").read_text()
    assert text.startswith(f"{comment.marker('dev')}\n## dev: the preview failed")
    assert "memory_gib" in text


def test_a_deleted_stack_file_is_told_with_what_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INFERENCE_SANDBOX", str(tmp_path))
    assert main(["report", "--stack", "gone"]) == 1
    assert "no stack named 'gone'" in capsys.readouterr().err
    text = (tmp_path / "gone" / "report" / "comment.md").read_text()
    assert text.startswith(f"{comment.marker('gone')}\n## gone: its stack file is deleted\n")
    assert "stays in the cloud" in text
    assert "`make destroy STACK=gone CLOUD=gcp` from a commit that has the file" in text


def test_secrets_are_neither_in_comment_nor_page_nor_log(
    rehearsal_of: Callable[[str], Rehearsal],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def program() -> None:
        google = gcp.Provider("google", project="acme-dev", region="us-central1")
        options = pulumi.ResourceOptions(provider=google)
        secret = gcp.secretmanager.Secret(
            "key", secret_id=NAME, replication={"auto": {}}, opts=options
        )
        gcp.secretmanager.SecretVersion(
            "key",
            secret=secret.id,
            secret_data=pulumi.Output.secret(f"{PLANTED}-marked"),
            opts=options,
        )
        gcp.cloudrunv2.Service(
            "run",
            name="run",
            location="us-central1",
            template={
                "containers": [
                    {"image": "run", "envs": [{"name": "KEY", "value": f"{PLANTED}-in-clear"}]}
                ]
            },
            opts=options,
        )
        cluster = kubernetes.Provider("cluster", kubeconfig=pulumi.Output.secret(PLANTED))
        kubernetes.core.v1.Secret(
            "token",
            metadata={"name": "token", "namespace": "default"},
            string_data={"token": f"{PLANTED}-unmarked"},
            opts=pulumi.ResourceOptions(provider=cluster),
        )

    monkeypatch.setattr(policy_report, "platform_program", program)
    stack = rehearsal_of("dev")
    try:
        report(stack.places, "sandbox")
    except LaunchError as problem:
        assert PLANTED not in str(problem)
    folder = stack.places.home / "report"
    shown = [each for each in folder.iterdir() if each.name != "plan.json"]
    assert {"comment.md", "page.html", "report.sarif"} <= {each.name for each in shown}
    texts = {each.name: each.read_text() for each in shown}
    assert "SecretVersion" in texts["comment.md"]
    for name, text in (*texts.items(), *zip(("out", "err"), capfd.readouterr(), strict=True)):
        assert PLANTED not in text, name

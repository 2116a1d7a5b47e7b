"""What would stop an environment is named with its command; what can't be seen is unknown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from catalog.services import SERVICES
from catalog.table import read
from launcher.doctor import doctor, needed, roles_for
from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError
from plans.capacity import Need

ABOVE = cast("dict[str, str]", read("deployer.yaml")["of_organization"])
ROLES = [*roles_for(SERVICES), *ABOVE.values()]
TOOLS = ("gcloud", "gke-gcloud-auth-plugin", "pulumi", "pulumi-language-python")
PROJECT = "acme-inference-dev"
ACCOUNT = "it@acme.com"


def regional(gpus: int) -> dict[str, Any]:
    """Return a region that allows so many GPUs, and enough of all else that dev takes."""
    limits = {
        "PREEMPTIBLE_NVIDIA_L4_GPUS": gpus,
        "PREEMPTIBLE_CPUS": 16,
        "E2_CPUS": 40,
        "SSD_TOTAL_GB": 900,
        "INTERNAL_ADDRESSES": 2,
    }
    quotas = [{"metric": name, "limit": limit} for name, limit in limits.items()]
    return {"name": "us-central1", "quotas": quotas}


@pytest.fixture(scope="session")
def preview(tmp_path_factory: pytest.TempPathFactory) -> list[Need]:
    """Have one preview of dev tell what it needs."""
    home = tmp_path_factory.mktemp("doctor") / "dev"
    return needed(StackPaths(stack="dev", config=ROOT / "Pulumi.dev.yaml", home=home))


@pytest.fixture(autouse=True)
def one_preview(preview: list[Need], monkeypatch: pytest.MonkeyPatch) -> None:
    def told(_: StackPaths) -> list[Need]:
        return preview

    monkeypatch.setattr("launcher.doctor.needed", told)


@pytest.fixture
def dev(tmp_path: Path) -> StackPaths:
    return StackPaths(stack="dev", config=ROOT / "Pulumi.dev.yaml", home=tmp_path / "dev")


@pytest.fixture
def google(tmp_path: Path, fakes: Callable[..., Path]) -> Callable[..., None]:
    """Put a gcloud on PATH that answers for a project in which all is well, but for the changes."""

    def put(**changes: Any) -> None:
        bindings = [{"role": role, "members": [f"user:{ACCOUNT}"]} for role in ROLES]
        enabled = ["serviceusage", "cloudresourcemanager"]
        answers: dict[str, Any] = {
            "print-access-token": "token",
            "get-value": ACCOUNT,
            "get-iam-policy": {"bindings": bindings},
            "billing": {"billingEnabled": True},
            "services": [{"config": {"name": f"{api}.googleapis.com"}} for api in enabled],
            "regions": [regional(2)],
            "org-policies": [],
            "projects*describe": {"lifecycleState": "ACTIVE"},
            **changes,
        }
        cases: dict[str, str] = {}
        for index, (words, answer) in enumerate(answers.items()):
            file = tmp_path / f"answer{index}"
            file.write_text(answer if isinstance(answer, str) else json.dumps(answer))
            cases[words] = "exit 1" if answer is None else f"/usr/bin/cat {file}"
        fakes(*TOOLS, **cases)

    return put


def told(places: StackPaths, capsys: pytest.CaptureFixture[str]) -> str:
    try:
        doctor(places, "gcp")
    except LaunchError as problem:
        return f"{capsys.readouterr().out}\n{problem}"
    return capsys.readouterr().out


def test_without_a_cloud_it_looks_at_the_machine_and_the_files(
    dev: StackPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    doctor(dev, "sandbox")
    assert "Pulumi.dev.yaml is valid" in capsys.readouterr().out


def test_a_project_in_which_all_is_well_has_nothing_wrong(
    dev: StackPaths, google: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    google()
    said = told(dev, capsys)
    assert ", 0 wrong, " in said
    gpus = "PREEMPTIBLE_NVIDIA_L4_GPUS in us-central1: 1 needed, 2 with everything scaled out, 2 al"
    assert gpus in said
    assert "E2_CPUS in us-central1: 8 needed, 40 with everything scaled out, 40 allowed" in said


FEW = {"bindings": [{"role": "roles/run.admin", "members": [f"user:{ACCOUNT}"]}]}
OTHERS = {"bindings": [{"role": "roles/owner", "members": ["group:platform@acme.com"]}]}
WRONG: dict[str, tuple[str, Any, str]] = {
    "no login": ("print-access-token", None, "gcloud auth application-default login"),
    "no project": ("projects*describe", None, f"gcloud projects create {PROJECT}"),
    "a deleted project": (
        *("projects*describe", {"lifecycleState": "DELETE_REQUESTED"}),
        f"gcloud projects undelete {PROJECT}",
    ),
    "no billing": (
        *("billing", {"billingEnabled": False}),
        f"gcloud billing projects link {PROJECT} --billing-account=<account>",
    ),
    "no API": (
        *("services", []),
        f"gcloud services enable serviceusage.googleapis.com --project={PROJECT}",
    ),
    "too few roles": (
        *("get-iam-policy", FEW),
        (
            f"gcloud projects add-iam-policy-binding {PROJECT} --member=user:{ACCOUNT} "
            "--role=roles/compute.networkAdmin"
        ),
    ),
    "too small a quota": (
        *("regions", [regional(0)]),
        "https://console.cloud.google.com/iam-admin/quotas?project=acme-inference-dev",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_has_its_command(
    case: str,
    dev: StackPaths,
    google: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, answer, command = WRONG[case]
    google(**{words: answer})
    said = told(dev, capsys)
    assert ", 0 wrong, " not in said
    lines = said.splitlines()
    (at,) = [index for index, line in enumerate(lines) if command in line]
    assert lines[at - 1].startswith("wrong ")
    assert "wrong: do what is said below each" in said


@pytest.mark.parametrize(
    ("words", "answer", "command"),
    [
        ("billing", None, "gcloud billing projects link"),
        ("get-iam-policy", OTHERS, "--role=roles/compute.networkAdmin"),
        ("regions", None, "iam-admin/quotas"),
        (
            "org-policies",
            [{"constraint": "constraints/gcp.resourceLocations"}],
            f"gcloud org-policies describe gcp.resourceLocations --project={PROJECT} --effective",
        ),
    ],
)
def test_what_cannot_be_seen_is_unknown_and_not_wrong(
    words: str,
    answer: Any,
    command: str,
    dev: StackPaths,
    google: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    google(**{words: answer})
    said = told(dev, capsys)
    assert ", 0 wrong, " in said
    assert command in said


def test_roles_are_of_the_apis_that_are_used() -> None:
    assert roles_for(["run.googleapis.com"]) == ["roles/run.admin"]
    assert set(ABOVE) <= set(SERVICES)
    assert len(roles_for(SERVICES)) > 15


def test_a_tool_that_does_not_run_is_wrong(
    dev: StackPaths, google: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    google(**{"--version": None})
    assert "wrong    gcloud doesn't run" in told(dev, capsys)


def test_a_pulumi_that_runs_no_python_is_wrong(
    dev: StackPaths,
    google: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    google()
    (tmp_path / "bin" / TOOLS[-1]).unlink()
    assert f"wrong    {TOOLS[-1]}, which runs this program" in told(dev, capsys)

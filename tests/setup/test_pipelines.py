"""The pipelines: what they may do, and that each of their shell steps does it.

The steps run in a repository of their own. `make` is a stand-in that only takes targets which the
Makefile has, and leaves a report where `make report` does; GitHub's, Google's and Debian's commands
are stand-ins that note what they were asked.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from identity.attestation import ATTESTOR

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
CLOUD_BUILD = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())
IMAGE_BUILD = yaml.safe_load((ROOT / "services" / "cloudbuild.yaml").read_text())
KEY = "projects/acme/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
IMAGE = "europe-west4-docker.pkg.dev/acme/services/nested/llm-backend"

MAKE = f"""#!/bin/sh
set -e
echo "make $*" >> "$CALLS"
case " $* " in *" -C "*) shift 2;; esac
INFERENCE_CONFIG= {shutil.which("make")} -C {ROOT} -n "$@" > /dev/null
case " $* " in
*" report "*)
  folder="${{INFERENCE_SANDBOX:-.sandbox}}/${{STACK:-dev}}/report"
  mkdir -p "$folder"
  echo "## $STACK: nothing changes" > "$folder/comment.md";;
*" drift "*) exit "${{DIFFERS:-0}}";;
esac
"""
NOTES = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$*" in
*"grants create"*) echo projects/p/locations/global/entitlements/deploy/grants/1;;
*"grants describe"*) echo "${STATE:-ACTIVE}";;
*"images scan"*) echo projects/acme/locations/europe/scans/1;;
*"images describe"*) echo "${5%:*}@sha256:abc";;
*list-vulnerabilities*) echo "$FOUND";;
esac
"""
GH = """#!/usr/bin/env python3
import json, os, sys
words = sys.argv[2:]
store = os.environ["COMMENTS"]
if not os.path.exists(store):
    sys.exit("HTTP 403: Resource not accessible by integration")
comments = json.load(open(store))
with open(os.environ["CALLS"], "a") as calls:
    print("gh", *words, file=calls)
if "--method" not in words:
    print(json.dumps([comments]))
else:
    body = json.load(sys.stdin)["body"]
    bot = {"type": "Bot"}
    if words[words.index("--method") + 1] == "POST":
        comments.append({"id": len(comments), "body": body, "user": bot})
    else:
        comments[int(words[2].rpartition("/")[2])]["body"] = body
    json.dump(comments, open(store, "w"))
"""


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in WORKFLOWS:
        for name, job in yaml.safe_load(file.read_text())["jobs"].items():
            yield f"{file.stem}/{name}", job


def shell_steps() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for name, job in jobs():
        for index, step in enumerate(job["steps"]):
            if "run" in step:
                yield f"{name}/{index}", step["run"], {**job.get("env", {}), **step.get("env", {})}
    for step in CLOUD_BUILD["steps"]:
        environment = dict(each.split("=", 1) for each in CLOUD_BUILD["options"]["env"])
        given = {**CLOUD_BUILD["substitutions"], "_DEPLOY": "yes", "_REPORTS": "reports"}
        text = step["args"][1].replace("$$", "$")
        yield f"cloudbuild/{step['id']}", text, {**given, **environment, "BUILD_ID": "1"}
    for step in IMAGE_BUILD["steps"]:
        if step.get("entrypoint") == "bash":
            text = step["args"][1].replace("$$", "$")
            given = {**IMAGE_BUILD["substitutions"], "_NAME": IMAGE, "BUILD_ID": "1"}
            yield f"image/{step['id']}", text, {**given, "_ATTESTATION_KEY": KEY, "FOUND": ""}


STEPS = list(shell_steps())
ENVIRONMENTS = 'python3 "$PLATFORM/tools/environments.py"'
REHEARSAL = 'make -C "$PLATFORM" report'


@dataclass
class Runner:
    """A repository with two commits, and stand-ins for what a pipeline's machine has.

    The program is the repository, or in its folder `platform`.
    """

    folder: Path
    base: str
    platform: str

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    @property
    def comments(self) -> list[dict[str, Any]]:
        return json.loads((self.folder / "comments.json").read_text())

    def run(self, text: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a step as the pipeline's machine does, with its expressions filled in."""
        values = {
            "github.event.pull_request.base.sha": self.base,
            "github.event.pull_request.number": "7",
            "github.workspace": str(self.folder / "repository"),
            "matrix.stack": "dev",
            "vars.PLATFORM || '.'": self.platform,
        }

        def filled(value: str) -> str:
            given = str(value).replace("/workspace", values["github.workspace"])
            with_values = EXPRESSION.sub(lambda found: values.get(found[1], "x"), given)
            return re.sub(r"\$\{(_[A-Z_]+)\}", lambda found: environment[found[1]], with_values)

        workspace = {"_PLATFORM": self.platform, "PLATFORM": self.platform}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", text],
            cwd=self.folder / "repository",
            env={
                "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
                "HOME": str(self.folder),
                "CALLS": str(self.folder / "calls"),
                "COMMENTS": str(self.folder / "comments.json"),
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                "GITHUB_REPOSITORY": "acme/inference",
                "RUNNER_TEMP": str(self.folder),
                "INFERENCE_CONFIG": values["github.workspace"],
                **{name: filled(value) for name, value in environment.items()},
                **workspace,
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def runner(tmp_path: Path, request: pytest.FixtureRequest) -> Runner:
    repository, platform = tmp_path / "repository", getattr(request, "param", ".")
    (repository / ".sandbox/dev/report").mkdir(parents=True)
    shutil.copytree(
        ROOT / "tools",
        repository / platform / "tools",
        ignore=shutil.ignore_patterns("go", "npm"),
    )
    for name in ("Pulumi.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, repository / platform)
    for name in ("Pulumi.dev.yaml", "Pulumi.prod.yaml"):
        shutil.copy(ROOT / name, repository)
    (repository / "Pulumi.old.yaml").write_text("config: {}\n")
    comment = repository / ".sandbox/dev/report/comment.md"
    comment.write_text("<!-- plan of dev -->\n## dev: nothing changes\n")

    def git(*words: str) -> str:
        line = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", *words]
        return subprocess.run(
            line, cwd=repository, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "base")
    base = git("rev-parse", "HEAD")
    git("rm", "-q", "Pulumi.old.yaml")
    git("commit", "-qm", "head")
    commands = tmp_path / "bin"
    commands.mkdir()
    for name, text in (
        *(("make", MAKE), ("gh", GH)),
        *(("gcloud", NOTES), ("apt-get", NOTES)),
    ):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    (tmp_path / "comments.json").write_text("[]")
    (tmp_path / "calls").touch()
    return Runner(tmp_path, base, platform)


def test_every_action_is_pinned_by_its_digest_with_the_version_beside_it():
    for file in WORKFLOWS:
        for line in file.read_text().splitlines():
            if "uses:" in line:
                action, _, version = line.partition("uses:")[2].partition("#")
                assert PINNED.fullmatch(action.strip()), line
                assert re.fullmatch(r" v\d+\.\d+\.\d+", version), line


def test_nothing_is_permitted_but_what_a_job_names():
    for file in WORKFLOWS:
        assert yaml.safe_load(file.read_text())["permissions"] == {}
    writing = {
        f"{name} {right}"
        for name, job in jobs()
        for right, level in job["permissions"].items()
        if level == "write"
    }
    assert writing == {
        *("preview/preview id-token", "preview/preview pull-requests"),
        *("preview/preview security-events", "deploy/up id-token", "drift/drift id-token"),
    }


def test_every_job_ends_some_time_and_what_changes_the_cloud_is_never_ended_halfway():
    assert all(job["timeout-minutes"] <= 300 for _, job in jobs())
    up = dict(jobs())["deploy/up"]
    assert up["concurrency"]["cancel-in-progress"] is False
    assert up["environment"].startswith("${{ matrix.stack }}")


def test_only_what_is_merged_is_made():
    making = re.compile(r'\bmake -C "\$PLATFORM" (images|up)( CLOUD=gcp)?$')
    makes = [name for name, text, _ in STEPS if making.search(text)]
    assert {each.partition("/")[0] for each in makes} == {"deploy"}
    deploy = yaml.safe_load((ROOT / ".github/workflows/deploy.yaml").read_text())
    assert deploy[True] == {"push": {"branches": ["main"]}}


def test_a_fork_is_rehearsed_and_gets_neither_login_nor_comment():
    own = "github.event.pull_request.head.repo.full_name == github.repository"
    for step in dict(jobs())["preview/preview"]["steps"]:
        condition = step.get("if", "")
        speaks = {"GH_TOKEN"} & step.get("env", {}).keys() or "upload-sarif" in step.get("uses", "")
        if "google-github-actions/auth" in step.get("uses", "") or speaks:
            assert own in condition
        if step.get("run") == REHEARSAL:
            assert condition == ""


BOTH = pytest.mark.parametrize("runner", [".", "platform"], indirect=True)


@BOTH
@pytest.mark.parametrize(("name", "text", "environment"), STEPS, ids=[each[0] for each in STEPS])
def test_a_step_runs(name: str, text: str, environment: Mapping[str, str], runner: Runner):
    assert "${{" not in text, "an expression in a script could be anybody's code"
    done = runner.run(text, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    made = {line.partition(" ")[0] for line in runner.calls}
    wanted = {each for each in ("make", "apt-get") if re.search(rf"\b{each} [a-z-]", text)}
    assert wanted <= made


@BOTH
def test_the_environments_are_those_of_both_commits_and_production_comes_last(runner: Runner):
    runner.run(f'{ENVIRONMENTS} {runner.base} >> "$GITHUB_OUTPUT"', {})
    assert (runner.folder / "output").read_text() == 'stacks=["dev", "old", "prod"]\n'


def test_a_commit_that_was_not_fetched_is_named(runner: Runner):
    done = runner.run(f"{ENVIRONMENTS} 0123456789", {})
    assert done.returncode == 1
    assert "0123456789 can't be read" in done.stderr


def test_a_machine_without_git_is_told(runner: Runner):
    line = f"PATH={runner.folder}/bin {sys.executable} $PLATFORM/tools/environments.py"
    done = runner.run(f"{line} {runner.base}", {})
    assert done.returncode == 1
    assert "error: no `git` on PATH" in done.stderr


def test_what_the_target_branch_lacks_is_not_made_before_the_rehearsal(runner: Runner):
    (text, environment) = next(
        (text, environment) for _, text, environment in STEPS if "worktree" in text
    )
    runner.run(text, {**environment, "STACK": "brand-new"})
    assert runner.calls == []
    assert (runner.folder / "base" / "Pulumi.old.yaml").exists()


def test_a_difference_on_the_nightly_look_fails_the_run(runner: Runner):
    (text, environment) = next((text, env) for _, text, env in STEPS if " drift " in text)
    assert runner.run(text, environment).returncode == 0
    assert runner.run(text, {**environment, "DIFFERS": "1"}).returncode == 1


def test_a_deployment_that_nobody_agrees_to_ends(runner: Runner):
    (text, environment) = next((text, env) for _, text, env in STEPS if "pam grants" in text)
    done = runner.run(text, {**environment, "STATE": "DENIED"})
    assert done.returncode == 1
    assert "the grant is DENIED" in done.stdout
    assert not any("make" in call for call in runner.calls)


@pytest.mark.parametrize(
    ("found", "refused"),
    [
        ("", False),
        ("HIGH,False,CVE-1\nMEDIUM,True,CVE-2", False),
        ("LOW,True,CVE-1\nHIGH,True,CVE-2", True),
        ("CRITICAL,False,CVE-3", True),
    ],
)
def test_an_image_with_a_severe_vulnerability_is_not_attested_to_and_gets_no_tag(
    found: str, refused: bool, runner: Runner
):
    (text, environment) = next((text, env) for name, text, env in STEPS if name == "image/scan")
    done = runner.run(text, {**environment, "FOUND": found})
    assert done.returncode == refused
    assert ("refused, as _REFUSED says" in done.stdout) == refused
    last = IMAGE_BUILD["steps"][-1]
    assert last["id"] == "attest"
    assert IMAGE_BUILD["images"] == ["$_IMAGE"]


def test_an_image_is_attested_to_by_its_digest_where_there_is_a_key(runner: Runner):
    (text, environment) = next((text, env) for name, text, env in STEPS if name == "image/attest")
    for key in (KEY, ""):
        assert runner.run(text, {**environment, "_ATTESTATION_KEY": key}).returncode == 0
    signed = [call for call in runner.calls if "sign-and-create" in call]
    assert len(signed) == 1
    assert f"--artifact-url={IMAGE}@sha256:abc --attestor={ATTESTOR} " in signed[0]
    attached = [call for call in runner.calls if "attachments create" in call]
    package = "repositories/services/packages/nested%2Fllm-backend/versions/sha256:abc"
    assert all(package in call and "--location=europe-west4" in call for call in attached)


COMMENT = 'python3 "$PLATFORM/tools/comment.py" ".sandbox/dev/report/comment.md"'


def test_a_comment_is_made_once_and_then_updated_in_place(runner: Runner):
    copied = {"id": 0, "body": "<!-- plan of dev -->\nmine", "user": {"type": "User"}}
    (runner.folder / "comments.json").write_text(json.dumps([copied]))
    for text in ("one", "two"):
        report = runner.folder / "repository/.sandbox/dev/report/comment.md"
        report.write_text(f"<!-- plan of dev -->\n{text}\n")
        assert runner.run(COMMENT, {"PULL_REQUEST": "7"}).returncode == 0
    assert [each["body"] for each in runner.comments] == [
        copied["body"],
        "<!-- plan of dev -->\ntwo\n",
    ]


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "PULL_REQUEST"),
        ({"PULL_REQUEST": "7", "COMMENTS": "/nowhere"}, "GitHub refuses"),
        ({"PULL_REQUEST": "7", "PATH": "/usr/bin:/bin"}, "no `gh` on PATH"),
    ],
)
def test_what_keeps_a_comment_from_being_put_is_told(
    environment: Mapping[str, str], told: str, runner: Runner
):
    done = runner.run(COMMENT, environment)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr

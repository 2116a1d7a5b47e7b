"""The packs as a whole: which rules, at which level, with which metadata, in which files."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from policies import check
from policies.rules.config import PolicyConfigError
from policies.rules.packs import ALL, PACKS, check_config, rules_of, version_of
from policies.rules.server import PackServer

POLICIES = Path(__file__).resolve().parents[2] / "policies"

# Rule: level in dev, level in prod. A rule or level that changes must be changed here too.
LEVELS: dict[str, dict[str, tuple[str, str]]] = {
    "baseline": {
        "ai-guardrail-on-every-path": ("mandatory", "mandatory"),
        "ai-routes-unambiguous": ("mandatory", "mandatory"),
        "ai-models-reachable": ("mandatory", "mandatory"),
        "net-no-open-ingress": ("mandatory", "mandatory"),
        "net-gke-private": ("mandatory", "mandatory"),
        "net-gke-authorized-networks": ("mandatory", "mandatory"),
        "net-gke-dataplane-v2": ("mandatory", "mandatory"),
        "net-vertex-private": ("advisory", "mandatory"),
        "net-psc-attachment-explicit": ("mandatory", "mandatory"),
        "net-vpcsc-perimeter": ("advisory", "mandatory"),
        "net-no-external-ip": ("mandatory", "mandatory"),
        "ai-model-armor-on": ("advisory", "mandatory"),
        "net-cloudrun-ingress": ("advisory", "mandatory"),
        "net-cloudrun-egress": ("disabled", "disabled"),
        "net-subnet-pga-flowlogs": ("advisory", "advisory"),
        "net-no-default-network": ("mandatory", "mandatory"),
        "net-lb-tls-armor": ("advisory", "mandatory"),
        "net-k8s-no-public-lb": ("advisory", "mandatory"),
        "data-gcs-private": ("mandatory", "mandatory"),
        "data-cmek": ("disabled", "disabled"),
        "data-kms-rotation": ("mandatory", "mandatory"),
        "data-kms-protected": ("mandatory", "mandatory"),
        "data-no-plaintext-secret": ("mandatory", "mandatory"),
        "data-gcs-hygiene": ("advisory", "advisory"),
        "data-secret-rotation": ("disabled", "disabled"),
        "data-residency": ("mandatory", "mandatory"),
        "data-bq-access": ("mandatory", "mandatory"),
        "rel-deletion-protection": ("disabled", "mandatory"),
        "rel-gke-channel-repair": ("mandatory", "mandatory"),
        "rel-pdb": ("advisory", "mandatory"),
        "rel-gke-regional": ("advisory", "advisory"),
        "rel-probes": ("advisory", "mandatory"),
        "rel-alerts": ("mandatory", "mandatory"),
        "sup-image-digest": ("disabled", "disabled"),
        "sup-image-registry": ("mandatory", "mandatory"),
        "sup-binauthz": ("disabled", "disabled"),
        "sup-ar-immutable-scan": ("advisory", "mandatory"),
        "gke-hardening": ("mandatory", "mandatory"),
        "pod-no-privileged": ("mandatory", "mandatory"),
        "pod-restricted": ("advisory", "mandatory"),
        "rbac-no-wildcards": ("mandatory", "mandatory"),
        "pod-readonly-rootfs": ("advisory", "mandatory"),
        "pod-sa-token": ("advisory", "advisory"),
        "pod-namespace-pss": ("advisory", "mandatory"),
        "pod-netpol": ("disabled", "mandatory"),
    },
    "least-privilege": {
        "iam-no-basic-roles": ("mandatory", "mandatory"),
        "iam-no-public-members": ("mandatory", "mandatory"),
        "iam-cloudrun-invoker-check-on": ("mandatory", "mandatory"),
        "iam-no-project-impersonation": ("mandatory", "mandatory"),
        "iam-sa-impersonation-narrow": ("mandatory", "mandatory"),
        "iam-no-admin-for-workload-sa": ("advisory", "mandatory"),
        "iam-no-default-sa-grant": ("mandatory", "mandatory"),
        "iam-no-default-sa-use": ("mandatory", "mandatory"),
        "iam-no-sa-keys": ("mandatory", "mandatory"),
        "iam-no-authoritative-policy": ("mandatory", "mandatory"),
        "iam-custom-role-no-escalation": ("mandatory", "mandatory"),
        "iam-gke-workload-identity": ("mandatory", "mandatory"),
        "iam-resource-scope-preferred": ("advisory", "mandatory"),
        "iam-effective-per-principal": ("advisory", "mandatory"),
        "iam-no-escalation-chain": ("mandatory", "mandatory"),
        "iam-no-toxic-pair": ("mandatory", "mandatory"),
        "iam-no-domain-wide-members": ("advisory", "mandatory"),
        "iam-no-project-binding": ("advisory", "mandatory"),
        "iam-no-cross-project-sa": ("advisory", "mandatory"),
        "iam-temporary-needs-expiry": ("advisory", "mandatory"),
        "iam-wif-provider-restricted": ("mandatory", "mandatory"),
        "iam-wi-binding-exact": ("advisory", "mandatory"),
        "iam-no-personal-accounts": ("mandatory", "mandatory"),
        "iam-prefer-groups": ("advisory", "advisory"),
        "iam-no-api-keys": ("advisory", "mandatory"),
        "iam-custom-role-size": ("advisory", "advisory"),
        "iam-oauth-scopes": ("advisory", "advisory"),
        "iam-separation-of-duties": ("advisory", "advisory"),
        "iam-audit-logs": ("disabled", "disabled"),
    },
    "scale-limits": {
        "scale-cloudrun-max-instances": ("mandatory", "mandatory"),
        "scale-cloudrun-timeout": ("advisory", "mandatory"),
        "scale-gke-pool-bounded": ("mandatory", "mandatory"),
        "scale-gke-gpu-per-pool": ("mandatory", "mandatory"),
        "scale-gke-nap-limits": ("mandatory", "mandatory"),
        "scale-gpu-total": ("mandatory", "mandatory"),
        "scale-gpu-types-allowed": ("mandatory", "mandatory"),
        "scale-resources-set": ("mandatory", "mandatory"),
        "scale-pubsub-dlq": ("advisory", "mandatory"),
        "scale-pubsub-retention": ("advisory", "advisory"),
        "scale-deploy-replicas": ("advisory", "mandatory"),
        "scale-hpa-max": ("mandatory", "mandatory"),
        "cost-monthly-ceiling": ("advisory", "mandatory"),
        "scale-cloudrun-worker-max": ("mandatory", "mandatory"),
        "scale-cloudrun-gpu": ("mandatory", "mandatory"),
        "scale-gke-autopilot-quota": ("advisory", "mandatory"),
        "scale-bq-job-bytes": ("advisory", "mandatory"),
        "scale-bq-slots": ("mandatory", "mandatory"),
        "scale-vertex-replicas": ("mandatory", "mandatory"),
        "scale-quota-not-raised": ("mandatory", "mandatory"),
        "cost-budget-present": ("disabled", "mandatory"),
        "scale-cloudrun-min-instances": ("advisory", "advisory"),
        "scale-cloudrun-concurrency": ("advisory", "advisory"),
        "scale-spot-in-dev": ("advisory", "disabled"),
        "scale-gpu-pool-zero-min": ("mandatory", "disabled"),
        "scale-reservations": ("advisory", "mandatory"),
        "scale-hpa-gpu-fit": ("advisory", "advisory"),
        "scale-bq-expiration": ("advisory", "advisory"),
        "scale-bq-daily-quota": ("disabled", "disabled"),
        "scale-apigee-nodes": ("advisory", "mandatory"),
        "scale-queues": ("advisory", "advisory"),
        "cost-labels": ("mandatory", "mandatory"),
        "cost-labels-prescribed": ("mandatory", "mandatory"),
        "cost-prices-current": ("advisory", "advisory"),
    },
}


def config_of(pack: str, environment: str) -> dict[str, dict[str, Any]]:
    return json.loads((POLICIES / pack / f"{environment}.json").read_text())


@pytest.mark.parametrize("pack", sorted(LEVELS))
def test_rules_and_levels(pack: str) -> None:
    dev, prod = config_of(pack, "dev"), config_of(pack, "prod")
    assert {rule.id for rule in PACKS[pack]} == set(LEVELS[pack]) == set(dev) == set(prod)
    found = {rule: (dev[rule]["enforcementLevel"], prod[rule]["enforcementLevel"]) for rule in dev}
    assert found == LEVELS[pack]


def test_the_packs_need_nothing_of_the_platform(tmp_path: Path) -> None:
    """Five folders and the libraries of requirements.txt are all that another program takes."""
    for folder in ("policies", "cost", "catalog", "request_path", "resources"):
        shutil.copytree(POLICIES.parent / folder, tmp_path / folder)
    program = (
        "import sys, policies.rules.packs, policies.check, policies.report\n"
        "own = {'components', 'config', 'emulator', 'launcher', 'sandbox', 'stacks'}\n"
        "own |= {'pulumi_gcp', 'pydantic'}\n"
        "print(own & {name.partition('.')[0] for name in sys.modules})\n"
        "sys.exit(policies.check.main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "set()"), done.stderr


@pytest.mark.parametrize("pack", [*sorted(LEVELS), ALL])
def test_the_engine_is_told_the_version_of_the_pack(pack: str) -> None:
    folder = POLICIES / pack
    server = PackServer(pack, rules_of(pack), version=version_of(folder))
    assert server.GetAnalyzerInfo(None, None).version == version_of(folder) == "1.0.0"


@pytest.mark.parametrize("pack", sorted(LEVELS))
def test_every_rule_explains_itself(pack: str) -> None:
    for rule in PACKS[pack]:
        assert rule.display_name
        assert re.fullmatch(r"https://\S+", rule.url)
        for sentence in (rule.description, rule.why, rule.remediation):
            assert sentence.endswith("."), rule.id


@pytest.mark.parametrize("pack", sorted(LEVELS))
def test_readme_lists_every_rule_once(pack: str) -> None:
    readme = (POLICIES / pack / "README.md").read_text()
    configs = [config_of(pack, environment) for environment in ("dev", "prod")]
    for rule in PACKS[pack]:
        level = " / ".join(dict.fromkeys(LEVELS[pack][rule.id]))
        row = f"| `{rule.id}` | {rule.severity.value} | {level} | {rule.description} |"
        assert readme.count(row) == 1
        line = next(line for line in readme.splitlines() if line.startswith(row))
        for limit in rule.limits:
            values = [config[rule.id][limit.name] for config in configs]
            for value in values:
                assert f"`{limit.name}`" in line
                assert isinstance(value, list) or f"{value:,}" in line


def test_config_files_are_sound() -> None:
    assert check.main([]) == 0


@pytest.fixture
def scale_limits(tmp_path: Path) -> Path:
    folder = tmp_path / "scale-limits"
    folder.mkdir()
    return folder / "dev.json"


def problem(path: Path, change: dict[str, Any]) -> str:
    config = config_of("scale-limits", "dev")
    for rule, settings in change.items():
        if settings is None:
            del config[rule]
        else:
            config[rule] = settings
    path.write_text(json.dumps(config))
    with pytest.raises(PolicyConfigError) as caught:
        check_config(path)
    return str(caught.value)


HPA = {"enforcementLevel": "mandatory", "maxReplicas": 1}


def test_misspelled_rule(scale_limits: Path) -> None:
    text = problem(scale_limits, {"scale-hpa-max": None, "scale-hpa-maxx": HPA})
    assert f"{scale_limits}: scale-hpa-maxx: no rule of this pack has that name" in text
    assert "scale-hpa-max: not set; add its enforcementLevel" in text


def test_misspelled_property(scale_limits: Path) -> None:
    text = problem(
        scale_limits, {"scale-hpa-max": {"enforcementLevel": "mandatory", "maxReplica": 1}}
    )
    assert "scale-hpa-max.maxReplica: the rule has no such property" in text
    assert "scale-hpa-max.maxReplicas: not set, allowed: a number, 0 or more" in text


@pytest.mark.parametrize("value", [-1, "3", True, None, [3]])
def test_limit_that_is_no_number(scale_limits: Path, value: object) -> None:
    text = problem(scale_limits, {"scale-hpa-max": {**HPA, "maxReplicas": value}})
    assert (
        text == f"{scale_limits}: scale-hpa-max.maxReplicas: found {value!r}, "
        "allowed: a number, 0 or more; correct it in the policy config"
    )


def test_limit_that_is_no_known_gpu(scale_limits: Path) -> None:
    text = problem(
        scale_limits,
        {"scale-gpu-types-allowed": {"enforcementLevel": "mandatory", "gpuTypes": ["nvidia-L4"]}},
    )
    assert "found ['nvidia-L4'], allowed: a list of " in text


@pytest.mark.parametrize("settings", ["mandatory", {"enforcementLevel": "remediate"}, {}])
def test_level(scale_limits: Path, settings: Any) -> None:
    assert "scale-resources-set" in problem(scale_limits, {"scale-resources-set": settings})


@pytest.mark.parametrize("text", ["{", '{"a": 1, "a": 2}', "[]", ""])
def test_file_that_is_no_config(scale_limits: Path, text: str) -> None:
    scale_limits.write_text(text)
    with pytest.raises(PolicyConfigError, match=r"dev\.json"):
        check_config(scale_limits)


def test_command_names_the_problems(scale_limits: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scale_limits.write_text("{}")
    assert check.main([str(scale_limits)]) == 1
    assert "scale-gpu-total: not set" in capsys.readouterr().err


def test_command_wants_a_file_beside_a_pack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check.main([str(tmp_path / "dev.json")]) == 1
    assert "baseline, least-privilege, scale-limits" in capsys.readouterr().err

"""The comment of a pull request: what it says, that it fits, and what it never shows."""

import re
from datetime import date
from typing import Any

import pytest

from plans import comment, mermaid
from plans.picture import picture_of
from plans.plan import Plan, plan_of
from plans.report import report_of
from policies.reports.run import Run, of_records
from tests.plans.documents import (
    CLUSTER,
    COMPONENT,
    GRANT,
    NETWORK,
    POOL,
    Document,
    gpu_pool,
    urn,
)

TODAY = date(2026, 11, 29)
LINK = "https://ci.example/report"
PLANTED = "hunter2-planted"


def judged(*findings: str, of: str = "") -> Run:
    rule: dict[str, Any] = {
        **dict.fromkeys(("name", "description", "why", "remediation", "url"), "words"),
        "id": "scale-gpu-total",
        "severity": "high",
        "level": "mandatory",
        "references": [],
        "stack": True,
    }
    found = [{"text": text, "urn": of, "fingerprint": text, "exempted": ""} for text in findings]
    outcome = "failed" if findings else "passed"
    result = {"rule": rule["id"], "outcome": outcome, "unread": "", "findings": found}
    return of_records(
        [
            {"kind": "pack", "pack": "all", "rules": [rule]},
            {"kind": "stack", "results": [result], "exemptions": [], "tables": []},
        ]
    )


def rendered(plan: Plan, run: Run | None = None, link: str = LINK) -> str:
    report = report_of(plan, run or judged(), TODAY)
    return comment.render(report, mermaid.render(picture_of(plan)), link)


def test_a_plan_without_changes_says_so_first() -> None:
    document = Document()
    document.step("same", CLUSTER, "main", {}, {})
    lines = rendered(document.plan()).splitlines()
    assert lines[0] == comment.marker("dev")
    assert lines[1] == "## dev: nothing changes"
    assert lines[3] == "- Policies let it pass, with 0 advisories."


def test_replacements_come_before_everything_with_what_they_take_down() -> None:
    document = Document()
    document.step("create", POOL, "new", None, gpu_pool(1))
    cluster = document.step("replace", CLUSTER, "main", {}, {"location": "x"}, changed=["location"])
    document.step("replace", POOL, "l4", gpu_pool(2), gpu_pool(2), needs=[cluster])
    text = rendered(document.plan())
    first = text[text.index("###") :].splitlines()
    assert first[0] == "### Replaced and deleted"
    assert first[2].startswith("- **!** replace **Cluster main** for `location`")
    assert first[2].endswith("; with it 1 NodePool")
    assert "NodePool l4**" not in text


def test_nodes_that_are_replaced_name_the_workloads_they_stop() -> None:
    document = Document()
    spec = {
        "replicas": 1,
        "template": {"spec": {"nodeSelector": {"pool": "l4"}, "containers": [{"name": "vllm"}]}},
    }
    inputs = {"metadata": {"name": "qwen", "namespace": "inference"}, "spec": spec}
    document.step("same", "kubernetes:apps/v1:Deployment", "qwen", inputs, inputs)
    document.step("replace", POOL, "l4", gpu_pool(2), gpu_pool(2, spot=True), changed=["spot"])
    assert "what runs on it stops: Deployment inference/qwen" in rendered(document.plan())


def test_an_update_that_makes_nodes_anew_is_no_quiet_change() -> None:
    document = Document()
    old, new = gpu_pool(2), gpu_pool(3, "g2-standard-16")
    changed = ["nodeConfig.machineType", "autoscaling.totalMaxNodeCount"]
    document.step("update", POOL, "l4", old, new, changed=changed)
    document.step("update", POOL, "grows", old, gpu_pool(3), changed=changed[1:])
    lines = [each for each in rendered(document.plan()).splitlines() if "**!**" in each]
    (line,) = lines
    assert line.startswith("- **!** make anew the nodes of **NodePool l4** for `autoscaling")


def test_what_is_deleted_as_a_whole_is_one_line() -> None:
    document = Document()
    whole = document.step("delete", COMPONENT, "l4", {}, None)
    document.step("delete", POOL, "l4-pool", gpu_pool(2), None, parent=whole)
    for index in range(30):
        document.step("delete", NETWORK, f"network-{index}", {}, None)
    lines = rendered(document.plan()).splitlines()
    assert lines.count("- **!** delete **GpuNodePool l4**; with it 1 NodePool") == 1
    assert not [each for each in lines if "l4-pool" in each and "delete **" in each]
    assert len([each for each in lines if each.startswith("- **!** delete")]) == 12
    assert "<details><summary>19 others</summary>" in lines


def test_what_holds_data_is_told_first_and_aloud_among_many() -> None:
    document = Document()
    for index in range(30):
        document.step("replace", GRANT, f"grant-{index}", {}, {}, changed=["role"])
    document.step("delete", "gcp:storage/bucket:Bucket", "zebra", {}, None)
    lines = [each for each in rendered(document.plan()).splitlines() if each.startswith("- **!**")]
    assert lines[0] == "- **!** delete **Bucket zebra**"
    assert len(lines) == 12


def test_a_value_that_stays_is_no_change_of_a_set() -> None:
    document = Document()
    old = {"limits": [{"of": "a", "count": 20}, {"of": "b", "count": 2}]}
    new = {"limits": [{"of": "b", "count": 20}, {"of": "a", "count": 20}]}
    changed = [f"limits[{at}].{key}" for at in (0, 1) for key in ("count", "of")]
    document.step("update", POOL, "l4", old, new, changed=changed)
    text = rendered(document.plan())
    assert "20 → 20" not in text
    assert "`limits[0].of`, `limits[1].count` 2 → 20, `limits[1].of`" in text


def test_a_part_of_the_cost_that_stays_is_no_line() -> None:
    document = Document()
    document.step("same", POOL, "stays", gpu_pool(2), gpu_pool(2))
    document.step("update", POOL, "grows", gpu_pool(2), gpu_pool(3))
    text = rendered(document.plan()).partition("Cost by resource")[2]
    assert "| grows: g2-standard-8 nodes" in text
    assert "| stays: " not in text
    assert "- 2 other lines the same, in the totals above." in text


def test_a_violation_stops_the_change_in_the_first_line() -> None:
    document = Document()
    document.step("update", POOL, "l4", gpu_pool(2), gpu_pool(60))
    text = rendered(document.plan(), judged("may take 60 GPUs, allowed 32"))
    assert text.splitlines()[3] == "- **Policies stop this change: 1 violation.**"
    assert "may take 60 GPUs, allowed 32" in text
    allowed = "`policies/environments/dev.yaml`, below `rules`: `scale-gpu-total` (level, maxGpus, "
    assert allowed in text
    assert "| us-central1 | nvidia-l4 | standard | 2 | 60 |" in text


def test_a_finding_names_its_resource_as_the_rest_of_the_comment_does() -> None:
    run = judged("may take 60 GPUs, allowed 32", of=urn(f"{COMPONENT}${POOL}", "l4"))
    assert "**NodePool l4** may take 60 GPUs" in rendered(Document().plan(), run)


def test_other_quota_that_changes_is_told() -> None:
    document = Document()
    document.step("update", POOL, "l4", gpu_pool(2), gpu_pool(600))
    document.step("same", POOL, "other", gpu_pool(2), gpu_pool(2))
    told = rendered(document.plan()).partition("### Other quota needed")[2].partition("###")[0]
    assert "| us-central1 | CPUS | 32 | 4,816 |" in told
    assert "GPU" not in told


def test_a_comment_is_the_same_in_whatever_order_the_engine_tells_of_the_plan() -> None:
    documents = []
    for order in (1, -1):
        document = Document()
        for name in ("a", "b", "c")[::order]:
            document.step("delete", POOL, name, gpu_pool(2))
            document.step("delete", CLUSTER, name, {"name": name})
        documents.append(rendered(document.plan()))
    assert documents[0] == documents[1]


def test_a_failure_is_read_without_scrolling() -> None:
    text = comment.failed("dev", "  - why: " + "many words " * 40)
    assert max(map(len, text.splitlines())) <= 100
    assert text.split().count("words") == 40


def test_findings_of_a_rule_are_one_line_that_says_what_to_do() -> None:
    document = Document()
    document.step("update", POOL, "l4", gpu_pool(2), gpu_pool(60))
    run = judged("may take 60 GPUs, allowed 32")
    run.found += run.found * 9
    lines = rendered(document.plan(), run).splitlines()
    (line,) = [each for each in lines if "may take 60 GPUs" in each]
    assert line.startswith("- **!** mandatory `")
    assert "; and 8 more. To do: " in line
    assert not [each for each in lines if each.startswith("| level")]


def test_a_wider_role_is_told_in_words() -> None:
    document = Document()
    user = {"member": "user:eve@acme.com", "project": "acme"}
    document.step(
        *("update", GRANT, "eve", user | {"role": "roles/viewer"}, user | {"role": "roles/owner"}),
        changed=["role"],
    )
    text = rendered(document.plan())
    assert "**!** user:eve&#64;acme.com gets roles/owner on project" in text
    assert "gives itself any access" in text
    assert "no more: user:eve&#64;acme.com gets roles/viewer on project" in text


def test_a_grant_is_told_on_what_it_is_on_though_it_waits_for_more() -> None:
    document = Document()
    push = document.step("create", "gcp:pubsub/subscription:Subscription", "a-push", None, {})
    topic = document.step("create", "gcp:pubsub/topic:Topic", "orders", None, {})
    member = {"role": "roles/pubsub.publisher", "member": "group:apps@acme.com"}
    of_type = "gcp:pubsub/topicIAMMember:TopicIAMMember"
    grant = document.step("create", of_type, "grant", None, member)
    data = document.data()
    data["now"]["properties"] = {grant: {"topic": [push, topic]}}
    assert "roles/pubsub.publisher on topic orders: writes data" in rendered(plan_of(data))


def test_a_role_of_ones_own_is_told_by_its_name() -> None:
    document = Document()
    given = {"member": "group:apps@acme.com", "project": "acme"}
    role = {"role": "projects/acme/roles/inference_caller"}
    document.step("create", GRANT, "grant", None, given | role)
    assert "gets the custom role inference_caller on project" in rendered(document.plan())


def test_new_exposure_is_told_in_words() -> None:
    document = Document()
    rule = {"direction": "INGRESS", "allows": [{"protocol": "tcp"}], "sourceRanges": ["0.0.0.0/0"]}
    document.step("create", "gcp:compute/firewall:Firewall", "open", None, rule)
    assert "**!** open: lets traffic of any address in (0.0.0.0/0)" in rendered(document.plan())


def test_many_grants_are_folded_and_counted() -> None:
    document = Document()
    for index in range(30):
        inputs = {
            "member": f"user:u{index}@acme.com",
            "role": "roles/run.invoker",
            "project": "acme",
        }
        document.step("create", GRANT, f"grant-{index}", None, inputs)
    text = rendered(document.plan())
    assert "<details><summary>30 of them</summary>" in text
    assert "- New: 30 grants." in text
    assert "mermaid" not in text


def test_cost_is_shown_now_and_after() -> None:
    document = Document()
    document.step("create", POOL, "l4", None, gpu_pool(2))
    rows = [line for line in rendered(document.plan()).splitlines() if line.startswith("| worst")]
    assert rows[0].startswith("| worst | $0 | $")
    assert "+$" in rows[0]


@pytest.mark.parametrize("count", [500, 5000])
def test_a_large_change_is_cut_to_what_github_takes_with_a_link(count: int) -> None:
    document = Document()
    for index in range(count):
        document.step(
            *("update", POOL, f"pool-with-a-rather-long-name-{index}", gpu_pool(1), gpu_pool(2)),
            changed=["autoscaling.totalMaxNodeCount", "nodeConfig.machineType"],
        )
    text = rendered(document.plan())
    assert len(text) <= comment.MOST
    assert LINK in text
    assert text.count("<details>") == text.count("</details>")
    assert f"{count} to change" in text.splitlines()[1]


def test_five_hundred_changes_are_read_in_a_minute() -> None:
    document = Document()
    for index in range(25):
        parts = ((POOL, gpu_pool(1)), (CLUSTER, {}), (NETWORK, {}), (GRANT, {"project": "acme"}))
        whole = document.step("delete" if index % 5 == 0 else "update", COMPONENT, f"part-{index}")
        for token, inputs in parts:
            for number in range(5):
                operation = "delete" if index % 5 == 0 else ("update", "create")[number % 2]
                document.step(operation, token, f"{index}-{number}", inputs, inputs, parent=whole)
    plan = document.plan()
    assert len(plan.changes) > 500
    text = rendered(plan, judged("may take 60 GPUs, allowed 32"))
    seen = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    # So many words are read in a minute: https://doi.org/10.1016/j.jml.2019.104047
    assert len(re.findall(r"[A-Za-z]{2,}", seen)) <= 238


def test_even_without_rows_that_could_be_left_out_it_fits() -> None:
    text = rendered(Document("x").plan(), judged(*["word " * 9000] * 3))
    assert len(text) <= comment.MOST
    assert text.rstrip().endswith(f"see [the whole report]({LINK}).")


def test_a_failed_preview_is_a_comment_of_its_own_under_the_same_marker() -> None:
    text = comment.failed("dev", "error: ```\n" + "x" * 100_000, LINK)
    assert text.startswith(comment.marker("dev"))
    assert len(text) <= comment.MOST
    assert text.count("```") == 2


def test_text_of_others_neither_mentions_people_nor_is_markup() -> None:
    text = rendered(Document().plan(), judged("@everyone see #1 <img src=x> | a"))
    assert "&#64;everyone see &#35;1 &lt;img src=x&gt; \\| a" in text


def test_no_secret_is_shown_whether_it_is_marked_or_not() -> None:
    document = Document()
    old = {"envs": [{"name": "KEY", "value": f"{PLANTED}1"}], "password": "[secret]"}
    new = {"envs": [{"name": "KEY", "value": f"{PLANTED}2"}], "password": "[secret]"}
    document.step(
        *("update", "gcp:cloudrunv2/service:Service", "run", old, new),
        changed=["envs[0].value", "password"],
    )
    data = {"stringData": {"token": f"{PLANTED}3"}, "metadata": {"name": "s"}}
    document.step("create", "kubernetes:core/v1:Secret", "secret", None, data)
    grant = {"member": f"{PLANTED}4", "role": f"{PLANTED}5", "project": "acme"}
    document.step("create", GRANT, "odd", None, grant)
    rule: dict[str, Any] = {
        "direction": "INGRESS",
        "allows": [{}],
        "sourceRanges": [f"{PLANTED}6", "0.0.0.0/0"],
    }
    document.step("create", "gcp:compute/firewall:Firewall", "open", None, rule)
    text = rendered(document.plan())
    assert "envs[0].value" in text
    assert PLANTED not in text
    assert "[secret]" not in text

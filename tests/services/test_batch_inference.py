"""Batches: every request asked once, whatever happens to those who ask."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from unittest.mock import patch

import pytest
from pydantic import ValidationError

from services.batch_inference.requests import NoIdError, Request, from_line
from services.batch_inference.run import Batch, NoAnswersError
from services.batch_inference.settings import Settings
from services.common.google_rest import GoogleError
from services.local.storage_write import LocalStorageWrite
from tests.services.conftest import PREDICTIONS, Model

INPUT: Final = "in/1.jsonl"


class Google:
    """A bucket, and a table of requests beside one of results."""

    def __init__(self, *lines: Mapping[str, Any] | str) -> None:
        text = [each if isinstance(each, str) else json.dumps(each) for each in lines]
        self.objects = {INPUT: "\n".join(text).encode()}
        self.rows: list[Mapping[str, str | None]] = []
        self.results: list[Mapping[str, str | None]] = []
        self.asked: list[Mapping[str, Any]] = []
        self.broken = False

    def call(self, method: str, api: str, path: str, *, body: Any = None, **given: Any) -> Any:
        if api == "storage":
            names = [name for name in sorted(self.objects) if name.startswith(given["prefix"])]
            return {"items": [{"name": name} for name in names]}
        self.asked.append(body)
        rows = self.results if f"`{PREDICTIONS}`" in body["query"] else self.rows
        names = list(rows[0]) if rows else []
        return {
            "jobComplete": True,
            "jobReference": {"jobId": "1"},
            "schema": {"fields": [{"name": name} for name in names]},
            "rows": [{"f": [{"v": row[name]} for name in names]} for row in rows],
        }

    def send(self, method: str, api: str, path: str, **options: Any) -> Any:
        if method == "POST":
            if self.broken:
                raise GoogleError(503, "away")
            name, content = options["params"]["name"], options["data"]
            assert options["params"]["ifGenerationMatch"] == "0"
            assert name not in self.objects
            self.objects[name] = content
            return None
        name = path.rpartition("/")[2].replace("%2F", "/")
        return type("Answer", (), {"iter_lines": lambda _: self.objects[name].split(b"\n")})()

    def results_in_files(self) -> list[dict[str, Any]]:
        return [
            json.loads(line)
            for name, content in self.objects.items()
            if name != INPUT
            for line in content.splitlines()
        ]


def line(custom_id: str, prompt: str, **more: Any) -> dict[str, Any]:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": prompt}]}
    return {"custom_id": custom_id, "url": "/v1/chat/completions", "body": body, **more}


Run = Callable[..., Counter[str]]


@pytest.fixture
def run(model: Model) -> Iterator[Run]:
    """Run a task to its end, of a batch whose requests and results are files."""

    def run_one(google: Google, **settings: Any) -> Counter[str]:
        given = {
            "llm_base_url": model.url,
            "llm_model": "qwen3-4b",
            "batch_name": "reviews",
            "batch_input": "gs://acme/in/*",
            "retry_seconds": 0.3,
            **settings,
        }
        if "predictions_table" not in given:
            given["batch_output"] = "gs://acme/out/"
        with patch("services.batch_inference.run.GoogleRest", return_value=google):
            batch = Batch(Settings.model_validate(given))
            done = asyncio.run(batch.run())
        assert done == (not batch.counts["failed"])
        return batch.counts

    yield run_one


def test_every_line_has_a_result_in_the_batch_format(run: Run, model: Model):
    google = Google(line("a", "one"), line("b", "two"), "")
    assert run(google) == Counter(answered=2)
    found = {each["custom_id"]: each["response"] for each in google.results_in_files()}
    assert {key: each["status_code"] for key, each in found.items()} == {"a": 200, "b": 200}
    body = found["a"]["body"]
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["content"].endswith("one")
    assert body["usage"]["total_tokens"] > 0
    assert {each["model"] for each in model.requests} == {"qwen3-4b"}


def test_what_has_a_result_is_not_asked_again(run: Run, model: Model):
    google = Google(line("a", "one"), line("b", "two"))
    run(google)
    google.objects["in/2.jsonl"] = json.dumps(line("c", "three")).encode()
    assert run(google, cloud_run_execution="second") == Counter(answered=1, there=2)
    assert len(model.requests) == 3


def test_an_id_that_stands_twice_is_asked_once(run: Run, model: Model):
    assert run(Google(line("a", "one"), line("a", "one"))) == Counter(answered=1, there=1)
    assert len(model.requests) == 1


def test_each_request_is_of_one_task_always_the_same():
    requests = [Request(f"r-{number}", {}) for number in range(400)]
    tasks = [[each for each in requests if each.is_of(task, 4)] for task in range(4)]
    assert sorted(map(len, tasks)) == pytest.approx([100] * 4, abs=30)
    assert sum(map(len, tasks)) == 400


def test_the_tasks_of_a_run_share_it(run: Run):
    lines = [line(f"r-{number}", "one") for number in range(20)]
    google = Google(*lines)
    for task in range(3):
        run(google, cloud_run_task_index=task, cloud_run_task_count=3)
    assert sorted(each["custom_id"] for each in google.results_in_files()) == sorted(
        each["custom_id"] for each in lines
    )


def test_the_priority_goes_along_with_every_request(run: Run, model: Model):
    run(Google(line("a", "one")), batch_objective="qwen3-4b-l4-batch")
    assert model.headers[0]["x-gateway-inference-objective"] == "qwen3-4b-l4-batch"


def test_a_busy_model_is_waited_for(run: Run):
    google = Google(line("a", "[[fail 429 2]]"))
    assert run(google, retry_seconds=30) == Counter(answered=1)


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_refusal_is_a_result(run: Run, model: Model, status: int):
    google = Google(line("a", f"[[fail {status} 9]]"))
    assert run(google) == Counter(refused=1)
    (found,) = google.results_in_files()
    assert found["response"]["status_code"] == status
    assert "made to fail" in found["response"]["body"]["error"]["message"]
    assert run(google, cloud_run_execution="second") == Counter(there=1)


@pytest.mark.parametrize(
    "odd",
    [{"url": "/v1/embeddings"}, {"body": {"prompt": "old"}}, {"body": None}],
    ids=["url", "no messages", "no body"],
)
def test_a_line_that_cannot_be_sent_is_a_result(run: Run, model: Model, odd: dict[str, Any]):
    google = Google(line("a", "one", **odd))
    assert run(google) == Counter(refused=1)
    assert google.results_in_files()[0]["response"]["status_code"] == 400
    assert not model.requests


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}", '{"custom_id": 1}', '{"custom_id": ""}'])
def test_a_line_without_an_id_is_left_out(run: Run, text: str):
    with pytest.raises(NoIdError):
        from_line(text)
    assert run(Google(text, line("a", "one"))) == Counter(answered=1)


def test_one_without_an_answer_keeps_no_other_from_its_own(run: Run):
    google = Google(
        line("a", "[[fail 503 99]]"),
        line("b", "two"),
        line("c", "[[garbage]]"),
        line("d", "[[fail 404 99]]"),
    )
    assert run(google) == Counter(answered=1, failed=3)
    assert [each["custom_id"] for each in google.results_in_files()] == ["b"]


def test_a_model_that_answers_nothing_ends_the_task(run: Run, model: Model):
    lines = [line(str(number), f"[[garbage]] {number}") for number in range(50)]
    with pytest.raises(ExceptionGroup) as found:
        run(Google(*lines), batch_failures=5, batch_concurrency=1)
    assert found.group_contains(NoAnswersError)
    assert len(model.requests) == 5


def test_results_that_cannot_be_kept_end_the_task(run: Run):
    google = Google(*[line(str(number), "one") for number in range(5)])
    google.broken = True
    with pytest.raises((GoogleError, ExceptionGroup)):
        run(google)


def test_a_stopped_task_keeps_what_was_answered(model: Model):
    google = Google(
        *[line(str(number), "one" if number < 5 else "[[delay 2]]") for number in range(9)]
    )

    async def stopped() -> Batch:
        batch = Batch(
            Settings(
                llm_base_url=model.url,
                llm_model="m",
                batch_name="reviews",
                batch_input="gs://acme/in/*",
                batch_output="gs://acme/out/",
            )
        )
        running = asyncio.create_task(batch.run())
        while batch.counts["answered"] < 5:
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return batch

    with patch("services.batch_inference.run.GoogleRest", return_value=google):
        asyncio.run(stopped())
    assert sorted(each["custom_id"] for each in google.results_in_files()) == list("01234")


def test_rows_of_a_table_become_rows_of_a_table_of_predictions(
    run: Run, model: Model, warehouse: LocalStorageWrite
):
    google = Google()
    google.rows = [{"custom_id": each, "prompt": f"prompt {each}"} for each in ("a", "b", "c")]
    google.rows.append({"custom_id": None, "prompt": "lost"})
    google.results = [{"request_id": "b"}]
    counts = run(
        google,
        batch_input="bq://acme.batches.reviews",
        batch_input_time="written_at",
        predictions_table=PREDICTIONS,
        bigquery_storage_endpoint=warehouse.endpoint,
        batch_system_prompt="Be short.",
        batch_max_tokens=64,
    )
    assert counts == Counter(answered=2, there=1)
    rows = {row["request_id"]: row for row in warehouse.rows}
    assert rows.keys() == {"a", "c"}
    assert rows["a"]["consumer"] == "reviews"
    assert rows["a"]["response"].endswith("prompt a")
    assert rows["a"]["completion_tokens"] > 0
    assert rows["a"]["metadata"]["status"] == 200
    assert {each["max_tokens"] for each in model.requests} == {64}
    assert model.requests[0]["messages"][0] == {"role": "system", "content": "Be short."}
    results, asked = google.asked
    assert "WHERE written_at >= @since" in asked["query"]
    consumers = [each["parameterValue"]["value"] for each in results["queryParameters"]]
    assert "reviews" in consumers


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_output": "", "predictions_table": ""},
        {"predictions_table": PREDICTIONS},
        {"batch_input": "gs://acme/in/1.jsonl"},
        {"batch_input": "s3://acme/in/*"},
        {"batch_input_time": "1; DROP"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, str]):
    given = {"llm_base_url": "http://m/v1", "llm_model": "m", "batch_name": "reviews"}
    given |= {"batch_input": "gs://acme/in/*", "batch_output": "gs://acme/out/"}
    with pytest.raises(ValidationError):
        Settings.model_validate(given | wrong)

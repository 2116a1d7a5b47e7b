"""Settings of a task of a batch."""

from typing import Self

from pydantic import Field, model_validator

from services.common.upstream_settings import UpstreamSettings

_TABLE = r"[^.\s]+\.[^.\s]+\.[^.\s]+"


class Settings(UpstreamSettings):
    """What a task takes from its environment; see ProgramSettings for how."""

    attempts: int = Field(default=10_000, ge=1, description="Tries of a request that may succeed.")
    retry_seconds: float = Field(
        default=600,
        gt=0,
        description="Time after which a request is not tried again: it is left to the next task.",
    )
    read_timeout_seconds: float = Field(
        default=600, gt=0, description="Longest silence of the endpoint; then it is tried again."
    )
    llm_model: str = Field(min_length=1, description="Model that is asked, whatever rows name.")
    batch_name: str = Field(
        min_length=1, description="Name of the batch, which results have as their consumer."
    )
    batch_input: str = Field(
        pattern=rf"^(?:gs://[^/\s]+/\S*\*|bq://{_TABLE})$",
        description="`gs://<bucket>/<prefix>*` of files in the batch format of OpenAI, a request a "
        "line, or `bq://<project>.<dataset>.<table>` with the columns custom_id and prompt.",
    )
    batch_input_time: str = Field(
        default="requested_at",
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        description="Column of type TIMESTAMP by which a table's rows are chosen.",
    )
    batch_input_days: int = Field(
        default=7, ge=1, description="Age in days up to which rows of a table are asked."
    )
    batch_output: str = Field(
        default="",
        pattern=r"^(?:gs://[^/\s]+/\S*)?$",
        description="`gs://<bucket>/<prefix>` of results in the batch format of OpenAI; or else "
        "PREDICTIONS_TABLE.",
    )
    predictions_table: str = Field(
        default="",
        pattern=rf"^(?:{_TABLE})?$",
        description="`<project>.<dataset>.<table>` every result becomes a row of; or else "
        "BATCH_OUTPUT.",
    )
    batch_system_prompt: str = Field(
        default="", description="What the model is told before each prompt of a table."
    )
    batch_max_tokens: int = Field(
        default=1024, ge=1, description="Longest answer to a prompt of a table, in tokens."
    )
    batch_objective: str = Field(
        default="",
        description="Value of the header x-gateway-inference-objective, which is a priority of the "
        "model's; empty: none.",
    )
    batch_concurrency: int = Field(default=8, ge=1, description="Requests under way at once.")
    batch_failures: int = Field(
        default=20, ge=1, description="Requests in a row that get no answer; then the task ends."
    )
    batch_file_results: int = Field(default=500, ge=1, description="Results of a file at most.")
    batch_file_seconds: float = Field(
        default=10, gt=0, description="Longest a result waits for its file."
    )
    cloud_run_task_index: int = Field(default=0, ge=0, description="Cloud Run sets it.")
    cloud_run_task_count: int = Field(default=1, ge=1, description="Cloud Run sets it.")
    cloud_run_task_attempt: int = Field(default=0, ge=0, description="Cloud Run sets it.")
    cloud_run_execution: str = Field(default="local", description="Cloud Run sets it.")
    bigquery_storage_endpoint: str = Field(
        default="",
        description="host:port of another Storage Write API, without TLS nor credentials, such as "
        "services.local.storage_write; empty for Google's.",
    )
    google_apis_endpoint: str = Field(
        default="",
        description="URL in the place of https://<api>.googleapis.com, such as a stand-in's; "
        "empty for Google's.",
    )
    sink_timeout_seconds: float = Field(
        default=60, gt=0, description="Longest a row may take to be written, retries included."
    )

    @model_validator(mode="after")
    def _check_output(self) -> Self:
        if bool(self.batch_output) == bool(self.predictions_table):
            raise ValueError("give one of BATCH_OUTPUT and PREDICTIONS_TABLE")
        return self

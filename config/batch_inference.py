"""Batches: a model asked for every request of files or a table, in the background."""

from typing import Annotated

from catalog.limits import batch_inference as limits
from catalog.limits import bigquery
from catalog.limits.schedules import SCHEDULE
from config.containers import Program
from config.data import BucketName
from config.fields import Settings

BatchName = Annotated[str, limits.NAME]
Prefix = Annotated[str, limits.PREFIX]
Table = Annotated[str, bigquery.TABLE_PATH]


class BatchOutput(Settings):
    """Where results are kept: files, or rows of a table."""

    bucket: BucketName | None = None
    """Bucket of data.lake, for files in the batch format of OpenAI."""
    prefix: Prefix | None = None
    """Folder of the files. Needed with a bucket."""
    table: Table | None = None
    """Table of the warehouse, as <dataset>.<table>, with the columns of a log of predictions."""


class BatchInput(BatchOutput):
    """Where requests are: files, or rows of a table."""

    table: Table | None = None
    """Table of the warehouse, as <dataset>.<table>, with the columns custom_id and prompt."""
    days: Annotated[int, limits.DAYS] = limits.DAYS.default
    """Days of the table's rows, by the column it is partitioned by."""


class BatchInference(Program):
    """A Cloud Run job that asks each request once, and keeps each result."""

    cpu: Annotated[str, limits.CPU] = limits.CPU.default
    """vCPUs of a task, in quotes."""
    model: str
    """Model (a key of models, or an adapter) it asks at the gateway. Sets LLM_BASE_URL, LLM_MODEL,
    LLM_MODELS, LLM_CA_FILE."""
    input: BatchInput
    """Where requests are."""
    output: BatchOutput
    """Where results go."""
    objective: str | None = None
    """Priority (a key of the model's objectives) of its requests, in the pool of the model's first
    replica set. Default: that of all others."""
    system_prompt: Annotated[str, limits.SYSTEM_PROMPT] = limits.SYSTEM_PROMPT.default
    """What the model is told before each prompt of a table."""
    max_tokens: Annotated[int, limits.MAX_TOKENS] = limits.MAX_TOKENS.default
    """Longest answer to a prompt of a table, in tokens."""
    concurrency: Annotated[int, limits.CONCURRENCY] = limits.CONCURRENCY.default
    """Requests of a task at once."""
    tasks: Annotated[int, limits.TASKS] = limits.TASKS.default
    """Tasks that share the requests, all at once."""
    retries: Annotated[int, limits.RETRIES] = limits.RETRIES.default
    """How often a task that fails is started anew; it goes on where it was."""
    timeout_hours: Annotated[int, limits.TIMEOUT_HOURS] = limits.TIMEOUT_HOURS.default
    """Hours a task may take; then it is started anew."""
    schedule: Annotated[str, SCHEDULE] | None = None
    """When a run begins: fields of cron, in UTC. Default: by hand alone."""

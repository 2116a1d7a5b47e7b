"""Settings of the sentiment trainer."""

from pydantic import Field

from services.common.settings import ServerSettings

_TABLE = r"^[^.\s]+\.[^.\s]+\.[^.\s]+$"
_URI = r"^bq://[^.\s]+\.[^.\s]+\.[^.\s]+$"


class Settings(ServerSettings):
    """What the trainer takes from its environment; see ProgramSettings for how."""

    results_table: str = Field(
        pattern=_TABLE,
        description="`<project>.<dataset>.<table>` that what was found and done is written to; the "
        "platform sets it.",
    )
    watched_table: str = Field(
        pattern=_URI,
        description="`bq://<project>.<dataset>.<table>` of the analyzer's results; the platform "
        "sets it.",
    )
    labels_table: str = Field(
        pattern=_URI,
        description="`bq://<project>.<dataset>.<table>` of what people labelled; the platform "
        "sets it.",
    )
    model_store: str = Field(
        pattern=r"^gs://[^/]+$",
        description="`gs://<bucket>` of the versions; the platform sets it.",
    )
    region: str = Field(
        min_length=1, description="Region of pipeline runs and registry; the platform sets it."
    )
    training_account: str = Field(
        min_length=1, description="Account that pipeline runs act as; the platform sets it."
    )
    training_image: str = Field(
        min_length=1, description="Image that steps of the pipeline run; the platform sets it."
    )
    registry_model: str = Field(
        default="sentiment", description="Id of the model in the Model Registry."
    )
    drift_threshold: float = Field(
        default=0.25, gt=0, description="Population stability index beyond which there is drift."
    )
    canary_percent: int = Field(
        default=10, ge=1, le=50, description="Share of the messages that a new version gets."
    )
    canary_hours: float = Field(
        default=72, gt=0, description="How long a canary waits for labels; then it is rolled back."
    )
    cooldown_hours: float = Field(
        default=24, ge=0, description="How long after a run no alert begins another one."
    )
    labels_days: int = Field(default=90, ge=1, description="How old labels may be to be learned.")
    least_labels: int = Field(
        default=50, ge=0, description="Labelled texts without which nothing is trained."
    )
    bigquery_storage_endpoint: str = Field(
        default="",
        description="host:port of another Storage Write API, without TLS nor credentials, such as "
        "services.local.storage_write; empty for Google's.",
    )
    sink_timeout_seconds: float = Field(
        default=20, gt=0, description="Longest a row may take to be written, retries included."
    )
    google_apis_endpoint: str = Field(
        default="",
        description="URL in the place of https://<api>.googleapis.com, such as a stand-in's; "
        "empty for Google's.",
    )

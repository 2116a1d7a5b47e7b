"""Settings of the sentiment analyzer."""

from pydantic import Field

from services.common.settings import ServerSettings


class Settings(ServerSettings):
    """What the analyzer takes from its environment; see ProgramSettings for how."""

    results_table: str = Field(
        pattern=r"^[^.\s]+\.[^.\s]+\.[^.\s]+$",
        description="`<project>.<dataset>.<table>` results are written to; the platform sets it.",
    )
    bigquery_storage_endpoint: str = Field(
        default="",
        description="host:port of another Storage Write API, without TLS nor credentials, such as "
        "services.local.storage_write; empty for Google's.",
    )
    sink_timeout_seconds: float = Field(
        default=20,
        gt=0,
        description="Longest a result may take to be written, retries included; then the message "
        "gets 503. Less than the subscription's ack deadline.",
    )
    max_text_characters: int = Field(default=10_000, ge=1, description="Longer texts get 422.")
    remembered_messages: int = Field(
        default=10_000, ge=0, description="Message ids an instance knows to be done."
    )
    model_store: str = Field(
        default="",
        pattern=r"^(gs://[^/]+)?$",
        description="`gs://<bucket>` of the versions that services/sentiment_trainer releases; "
        "empty for VADER alone.",
    )
    models_refresh_seconds: float = Field(
        default=5, gt=0, description="How often an instance looks what is released."
    )
    google_apis_endpoint: str = Field(
        default="",
        description="URL in the place of https://<api>.googleapis.com, such as a stand-in's; "
        "empty for Google's.",
    )

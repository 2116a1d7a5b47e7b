"""Settings of the LLM backend."""

from typing import Literal, Self

from limits import parse
from pydantic import Field, SecretStr, field_validator, model_validator

from services.common.settings import ServerSettings
from services.common.upstream_settings import UpstreamSettings


class Settings(ServerSettings, UpstreamSettings):
    """What the backend takes from its environment; see ProgramSettings for how."""

    llm_model: str = Field(min_length=1, description="Model of requests that name none.")
    llm_models: list[str] = Field(
        default_factory=list, description="Models requests may name; empty: llm_model alone."
    )
    max_history: int = Field(default=20, ge=0, description="Messages of history sent along.")
    max_message_characters: int = Field(default=32_000, ge=1, description="More get 422.")
    rate_limit: str = Field(
        default="60/minute",
        description="Requests of a caller, as `limits` reads it; with Redis over all instances.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="redis://... or, with TLS, rediss://...; empty: no cache, rates by instance.",
    )
    redis_password: SecretStr = Field(
        default=SecretStr(""), description="Where the URL has none. From a secret."
    )
    redis_ca_file: str = Field(
        default="",
        description="PEM file of the authority that signs the certificate of this Redis alone, such"
        " as Memorystore's; the host name is not checked then. Empty: the public authorities, and "
        "the host name is checked.",
    )
    redis_timeout_seconds: float = Field(default=0.3, gt=0, description="For an answer of Redis.")
    predictions_table: str = Field(
        default="",
        pattern=r"^(?:[^.\s]+\.[^.\s]+\.[^.\s]+)?$",
        description="`<project>.<dataset>.<table>` every chat becomes a row of; empty: none. The "
        "platform sets it.",
    )
    predictions_content: Literal["none", "hashes", "texts"] = Field(
        default="hashes",
        description="What a row has of prompt and reply: nothing, their hashes, or their texts "
        "without what is redacted.",
    )
    predictions_content_percent: int = Field(
        default=100,
        ge=0,
        le=100,
        description="Share of the rows that have it; tokens and times stand in every row.",
    )
    predictions_wait_seconds: float = Field(
        default=0.5, ge=0, description="Longest wait of a reply for its row, while rows are kept."
    )
    predictions_timeout_seconds: float = Field(
        default=20,
        gt=0,
        description="Longest a row may take to be written, retries included; then it is lost.",
    )
    bigquery_storage_endpoint: str = Field(
        default="",
        description="host:port of another Storage Write API, without TLS nor credentials, such as "
        "services.local.storage_write; empty for Google's.",
    )
    cache_seconds: int = Field(default=3600, ge=1, description="Age at which a reply is dropped.")

    @field_validator("rate_limit")
    @classmethod
    def _check_rate_limit(cls, value: str) -> str:
        parse(value)
        return value

    @model_validator(mode="after")
    def _check_redis(self) -> Self:
        if self.redis_ca_file and not self.redis_url.get_secret_value().startswith("rediss://"):
            raise ValueError("REDIS_CA_FILE is set, but REDIS_URL does not begin with rediss://")
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """Models requests may name."""
        return tuple(dict.fromkeys((self.llm_model, *self.llm_models)))

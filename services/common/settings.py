"""Settings of programs, read from the environment; `.env` and mounted secrets work too."""

import os
from pathlib import Path
from typing import Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS_DIR = "SECRETS_DIR"


class ProgramSettings(BaseSettings):
    """What every program takes from its environment, each by the field's name in capitals.

    A variable wins over a file of the same name in the folder SECRETS_DIR names (a mounted secret
    volume), which wins over `.env` in the working directory.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=".env", hide_input_in_errors=True
    )

    google_cloud_project: str = Field(default="", description="Project of traces in the logs.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @classmethod
    def load(cls) -> Self:
        """Read the settings. Raises `pydantic.ValidationError` that names each wrong variable."""
        folder = os.environ.get(SECRETS_DIR)
        return cls(_secrets_dir=Path(folder) if folder else None)


class ServerSettings(ProgramSettings):
    """What every service takes beside."""

    host: str = Field(default="0.0.0.0", description="Address to listen on.")  # noqa: S104
    port: int = Field(default=8080, ge=0, le=65535, description="Port; Cloud Run sets it.")
    max_body_bytes: int = Field(default=1_048_576, ge=1, description="Larger bodies get 413.")
    max_concurrency: int = Field(
        default=80,
        ge=1,
        description="Requests worked on at once. At least Cloud Run's concurrency, so that Cloud "
        "Run adds an instance before this one refuses.",
    )
    queue_seconds: float = Field(
        default=2, ge=0, description="Longest wait for a turn; then the request gets 503."
    )
    max_connections: int = Field(default=1000, ge=1, description="More get 503 at once.")
    header_timeout_seconds: float = Field(
        default=10, gt=0, description="Time to send a request's headers; then the line is cut."
    )
    body_timeout_seconds: float = Field(
        default=15, gt=0, description="Time to send a request's body; then it gets 408."
    )
    write_timeout_seconds: float = Field(
        default=30, gt=0, description="Time a client may leave a piece of the response unread."
    )
    keep_alive_seconds: int = Field(default=75, ge=1, description="How long idle lines stay open.")
    shutdown_seconds: int = Field(
        default=8,
        ge=1,
        description="Time requests have to finish after SIGTERM; Cloud Run kills after ten.",
    )

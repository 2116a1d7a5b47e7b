"""Settings of whoever asks models."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from services.common.settings import ProgramSettings


def read_key(file: str) -> str:
    """Return the key in a file. Raises ValueError where there is none."""
    try:
        key = Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ValueError(f"LLM_API_KEY_FILE can't be read: {problem}") from problem
    if not key:
        raise ValueError(f"LLM_API_KEY_FILE: {file} is empty")
    return key


class UpstreamSettings(ProgramSettings):
    """Where models are asked, and how."""

    llm_base_url: str = Field(
        pattern=r"^https?://\S+$",
        description="OpenAI-compatible endpoint up to and without /chat/completions: the Inference "
        "Gateway's `http://<host>/v1`, or Vertex AI's `https://<region>-aiplatform.googleapis.com"
        "/v1/projects/<project>/locations/<region>/endpoints/openapi`.",
    )
    llm_auth: Literal["none", "api_key", "google"] = Field(
        default="none",
        description="none inside the VPC, api_key for LLM_API_KEY, google for the service "
        "account's token (Vertex AI).",
    )
    llm_api_key: SecretStr = Field(
        default=SecretStr(""), description="From a secret: variable, mounted file or `.env`."
    )
    llm_api_key_file: str = Field(
        default="",
        description="File with the key in place of LLM_API_KEY, such as a mounted secret: a new "
        "version is used without a restart.",
    )
    llm_api_key_seconds: float = Field(
        default=60, ge=0, description="Age at which that file is read again."
    )
    llm_ca_file: str = Field(
        default="",
        description="PEM file of the authority that signs the endpoint's certificate; empty: the "
        "public ones.",
    )
    connect_timeout_seconds: float = Field(default=3, gt=0, description="To reach the endpoint.")
    read_timeout_seconds: float = Field(
        default=60, gt=0, description="Longest silence of the endpoint; then the request gets 504."
    )
    attempts: int = Field(default=3, ge=1, description="Tries of a request that may succeed.")
    retry_seconds: float = Field(
        default=30, gt=0, description="Time after which no further try begins."
    )

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.llm_auth == "api_key" and not (
            self.llm_api_key.get_secret_value() or self.llm_api_key_file
        ):
            raise ValueError("LLM_AUTH is api_key, but LLM_API_KEY is missing")
        if self.llm_api_key_file and self.llm_api_key.get_secret_value():
            raise ValueError("LLM_API_KEY and LLM_API_KEY_FILE are both set: remove one")
        if self.llm_api_key_file:
            read_key(self.llm_api_key_file)
        return self

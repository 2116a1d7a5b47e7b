"""The table that has a row of each request to a model."""

from typing import Final

from services.common.sink import RowShape

SHAPE: Final = RowShape(
    columns=(
        *("request_id", "requested_at", "model", "consumer", "prompt", "response"),
        *("prompt_tokens", "completion_tokens", "latency_ms", "first_token_ms"),
        *("finish_reason", "metadata"),
    ),
    required=("request_id", "requested_at", "model"),
    integers=(
        *("requested_at", "prompt_tokens", "completion_tokens", "latency_ms"),
        "first_token_ms",
    ),
)

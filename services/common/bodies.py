"""Bodies: JSON read into models, with errors that don't repeat what the user sent."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from services.common.errors import ServiceError, shortened

M = TypeVar("M", bound=BaseModel)

_MOST_ERRORS = 5
_LONGEST_PLACE = 100


def require_json(headers: Mapping[str, str]) -> None:
    """Raise `ServiceError` 415 for a body that is said to be something else."""
    media_type = headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise ServiceError(
            415, "wrong_content_type", f"found {media_type!r}, allowed: application/json"
        )


def validated(model: type[M], body: bytes, status: int, category: str) -> M:
    """Read JSON as a model. Raises `ServiceError` with the given status and category."""
    try:
        return model.model_validate_json(body)
    except ValidationError as problem:
        raise ServiceError(status, category, explain(problem)) from problem


def explain(problem: ValidationError) -> str:
    """Say where what is wrong, without the values, of the first few places."""
    errors = problem.errors(include_url=False, include_input=False, include_context=False)
    said = [
        f"{shortened('.'.join(map(str, error['loc'])), _LONGEST_PLACE) or 'body'}: {error['msg']}"
        for error in errors[:_MOST_ERRORS]
    ]
    more = len(errors) - len(said)
    return "; ".join([*said, *([f"and {more} more"] if more else [])])

"""Where the requests of a batch come from."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from services.batch_inference.requests import NoIdError, Request, from_line, from_prompt
from services.batch_inference.settings import Settings
from services.common.bigquery import BigQuery
from services.common.google_rest import GoogleRest
from services.common.logs import FIELDS
from services.common.objects import Objects

_log = logging.getLogger(__name__)


def requests_of(settings: Settings, google: GoogleRest) -> Iterator[Request]:
    """Yield every request of the input, as it is read. Raises GoogleError."""
    kind, _, place = settings.batch_input.partition("://")
    if kind == "bq":
        return _of_table(settings, google, place)
    bucket, _, pattern = place.partition("/")
    return _of_files(Objects(google, bucket), pattern.removesuffix("*"))


def _of_files(objects: Objects, prefix: str) -> Iterator[Request]:
    for name in objects.names(prefix):
        for number, line in enumerate(objects.lines(name), start=1):
            if not line.strip():
                continue
            try:
                yield from_line(line)
            except NoIdError as problem:
                where = f"gs://{objects.bucket}/{name} line {number}"
                _log.error("%s: %s", where, problem, extra={FIELDS: {"error_category": "no_id"}})


def _of_table(settings: Settings, google: GoogleRest, table: str) -> Iterator[Request]:
    query = (
        f"SELECT custom_id, prompt FROM `{table}` "  # noqa: S608 -- the settings' patterns hold
        f"WHERE {settings.batch_input_time} >= @since"
    )
    since = datetime.now(UTC) - timedelta(days=settings.batch_input_days)
    for row in BigQuery(google, table.partition(".")[0]).read(query, since):
        custom_id, prompt = row["custom_id"], row["prompt"]
        if not custom_id:
            _log.error("a row without a custom_id", extra={FIELDS: {"error_category": "no_id"}})
        else:
            yield from_prompt(
                custom_id, prompt or "", settings.batch_system_prompt, settings.batch_max_tokens
            )

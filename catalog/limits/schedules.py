"""When something runs, again and again."""

from typing import Final

from catalog.limits import Text

_FIELD: Final = r"(?:\*|\d{1,2}(?:-\d{1,2})?)(?:/\d{1,2})?"
_LIST: Final = rf"{_FIELD}(?:,{_FIELD})*"

SCHEDULE: Final = Text(
    rf"{_LIST}(?: {_LIST}){{4}}",
    "five fields of cron in UTC: minute, hour, day, month, day of the week, in digits",
    'write it like "0 3 * * 1", Mondays at three',
)

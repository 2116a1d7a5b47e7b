"""The service accounts Google Cloud makes by itself and gives to whatever names none."""

import re
from typing import Final

_DEFAULT: Final = re.compile(
    r"default|\d+-compute@developer\.gserviceaccount\.com|[^@]+@appspot\.gserviceaccount\.com"
)


def is_default_account(email: str) -> bool:
    """Whether the email is that of a default service account, or the word `default` itself."""
    return _DEFAULT.fullmatch(email) is not None

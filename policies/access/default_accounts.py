"""The service accounts Google Cloud makes by itself and gives to whatever names none."""

import re
from typing import Final

_DEFAULT: Final = re.compile(
    r"default"
    r"|\d+-compute@developer\.gserviceaccount\.com"
    r"|[^@]+@appspot\.gserviceaccount\.com"
    r"|\d+@cloudbuild\.gserviceaccount\.com"
)


def is_default_account(account: str) -> bool:
    """Return whether an email or resource name is that of a default account, or the word
    `default`."""
    email = account.strip().lower().removeprefix("serviceaccount:").rpartition("/")[2]
    return _DEFAULT.fullmatch(email) is not None

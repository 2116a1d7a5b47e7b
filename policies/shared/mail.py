"""Mail services and groups where anybody gets an address."""

from typing import Final

PUBLIC_MAIL: Final = frozenset(
    {
        "gmail.com",
        "gmx.com",
        "gmx.de",
        "googlegroups.com",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "msn.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "yahoo.com",
    }
)

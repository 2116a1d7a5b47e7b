"""Cloud Armor: its sets of attack signatures, and the rates it can count.

https://cloud.google.com/armor/docs/waf-rules and
https://cloud.google.com/armor/docs/rate-limiting-overview
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

RuleSet = Literal[
    "cve",
    "java",
    "lfi",
    "methodenforcement",
    "nodejs",
    "php",
    "protocolattack",
    "rce",
    "rfi",
    "scannerdetection",
    "sessionfixation",
    "sqli",
    "xss",
]
"""`cve` is known vulnerabilities; the others are kinds of attack."""

SIGNATURES: Final[Mapping[str, str]] = {
    name: "cve-canary" if name == "cve" else f"{name}-v33-stable" for name in get_args(RuleSet)
}
"""Cloud Armor's own name of each set; v33 is version 3.3 of the OWASP core rule set."""

MOST_SENSITIVE: Final = 4
"""Sensitivity that takes every signature; 1 takes the surest alone."""

Interval = Literal[10, 30, 60, 120, 180, 240, 270, 300, 600, 900, 1200, 1800, 2700, 3600]
"""Seconds a rate can be counted over."""
INTERVALS: Final[tuple[int, ...]] = get_args(Interval)

MOST_REQUESTS: Final = 1_000_000
"""Highest rate that can be throttled at, in requests an interval."""

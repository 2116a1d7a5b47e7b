"""What stands for a text, or decides about it the same way each time."""

import hashlib


def hash_text(text: str) -> str:
    """Return `sha256:<hex>`: equal texts have equal ones."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def in_share(key: str, percent: int) -> bool:
    """Return whether a key is of a share: always the same of a key, and of a larger share too."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) % 100 < percent

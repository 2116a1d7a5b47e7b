"""What stands for a text where the text itself is not kept."""

import hashlib


def hash_text(text: str) -> str:
    """Return `sha256:<hex>`: equal texts have equal ones."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

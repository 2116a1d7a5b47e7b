"""Names of objects made from free text, such as a model name or a host name."""

import hashlib

from catalog.conventions import dns_label

__all__ = ["LABEL_LENGTH", "dns_label", "label_of"]

LABEL_LENGTH = 63
"""Longest DNS label (RFC 1123), which is also the longest Service name and label value."""


def label_of(*parts: str) -> str:
    """Return one DNS label made of several texts; what is too long ends in a hash of itself.

    For a name that must change with what the object is about, so that a replacement can be made
    before the old one goes.
    """
    label = dns_label("-".join(parts))
    if len(label) <= LABEL_LENGTH:
        return label
    digest = hashlib.sha256(label.encode()).hexdigest()[:8]
    return f"{label[: LABEL_LENGTH - 9].rstrip('-')}-{digest}"

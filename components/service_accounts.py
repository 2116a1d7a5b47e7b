"""Service account ids made from component names."""

import hashlib

_LONGEST = 30
_HASH = 4


def account_id(name: str, role: str) -> str:
    """Return the account id `<name>-<role>`.

    Google allows 30 characters. A longer id is cut and ends in a hash of the whole, so the same
    name always gives the same id and two names do not share one.
    https://cloud.google.com/iam/docs/service-accounts-create
    """
    full = f"{name}-{role}"
    if len(full) <= _LONGEST:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:_HASH]
    end = f"-{digest}-{role}"
    return full[: _LONGEST - len(end)].rstrip("-") + end

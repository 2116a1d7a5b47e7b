"""Files that name resources by their types: a mapping below one key, from a type to entries."""

from collections.abc import Iterator
from typing import Final, cast

from catalog.problems import Problem, did_you_mean, shown

EXAMPLE: Final = "storage.Bucket"
"""A type as such files have it."""


def short_name(token: str) -> str:
    """Return what the SDK calls a type: `storage.Bucket` for `gcp:storage/bucket:Bucket`."""
    _, module, name = token.split(":")
    return f"{module.partition('/')[0]}.{name}"


def entries_by_type(document: object, top: str) -> Iterator[tuple[str, object] | Problem]:
    """Yield each type below the key `top` of a document with its entries; nothing of an empty
    one."""
    if document is None:
        return
    if not isinstance(document, dict):
        yield Problem((), shown(document), f"a mapping with {top}:", f"start with {top}:")
        return
    for key, types in cast("dict[object, object]", document).items():
        if key != top:
            remedy = did_you_mean(key, (top,), "remove it")
            yield Problem((str(key),), "an unknown key", top, remedy)
        elif not isinstance(types, dict):
            remedy = f"write types below it, such as {EXAMPLE}:"
            yield Problem((top,), shown(types), "a mapping from types", remedy)
        else:
            for name, entries in cast("dict[object, object]", types).items():
                if isinstance(name, str):
                    yield name, entries
                else:
                    found = f"the key {shown(name)}"
                    yield Problem((top, str(name)), found, "text", "write the type's name")

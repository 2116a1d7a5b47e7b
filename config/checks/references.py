"""References by name: what they may name."""

from collections.abc import Iterable, Iterator

from config.errors import KeyPath, Problem, did_you_mean, listed, shown
from config.known import Known


def check_names(
    known: Known, collection: str, path: KeyPath, found: Iterable[str]
) -> Iterator[Problem]:
    """Names that the collection does not have. Silent when the collection is empty or unread."""
    names = known.names.get(collection)
    for position, name in enumerate(found):
        if names and name not in names:
            yield Problem(
                (*path, position),
                shown(name),
                listed(names),
                did_you_mean(name, names, f"add it to {collection} or choose one of them"),
            )


def check_keys(
    known: Known, collection: str, path: KeyPath, found: Iterable[str]
) -> Iterator[Problem]:
    """Keys that the collection does not have. Silent when the collection is empty or unread."""
    for problem in check_names(known, collection, path, found_list := list(found)):
        position = problem.path[-1]
        key = found_list[position] if isinstance(position, int) else position
        yield Problem((*path, key), problem.found, problem.allowed, problem.remedy)

"""References by name: what they may name."""

from collections.abc import Iterable, Iterator

from catalog.problems import KeyPath, Problem, did_you_mean, joined, shown
from config.known import Known


def check_name(known: Known, collection: str, path: KeyPath, name: str) -> Iterator[Problem]:
    """Check that the collection has the name, unless the collection is empty or unread."""
    names = known.names.get(collection)
    if names and name not in names:
        yield Problem(
            path,
            shown(name),
            joined(names),
            did_you_mean(name, names, f"add it to {collection} or choose one of them"),
        )


def check_regions(known: Known, path: KeyPath, regions: Iterable[str] | None) -> Iterator[Problem]:
    """Check that the regions of a list are declared, each named once."""
    listed_already: set[str] = set()
    for position, region in enumerate(regions or ()):
        yield from check_name(known, "regions", (*path, position), region)
        if region in listed_already:
            yield Problem(
                (*path, position), f"{shown(region)} again", "each region once", "remove it"
            )
        listed_already.add(region)


def check_region_keys(known: Known, path: KeyPath, regions: Iterable[str]) -> Iterator[Problem]:
    """Check that regions used as keys are declared."""
    for region in regions:
        yield from check_name(known, "regions", (*path, region), region)

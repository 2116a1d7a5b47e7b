"""Takes over what is there already: resources of the program that a file names with their ids."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

import pulumi
from pulumi.runtime import register_stack_transformation

from catalog import strict_yaml
from catalog.by_type import entries_by_type, short_name
from catalog.conventions import IMPORTS
from catalog.problems import KeyPath, Problem, did_you_mean, joined, shown

_TOP: Final = "import"
_Wanted = tuple[str, str]


class Imports:
    """What a file wants to be taken over, and what the program makes.

    Each is protected as long as this file is used: a difference that would replace it is refused.
    Source: https://www.pulumi.com/docs/iac/concepts/resources/options/import/
    """

    def __init__(self, source: str, ids: Mapping[_Wanted, str]) -> None:
        self._source = source
        self._ids = ids
        self._made: set[_Wanted] = set()
        register_stack_transformation(self._transformed)

    def _transformed(
        self, args: pulumi.ResourceTransformationArgs
    ) -> pulumi.ResourceTransformationResult | None:
        if not args.type_.startswith("gcp:"):
            return None
        key = (short_name(args.type_), args.name)
        self._made.add(key)
        if key not in self._ids:
            return None
        more = pulumi.ResourceOptions(import_=self._ids[key], protect=True)
        options = pulumi.ResourceOptions.merge(args.opts, more)
        return pulumi.ResourceTransformationResult(args.props, options)

    def check(self) -> None:
        """Raise pulumi.RunError for what the program, as far as it ran, doesn't make."""
        _raise(self._source, self._strangers())

    def _strangers(self) -> Iterator[Problem]:
        types = {type_ for type_, _ in self._made}
        for type_, name in self._ids.keys() - self._made:
            names = {each for of_type, each in self._made if of_type == type_}
            path: KeyPath = (_TOP, type_, name) if names else (_TOP, type_)
            found = "a resource" if names else "a type"
            given, made = (name, names) if names else (type_, types)
            remedy = did_you_mean(given, made, "name it as `make preview` does")
            yield Problem(path, f"{found} that the program doesn't make", joined(made), remedy)


def import_existing() -> Imports | None:
    """Let resources be taken over, if a file says so. Raises pulumi.RunError for its mistakes."""
    file = os.environ.get(IMPORTS)
    if not file:
        return None
    source = Path(file).name
    try:
        document = strict_yaml.load(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise pulumi.RunError(f"{source}: can't be read: {problem}; fix that") from None
    ids: dict[_Wanted, str] = {}
    problems: list[Problem] = []
    for each in _read(document):
        if isinstance(each, Problem):
            problems.append(each)
        else:
            key, id_ = each
            ids[key] = id_
    _raise(source, problems)
    return Imports(source, ids)


def _read(document: object) -> Iterator[tuple[_Wanted, str] | Problem]:
    for each in entries_by_type(document, _TOP):
        if isinstance(each, Problem):
            yield each
            continue
        type_, entries = each
        if not isinstance(entries, dict):
            allowed = "a mapping from names to ids"
            yield Problem((_TOP, type_), shown(entries), allowed, "write `<name>: <id>` below it")
            continue
        for name, id_ in cast("dict[object, object]", entries).items():
            if isinstance(name, str) and isinstance(id_, str) and id_:
                yield (_short(type_), name), id_
            else:
                remedy = "write the id that the cloud knows it by, in quotes"
                yield Problem((_TOP, type_, str(name)), shown(id_), "text", remedy)


def _short(type_: str) -> str:
    return short_name(type_) if type_.count(":") == len(("gcp", "module")) else type_


def _raise(source: str, problems: Iterator[Problem] | list[Problem]) -> None:
    if lines := sorted(f"{source}: {each}" for each in problems):
        raise pulumi.RunError("\n".join(lines))

"""Every option that a stack file has, read from the config's models, with values to set it to."""

# A config is any JSON, which has no types:
from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final, Literal, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import BaseModel, WithJsonSchema

from catalog.limits import Choice, Cidr, Entries, Range, Text
from catalog.problems import KeyPath, Problem
from config.errors import ConfigError
from config.keys import ENTRY, chosen, is_model, is_union, plain, types_of
from config.load import from_mapping
from config.platform import Platform
from tests.config.samples import ROOT

# Text that no pattern tells: files of the project, queries, languages of Pub/Sub and BigQuery.
_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "allowed_ranges": ["203.0.113.0/24", "2001:db8::/32"],
    "audiences": ["chat"],
    "check_schedule": ["0 * * * *", "*/15 6-18 * * 1-5"],
    "chain_file": ["tests/config/certificates/dev.pem"],
    "config_json": ["tests/config/weights/config.json"],
    "custom_audiences": ["https://chat.acme.com"],
    "definition": [
        'syntax = "proto3"; message Text { string text = 1; repeated uint64 counts = 2; }',
        '{"type": "record", "name": "T", "fields": [{"name": "text", "type": ["null", "int"]}]}',
        '{"type": "record", "name": "Text", "fields": [{"name": "text", "type": "string"}]}',
    ],
    "every": ["6 hours", "day 03:00"],
    "document": ["services/llm_backend/openapi.yaml"],
    "filter": ['attributes.lang = "en"', "NOT attributes:draft", 'hasPrefix(attributes.id, "a-")'],
    "prefix": ["requests/", "in/2026/"],
    "retrain_schedule": ["0 3 * * 1", "30 2 1,15 * *"],
    "server_args": ["enable-prefix-caching", "max-num-seqs", "scheduling-policy", "seed"],
    "schedule": ["0 1 * * *", "*/30 * * * *"],
    "sync_schedule": ["0 * * * *", "30 3 * * *"],
    "system_prompt": ["Say in one word what it is about."],
    "query": ["SELECT model FROM {predictions}", "SELECT model FROM {usage}"],
}


@dataclass(frozen=True)
class Option:
    """A key of a stack file, and one value, or kind of values, it may have."""

    path: tuple[str, ...]
    annotation: Any = field(compare=False)
    value: object = None
    """The value; None where one is made up."""

    def __str__(self) -> str:
        given = "" if self.value is None else f": {self.value}"
        return f"{'.'.join(self.path)}{given}"


def options(model: type[BaseModel] = Platform, path: tuple[str, ...] = ()) -> Iterator[Option]:
    """Every option below a model; each of its own for values that are told one by one."""
    for key, annotation in types_of(model).items():
        yield from _of(annotation, (*path, key))


def _of(annotation: Any, path: tuple[str, ...]) -> Iterator[Option]:
    kind, metadata = plain(annotation)
    origin, inner = get_origin(kind), get_args(kind)
    if is_union(kind):
        for each in inner:
            if each is not type(None):
                yield from _of(each, path)
    elif is_model(kind):
        yield Option(path, annotation)
        yield from options(kind, path)
    elif origin is tuple:
        yield Option(path, annotation)
        yield from _of(inner[0], (*path, ENTRY))
    elif origin is not None and origin is not Literal:
        yield Option(path, annotation)
        yield from _of(inner[1], (*path, ENTRY))
    elif origin is Literal or kind is bool:
        for value in inner or (True, False):
            yield Option(path, annotation, value)
    elif choices := [*_choices(metadata)]:
        for value in choices:
            yield Option(path, annotation, value)
    else:
        yield Option(path, annotation)


def _choices(metadata: Sequence[Any]) -> Iterator[Any]:
    return (value for each in metadata if isinstance(each, Choice) for value in each.values)


_EXAMPLES: Final = tuple(
    dict.fromkeys(
        (
            *(each * length for each in "a9A/" for length in range(1, 301)),
            *("a-" * length + "z" for length in range(1, 32)),
            *(
                "4-bit",
                "gke-security-groups@acme.com",
                "VLLM_LOGGING_LEVEL",
                "accessPolicies/600000000001/servicePerimeters/acme",
                "us-east4",
                "n2-highmem-4",
                "2026-02-01T02:00:00Z",
                "2026-02-01T06:00:00Z",
                "1.35",
                "1g.10gb",
                "3g.20gb",
                "2x2",
                "2x2x2",
                "FREQ=DAILY",
                "Mixed.Case/9_x",
                "9b",
                "a_b",
                "A_B",
                "_x",
                "0.5",
                "12Mi",
                "3Gi",
                "250m",
                "*",
            ),
            *("x=1", "NEARLINE", "COLDLINE", "ARCHIVE", "US", "DE", "01A2B3-C4D5E6-F70819", "new"),
            *(
                "/",
                "/v1",
                "/secrets/api/key",
                "acme.com/team",
                "chat.acme.com",
                "https://id.acme.com",
            ),
            *("storage.googleapis.com", "user:ada@acme.com", "ada@acme.com", "group:all@acme.com"),
            "#alerts",
            *("serviceAccount:deploy@acme-ci.iam.gserviceaccount.com", "gs://acme-models/qwen/4b"),
            "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/*",
            *(
                "docker.io/acme/guard:1.0",
                "us-docker.pkg.dev/acme/services/chat:1.0",
                "acme/tool:v2",
            ),
            *(
                "us-docker.pkg.dev/acme/services/chat@sha256:" + "0" * 64,
                "vllm/vllm:v1@sha256:" + "f" * 64,
            ),
            *(
                "key:3",
                "serving.predictions",
                "google.storage.objects.get",
                "publishers/google/models/gemma3@gemma-3-4b-it",
            ),
            "projects/acme-net/global/networks/shared",
            "projects/acme-shop/topics/reviews",
            "projects/acme-net/regions/us-central1/subnetworks/a",
            "projects/acme/locations/us-central1/certificates/chat",
            "projects/acme/locations/us-central1/keyRings/data/cryptoKeys/lake",
            "projects/acme-secrets/secrets/inference-tls/versions/3",
        )
    )
)


class Generator:
    """Sets options of a config, and mends what the config then says is wrong."""

    def __init__(self, config: dict[str, Any], random: Random) -> None:
        self.config, self.random = config, random
        self.platform = _loaded(config)

    def set(self, option: Option) -> bool:
        """Tell whether the config could be changed so that it has the option and still loads.

        Where it has another value already, a copy of an entry around it gets this one.
        """
        entries = [index for index, step in enumerate(option.path) if step == ENTRY]
        copied = entries[::-1] if any(_there(self.config, option.path)) else []
        return any(self._try(option, each) for each in (*copied, None, None, None))

    def _try(self, option: Option, copied: int | None) -> bool:
        config = copy.deepcopy(self.config)
        place: Any = config
        annotation: Any = Platform
        path: tuple[Any, ...] = ()
        for index, step in enumerate(option.path):
            place = place[path[-1]] if path else place
            key, annotation = self._step(place, annotation, step, copied=index == copied)
            path = (*path, key)
        key = path[-1]
        value = option.value
        made = self.value(option.annotation, path, some=True) if value is None else value
        # A mapping or list gets further entries: others refer to those that are there.
        old: Any = place[key] if isinstance(place, list) or key in place else None
        if isinstance(made, dict) and isinstance(old, dict):
            made = cast("Any", {**old, **made})
        elif isinstance(made, list) and isinstance(old, list):
            made = cast("Any", [*old, *made])
        place[key] = made
        for _ in range(4):
            try:
                platform = _loaded(config)
            except ConfigError as error:
                for problem in error.problems:
                    self._mend(config, problem, path)
            else:
                self.config, self.platform = config, platform
                return True
        return False

    def _step(self, place: Any, annotation: Any, step: str, *, copied: bool) -> tuple[Any, Any]:
        """Return the key of a step, below which there is something afterwards, and what that is."""
        kind = _below(annotation, step)
        keys: list[Any] = [*place] if isinstance(place, dict) else [*range(len(place))]
        if step != ENTRY:
            key: Any = step
        elif keys and copied:
            key = self._copy(place, annotation, self.random.choice(keys))
        elif keys:
            key = self.random.choice(keys)
        elif isinstance(place, dict):
            mapping, _ = plain(chosen(annotation))
            key = self.value(get_args(mapping)[0], ())
        else:
            key = 0
            place.append(None)
        if (place[key] if isinstance(place, list) else place.get(key)) is None:
            place[key] = self.value(kind, (key,), some=True)
        return key, kind

    def _copy(self, place: Any, annotation: Any, source: Any) -> Any:
        """Return the key of a new entry that is as another one."""
        if isinstance(place, list):
            place.append(copy.deepcopy(place[source]))
            return len(place) - 1
        mapping, _ = plain(chosen(annotation))
        _, metadata = plain(get_args(mapping)[0])
        name = next(each for n in itertools.count(2) if (each := f"{source}-{n}") not in place)
        patterns = [each.pattern for each in metadata if isinstance(each, Text)]
        key = (
            name
            if all(_match(each, name) for each in patterns)
            else self.value(get_args(mapping)[0], ())
        )
        place[key] = copy.deepcopy(place[source])
        return key

    def _mend(self, config: dict[str, Any], problem: Problem, wanted: KeyPath) -> None:
        """Change what a problem is about: take it away, or give it another value."""
        path, place = problem.path, cast("Any", config)
        annotation: Any = Platform
        for position, step in enumerate(path[:-1]):
            annotation = _below(annotation, ENTRY if isinstance(step, int) else step)
            try:
                missing = place[step] is None
            except (KeyError, IndexError, TypeError):
                missing = True
            if missing:
                if isinstance(place, list):
                    return
                place[step] = self.value(annotation, path[: position + 1], some=True)
            place = place[step]
        last: Any = path[-1]
        if isinstance(place, str) or (isinstance(place, list) and last not in range(len(place))):
            return
        here = _below(annotation, ENTRY if isinstance(last, int) else last)
        words = re.split(r"[ ,(){}:]+", problem.allowed)
        if wanted[: len(path)] == path:
            if path != wanted and last in place and isinstance(place[last], dict):
                self._mend_keys(place[last], here, words, wanted[len(path)])
        elif (isinstance(place, list) or last in place) and self.random.random() < 0.5:
            del place[last]
        elif isinstance(place, list) or here is not None:
            value = self.value(here, path, some=True)
            is_text = isinstance(value, str) and self.random.random() < 0.5
            place[last] = self.random.choice(words) if is_text else value

    def _mend_keys(
        self, place: dict[str, Any], annotation: Any, words: Sequence[str], wanted: str | int
    ) -> None:
        """Add or take away one of the keys that a problem names."""
        keys = [each for each in words if each != wanted and _below(annotation, each)]
        if not keys:
            kind, _ = plain(chosen(annotation))
            keys = [
                each for each in (types_of(kind) if is_model(kind) else place) if each != wanted
            ]
        if keys:
            key = self.random.choice(keys)
            if place.pop(key, None) is None:
                place[key] = self.value(_below(annotation, key), (key,), some=True)

    def value(self, annotation: Any, path: KeyPath, *, some: bool = False) -> Any:
        """Return a value of a type; `some` for a mapping or list with an entry at least."""
        kind, metadata = plain(annotation)
        origin, inner = get_origin(kind), get_args(kind)
        if is_union(kind):
            chosen = self.random.choice([each for each in inner if each is not type(None)])
            limited = Annotated[chosen, *metadata] if metadata else chosen
            return self.value(limited, path, some=some)
        if is_model(kind):
            return self._settings(kind, path)
        if origin is Literal:
            return self.random.choice(inner)
        entries = [each for each in metadata if isinstance(each, Entries)]
        least = max(
            (
                *(each.min_length for each in metadata if isinstance(each, MinLen)),
                *(each.low for each in entries),
            ),
            default=0,
        )
        most = min(
            (
                *(each.max_length for each in metadata if isinstance(each, MaxLen)),
                *(each.high for each in entries if each.high),
            ),
            default=3,
        )
        count = self.random.randint(max(least, some), max(least, min(most, 2)))
        if origin is tuple:
            return [self.value(inner[0], (*path, each)) for each in range(count)]
        if origin is not None:
            keys = [self.value(inner[0], path) for _ in range(count)]
            return {key: self.value(inner[1], (*path, key)) for key in keys}
        if choices := [*_choices(metadata)]:
            return self.random.choice(choices)
        if kind is bool:
            return self.random.choice([True, False])
        if kind in {int, float}:
            return self._number(kind, metadata)
        return self._text(metadata, path)

    def _settings(self, kind: type[BaseModel], path: KeyPath) -> dict[str, Any]:
        return {
            key: self.value(annotation, (*path, key))
            for (key, annotation), field in zip(
                types_of(kind).items(), kind.model_fields.values(), strict=True
            )
            if field.is_required()
        }

    def _number(self, kind: type, metadata: Sequence[Any]) -> Any:
        ranges = [each for each in metadata if isinstance(each, Range)]
        lows: list[Any] = [each.ge for each in metadata if isinstance(each, Ge)]
        lows += [each.gt for each in metadata if isinstance(each, Gt)]
        lows += [each.low for each in ranges]
        highs: list[Any] = [each.le for each in metadata if isinstance(each, Le)]
        highs += [each.high for each in ranges if each.high is not None]
        low = cast("int", lows[0]) if lows else 0
        high = cast("int", highs[0]) if highs else low + 500
        choice = self.random.choice([low, high, self.random.randint(int(low), int(high))])
        if kind is float and choice == 0:
            return 0.5
        return choice

    def _text(self, metadata: Sequence[Any], path: KeyPath) -> str:
        for each in metadata:
            if isinstance(each, Cidr):
                return self._range(each)
            if isinstance(each, WithJsonSchema):
                return self.random.choice(cast("Any", each.json_schema)["enum"])
        names = [each for each in path if isinstance(each, str)]
        for name in reversed(names):
            if name in _WORDS:
                return self.random.choice(_WORDS[name])
        patterns = [each.pattern for each in metadata if isinstance(each, Text)]
        if not patterns:
            names = self.random.choice([self.config["regions"], [*_names(self.config)]])
            return self.random.choice([*names])
        known = {each for each in _texts(self.config) if _match(patterns[0], each)}
        made = _examples(patterns[0])
        assert made, (
            f"{'.'.join(map(str, path))}: no example of {patterns[0]}: add one to `_EXAMPLES` (of a"
            f" pattern) or `_WORDS` (of a key) in {Path(__file__).relative_to(ROOT)}"
        )
        return self.random.choice(
            self.random.choice([each for each in (sorted(known), made) if each])
        )

    def _range(self, range_: Cidr) -> str:
        first, second = self.random.randint(0, 255), self.random.randint(0, 255)
        if not range_.private:
            return f"203.{first}.{second}.0/24"
        prefix = range_.longest_prefix or 24
        if prefix >= 24:
            return f"10.{first}.{second}.0/{self.random.choice([24, prefix])}"
        return f"10.{first}.{second // 8 * 8}.0/{prefix}"


def source_of(config: Mapping[str, Any]) -> str:
    """Return the name of the file that a config is of."""
    return f"Pulumi.{config['environment']}.yaml"


def standing(config: Any) -> set[Option]:
    """Return the options that a config has."""
    return {each for each in _all_options() if _stands(config, each)}


@cache
def _all_options() -> Sequence[Option]:
    return [*options()]


def _stands(config: Any, option: Option) -> bool:
    wanted = option.value
    return any(
        wanted is None or (wanted == found and type(wanted) is type(found))
        for found in _there(config, option.path)
    )


def _there(value: Any, path: Sequence[str]) -> Iterator[Any]:
    """Return what stands at a path, at each of its entries."""
    if not path:
        yield from (value,) if value is not None else ()
        return
    step, *rest = path
    if isinstance(value, dict):
        below = [*value.values()] if step == ENTRY else [value.get(step)]
    else:
        below = value if isinstance(value, list) and step == ENTRY else []
    for each in below:
        yield from _there(each, rest)


def _loaded(config: Mapping[str, Any]) -> Platform:
    return from_mapping(config, source_of(config))


def _match(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


@cache
def _examples(pattern: str) -> Sequence[str]:
    return [each for each in _EXAMPLES if _match(pattern, each)]


def _below(annotation: Any, step: str | int) -> Any:
    kind, _ = plain(chosen(annotation))
    if is_model(kind):
        return types_of(kind).get(str(step))
    inner = get_args(kind)
    if get_origin(kind) is tuple:
        return inner[0]
    return inner[1] if len(inner) > 1 else None


def _names(config: Mapping[str, Any]) -> Iterator[str]:
    """Return the names of what one entry may refer to another by."""
    for area in config.values():
        if isinstance(area, dict):
            yield from cast("dict[str, Any]", area)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in cast("Mapping[str, Any]", value).items():
            yield key
            yield from _texts(each)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            yield from _texts(each)

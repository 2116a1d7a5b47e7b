"""Keys of one's own: everything that takes one gets that of its place, once it may be used."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import pulumi

from catalog.conventions import PLATFORM, dns_label
from catalog.encryption import CONSTANT, ENTRY, Encrypted, encrypted
from catalog.needs import api_of, encrypting_services
from components.data.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.data.key_access import LOOKED_UP, KeyAccess
from components.names import label_of
from components.project.services import ProjectServices
from config.encryption import Encryption as EncryptionSettings
from config.platform import Platform
from stacks.arguments import to_args

Props = Mapping[str, Any]

_CAPITAL: Final = re.compile("[A-Z]")
_DOMAIN: Final = ".googleapis.com"
_KMS: Final = "cloudkms"
# Of Compute Engine the agent is made with the project.
_THERE: Final = frozenset({*LOOKED_UP, "compute"})


def encrypting_agents(platform: Platform) -> Iterator[str]:
    """Yield the APIs in use whose agents must exist before they are granted a key."""
    if platform.encryption is not None:
        for service in encrypting_services():
            if service not in _THERE and f"{service}{_DOMAIN}" in platform.apis:
                yield f"{service}{_DOMAIN}"


class Encryption:
    """The keys of a stack, which transforms what is made with `Foundation.google`.

    A key is made, and an agent granted it, when the first thing there needs it: so no agent may use
    a key that it has no data under.
    """

    def __init__(
        self, platform: Platform, services: ProjectServices, options: pulumi.ResourceOptions
    ) -> None:
        self._settings = platform.encryption
        self._services = services
        self._options = options
        self._accesses: dict[str, KeyAccess] = {}

    def encrypt(
        self, args: pulumi.ResourceTransformationArgs
    ) -> pulumi.ResourceTransformationResult | None:
        """Name the key of its place in what takes one, and wait for a key it names itself."""
        row = encrypted().get(args.type_)
        if row is None or not row.agents:
            return None
        props = cast("Props", args.props)
        for path, place in zip(row.keys, row.at, strict=True):
            # Of several paths, the one that a resource has begun.
            if len(row.keys) == 1 or _found(props, _steps(path)[:2]) is not None:
                props = self._with_key(props, row, path, place)
        return pulumi.ResourceTransformationResult(props, args.opts)

    def _with_key(self, props: Props, row: Encrypted, path: str, place: str) -> Props:
        whole, of_list, rest = path.partition(f"{ENTRY}.")
        if of_list:
            held = _found(props, _steps(whole))
            inner = place.removeprefix(f"{whole}{of_list}")
            entries = [self._with_key(each, row, rest, inner) for each in held or ()]
            return _with(props, _steps(whole), entries)
        access = self._access(_found(props, _steps(path)), _place(props, place))
        if access is None:
            return props
        key = access.usable_by(*[api_of(agent) for agent in row.agents])
        for each in row.beside:
            beside, _, value = each.partition("=")
            props = _with(props, _steps(beside), value)
        return _with(props, _steps(path), key)

    def _access(self, named: object, location: str | None) -> KeyAccess | None:
        """Return who may use the key that is named, or that of a location; None for neither."""
        if isinstance(named, str):
            return self._access_to(named)
        if named is not None or location is None or self._settings is None:
            return None
        given = self._settings.key_by_location.get(location)
        return self._access_to_own(location) if given is None else self._access_to(given)

    def _access_to(self, key: str) -> KeyAccess:
        return self._accesses.get(key) or self._made(
            key, label_of(PLATFORM, *key.split("/")[1::2]), key
        )

    def _access_to_own(self, location: str) -> KeyAccess:
        if location in self._accesses:
            return self._accesses[location]
        settings = cast("EncryptionSettings", self._settings)
        name = f"{PLATFORM}-{location}"
        own = EncryptionKey(
            name,
            to_args(
                EncryptionKeyArgs,
                settings,
                project=self._services.project_for(_KMS),
                location=location,
                administrators={dns_label(each): each for each in settings.administrators},
            ),
            self._options,
        )
        return self._made(location, f"{name}-key-access", own.key)

    def _made(self, place: str, name: str, key: pulumi.Input[str]) -> KeyAccess:
        compute = pulumi.Output.format(
            "service-{0}@compute-system.iam.gserviceaccount.com", self._services.project_number
        )
        identities = {
            api.removesuffix(_DOMAIN): email for api, email in self._services.service_agents.items()
        }
        self._accesses[place] = KeyAccess(
            name,
            {
                "project": self._services.project_for(_KMS),
                "key": key,
                "services": [],
                "agents": {**identities, "compute": compute},
            },
            self._options,
        )
        return self._accesses[place]


def _steps(path: str) -> Sequence[str]:
    """Return the steps of a property's path, as the SDK writes them in Python."""
    return [_CAPITAL.sub(lambda match: f"_{match[0].lower()}", step) for step in path.split(".")]


def _found(props: Props, steps: Sequence[str]) -> Any:
    value: Any = props
    for step in steps:
        value = cast("Props", value).get(step) if isinstance(value, Mapping) else None
    return value


def _with(props: Props, steps: Sequence[str], value: object) -> Props:
    """Return the properties with one changed; what it is within is copied."""
    first, *rest = steps
    return {**props, first: _with(props.get(first) or {}, rest, value) if rest else value}


def _place(props: Props, place: str) -> str | None:
    if place.startswith(CONSTANT):
        return place.removeprefix(CONSTANT)
    found = _found(props, _steps(place))
    several = cast("Sequence[Any]", found) if isinstance(found, (list, tuple)) else [found]
    first = next(iter(several), None)
    return first.lower() if isinstance(first, str) else None

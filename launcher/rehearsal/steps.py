"""The table of what happens to a stack in its life: what is changed, and what may come of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from launcher.rehearsal import changes
from launcher.rehearsal.changes import Ways
from launcher.rehearsal.places import Config

ROUTE: Final = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"


@dataclass(frozen=True)
class Stage:
    """One run of the engine, and what is expected of it."""

    key: str
    title: str
    about: str
    may: frozenset[str] = frozenset()
    """The operations that it may have; none expects that nothing changes."""
    types: frozenset[str] = frozenset()
    """The types that it may touch, where not all."""
    serves: bool = True
    """Whether all that serves must go on serving."""
    run: str = "up"
    faults: tuple[Mapping[str, str], ...] = ()
    """How the cloud fails it at first, as docs/faults.md has it: then it is run again."""


@dataclass(frozen=True)
class Chapter:
    """Stages that belong together: they happen if one way of their changes fits the config."""

    ways: Callable[[Config], Ways]
    stages: tuple[Stage, ...]
    without: str = ""
    """Why none may fit."""
    gap: bool = True
    """Whether it is a gap in the rehearsal that none fits."""
    allow: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the policies must allow for it and after it, by rule."""
    lasts: bool = False
    """Whether what follows begins with its config, not with the stack file's."""


_MAKES: Final = frozenset({"create", "import"})
_GROWS: Final = _MAKES | {"update"}
_ANY: Final = _GROWS | {"replace", "delete"}

LIFE: Final = (
    Chapter(
        changes.nothing,
        (
            Stage(
                "up",
                "Made from nothing, with a stockout",
                "The stack file as it is. At first a zone has no machines for the cluster's own "
                "nodes; once it has some, `make up` goes on.",
                _MAKES | {"update", "replace"},
                faults=({"fault": "stockout", "name": "*-system"},),
            ),
            Stage(
                "again",
                "Previewed again",
                "The same stack file: nothing may change.",
                run="preview",
            ),
        ),
    ),
    Chapter(
        changes.setting,
        (
            Stage(
                "setting",
                "A setting changes",
                "The time limit of requests is another one: changed in place, nothing anew.",
                frozenset({"update"}),
            ),
            Stage(
                "setting-back",
                "The setting goes back",
                "The stack file as it was.",
                frozenset({"update"}),
            ),
        ),
    ),
    Chapter(
        changes.rollout,
        (
            Stage(
                "canary",
                "A model's new version gets a first share",
                "Another replica set of the model, beside the one with the largest share: both "
                "stand.",
                _GROWS,
            ),
            Stage(
                "canary-back",
                "The share goes back",
                "All requests to the old version again; the new one stays for now.",
                frozenset({"update"}),
                frozenset({ROUTE}),
            ),
            Stage(
                "takeover",
                "The new version takes over",
                "All requests to the new version; the old one stays for the way back.",
                frozenset({"update"}),
                frozenset({ROUTE}),
            ),
            Stage(
                "alone",
                "The old version is taken down",
                "Nothing asked it any more.",
                frozenset({"update", "delete"}),
                serves=False,
            ),
            Stage(
                "rollback",
                "Rolled back",
                "Too late for the quick way back: the old version is made anew.",
                _ANY,
                serves=False,
            ),
        ),
        "no model has replica sets that a second version fits beside",
    ),
    Chapter(
        changes.nothing,
        (
            Stage(
                "drift",
                "Changed by hand, and repaired",
                "Somebody changes and deletes resources; `make drift` tells, `make refresh` and "
                "`make up` put them back.",
                _ANY,
                serves=False,
                run="drift",
            ),
        ),
    ),
    Chapter(
        changes.nothing,
        (
            Stage(
                "upgrade",
                "Upgraded from an earlier release",
                "The state that the newest release recorded comes up with this program, and with "
                "the stack file of today.",
                _ANY,
                run="upgrade",
            ),
        ),
    ),
    Chapter(
        changes.unprotected,
        (
            Stage(
                "unprotected",
                "Protection is let go",
                "`deletion_protection: false`, which the policies of the rehearsal allow: without "
                "it nothing could be deleted.",
                frozenset({"update"}),
            ),
        ),
        "nothing is protected from deletion",
        gap=False,
        lasts=True,
        allow={"rel-deletion-protection": "disabled"},
    ),
    Chapter(
        changes.without_a_region,
        (
            Stage(
                "region-lost",
                "A region is lost",
                "Taken out of the stack file: at first while nothing in it answers, then once it "
                "answers again.",
                frozenset({"update", "delete", "replace"}),
                serves=False,
                faults=({"fault": "unavailable", "place": "{region}*", "times": "always"},),
            ),
            Stage(
                "region-back",
                "The region is back",
                "In the stack file again: all of it is made anew.",
                _ANY,
                serves=False,
            ),
        ),
        "there are not several regions of which one can be left out",
    ),
    Chapter(
        changes.nothing,
        (
            Stage(
                "destroy",
                "Destroyed",
                "Everything of the stack is deleted.",
                frozenset({"delete"}),
                serves=False,
                run="destroy",
            ),
        ),
    ),
)


def change(before: Config, after: Config) -> tuple[Chapter, ...]:
    """Return the chapter of a change from one config to another, and back."""

    def ways(_: Config) -> Ways:
        yield before, before, after, after, before

    again = "The same stack file again: nothing may change."
    stages = (
        Stage("from", "Made as it was", "The stack file before the change.", _MAKES),
        Stage("again", "Previewed again", again, run="preview"),
        Stage("to", "Changed", "The stack file after the change.", _ANY, serves=False),
        Stage("to-again", "Previewed again after it", again, run="preview"),
        Stage("back", "Changed back", "The stack file before the change.", _ANY, serves=False),
    )
    return (Chapter(ways, stages),)

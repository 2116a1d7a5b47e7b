"""The identity of Kubernetes objects: kind, namespace, name."""

from dataclasses import dataclass
from typing import Any, Final

from sandbox.values import Values, as_list, as_map, is_map

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_PATCH: Final = "Patch"


@dataclass(frozen=True)
class Kind:
    """A kind as its type token names it: `kubernetes:apps/v1:Deployment`."""

    token: str

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`..."""
        middle = self.token.split(":")[1]
        return middle.removeprefix("core/")

    @property
    def group(self) -> str:
        """`apps`, or '' for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        """`v1`."""
        return self.api_version.rpartition("/")[2]

    @property
    def is_patch(self) -> bool:
        """Whether this is a `...Patch` resource over an object someone else owns."""
        return self.token.endswith(_PATCH)

    @property
    def name(self) -> str:
        """`Deployment`, also for `DeploymentPatch`."""
        last = self.token.split(":")[2]
        return last.removesuffix(_PATCH) if self.is_patch else last

    @property
    def plural(self) -> str:
        """How error messages name it: `deployments.apps`."""
        lower = self.name.lower()
        if lower.endswith(("s", "x", "ch")):
            plural = f"{lower}es"
        elif lower.endswith("y") and lower[-2:-1] not in "aeiou":
            plural = f"{lower[:-1]}ies"
        else:
            plural = f"{lower}s"
        return f"{plural}.{self.group}" if self.group else plural


def metadata_of(inputs: Values) -> Values:
    """Return the object's metadata, empty when absent or unknown."""
    return as_map(inputs.get("metadata"))


def name_holder(kind: Kind, inputs: Values) -> Values:
    """Return the part of the inputs with `name` and `namespace`: a Helm release has them at the
    top."""
    return inputs if kind.token == RELEASE else metadata_of(inputs)


def object_id(namespace: str, name: str) -> str:
    """Return `namespace/name`, or `name` outside of namespaces."""
    return f"{namespace}/{name}" if namespace else name


def split_id(id_: str) -> tuple[str, str]:
    """Return namespace ('' when it has none) and name."""
    namespace, _, name = id_.rpartition("/")
    return namespace, name


def at(value: Any, path: str) -> list[Any]:
    """Return every value at a path such as `spec.rules[].backendRefs[]`."""
    found = [value]
    for step in path.split("."):
        name, many = step.removesuffix("[]"), step.endswith("[]")
        found = [item[name] for item in found if is_map(item) and item.get(name) is not None]
        if many:
            found = [inner for item in found for inner in as_list(item)]
    return found

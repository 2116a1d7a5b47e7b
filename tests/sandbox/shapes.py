"""What the SDK says that stands at a path of a type's inputs."""

from sandbox.sdk_shapes import AnyOf, ListOf, MapOf, ObjectOf, Scalar, Shape
from sandbox.sdk_types import ResourceType


def shape_at(resource_type: ResourceType, path: str) -> Shape | None:
    """Return the shape at a path, of which `*` leads to each entry; None where there is none."""
    first, *rest = path.split(".")
    found = resource_type.inputs.get(first)
    shape = found.shape if found else None
    for step in rest:
        shape = _below(shape, step)
    return shape


def _below(shape: Shape | None, step: str) -> Shape | None:
    match shape:
        case ListOf(each) | MapOf(each) if step == "*":
            return each
        case ObjectOf():
            found = shape.properties.get(step)
            return found.shape if found else None
        case AnyOf(options):
            return next((found for each in options if (found := _below(each, step))), None)
        case Scalar("any"):
            return shape
        case _:
            return None

"""A table has the columns that a service of ours writes."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, cast

from catalog import strict_yaml
from catalog.config_folder import RELEASE
from catalog.problems import KeyPath, Problem, shown
from config.pipelines import ResultField

SERVICES: Final = RELEASE / "services"


def check_output(
    where: KeyPath, image_name: str, fields: Sequence[ResultField]
) -> Iterator[Problem]:
    """Check that the table has the columns that the service writes, and no others it requires.

    Silent about images that are not of a service in `services/`, or that declares no output.
    """
    written = output_of(image_name)
    if not written:
        return
    service = shown(image_name)
    columns = {column.name: column for column in fields}
    for name, kind in written.items():
        column = columns.get(name)
        if column is None:
            yield Problem(
                where,
                f"no column {shown(name)}",
                f"the columns the image {service} writes: {', '.join(written)}",
                f"add {{name: {name}, type: {kind}}}, or leave fields out",
            )
        elif column.type != kind or column.mode == "REPEATED":
            at = fields.index(column)
            yield Problem(
                (*where, at, "type"),
                f"{shown(name)} ({column.mode} {column.type})",
                f"{kind}, not REPEATED: so the image {service} writes it",
                "change it, or leave fields out",
            )
    for at, column in enumerate(fields):
        if column.mode == "REQUIRED" and column.name not in written:
            yield Problem(
                (*where, at, "mode"),
                f"{shown(column.name)} (REQUIRED)",
                f"NULLABLE: the image {service} leaves it empty",
                "change it or remove the column",
            )


@cache
def output_of(image_name: str) -> Mapping[str, str]:
    """Return the types of the columns a service writes, by name; empty for an image that is not
    ours."""
    file = SERVICES / image_name.replace("-", "_") / "output.yaml"
    if "." in image_name or not file.is_file():
        return {}
    document = cast(
        "Mapping[str, Mapping[str, Mapping[str, str]]]", strict_yaml.load(file.read_text())
    )
    return {name: column["type"] for name, column in document["columns"].items()}

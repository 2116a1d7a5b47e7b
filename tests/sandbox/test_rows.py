"""The rows of `sandbox/types/` speak of types and properties that the SDK has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sandbox.gcp import rows
from sandbox.gcp.rows import Row
from sandbox.sdk_shapes import ANY, Scalar
from sandbox.sdk_types import ResourceType, resource_type, tokens
from tests.sandbox.shapes import shape_at

FOLDER = Path(rows.__file__).parents[1] / "types"
TOKENS = {
    f"{token.split(':')[1].split('/')[0]}.{token.split(':')[2]}": token for token in tokens("gcp")
}

TEXT = {Scalar("string"), ANY}


def _types_of(module: str, name: str) -> Iterator[ResourceType]:
    """Yield the types a row holds for: one, or the grants that its name begins."""
    for suffix in ("Member", "Binding", "Policy") if name.lower().endswith("iam") else ("",):
        found = resource_type(TOKENS.get(f"{module}.{name}{suffix}", ""))
        if found is not None:
            yield found


@pytest.mark.parametrize("module", rows.services())
def test_a_row_names_a_type_and_its_properties(module: str) -> None:
    for name, row in rows.service(module).types.items():
        found = list(_types_of(module, name))
        assert found, f"{module}.{name}"
        for each in found:
            for path in row.references:
                assert shape_at(each, path) in TEXT, f"{each.token} {path}"
            assert row.outputs.keys() <= each.outputs.keys(), each.token
        for user in row.used_by.types if row.used_by else ():
            assert resource_type(user), user


def test_a_row_holds_for_every_way_to_grant() -> None:
    member = rows.row("gcp:pubsub/topicIAMMember:TopicIAMMember")
    assert member.references
    assert member == rows.row("gcp:pubsub/topicIAMBinding:TopicIAMBinding")
    assert rows.row("gcp:pubsub/lite:Lite") == Row()


def test_a_grant_says_what_it_is_on() -> None:
    assert rows.grants()["gcp:storage/bucketIAMMember:BucketIAMMember"] == ("bucket", "{value}")
    assert rows.grants()["gcp:projects/iAMBinding:IAMBinding"] == ("", "projects/{project}")
    assert all(target for _, target in rows.grants().values())


def test_a_service_stands_in_one_file() -> None:
    others = yaml.safe_load((FOLDER / "others.yaml").read_text())
    assert not {path.stem for path in FOLDER.glob("*.yaml")} & set(others)


def test_a_service_without_types_has_its_api() -> None:
    assert rows.service("workflows").service == "workflows.googleapis.com"
    assert rows.service("nothing").service is None

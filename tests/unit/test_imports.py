"""What a file names is taken over, protected; what it names wrongly is told with its place."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pulumi_gcp as gcp
import pytest
from pulumi.runtime.settings import get_root_resource

from catalog.conventions import IMPORTS
from stacks.imports import import_existing
from tests.unit.harness import Cloud, Deploy

BUCKET = "gcp:storage/bucket:Bucket"
Importing = Callable[[str], Cloud]


def _program() -> None:
    imports = import_existing()
    parent = pulumi.ComponentResource("test:index:Lake", "lake")
    for name in ("lake-bucket", "other-bucket"):
        options = pulumi.ResourceOptions(parent=parent)
        gcp.storage.Bucket(name, name=name, location="US", opts=options)
    if imports is not None:
        imports.check()


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Let the programs of other tests, which are of the same stack, take over nothing."""
    yield
    vars(get_root_resource())["_transformations"] = None


@pytest.fixture
def importing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deploy: Deploy) -> Importing:
    """Run a program of two buckets in a component, with such a file."""

    def run(text: str) -> Cloud:
        file = tmp_path / "import.dev.yaml"
        file.write_text(text)
        monkeypatch.setenv(IMPORTS, str(file))
        return deploy(_program)

    return run


@pytest.mark.parametrize("type_", ["storage.Bucket", BUCKET])
def test_what_is_named_is_taken_over_and_protected(importing: Importing, type_: str):
    cloud = importing(f'import: {{"{type_}": {{lake-bucket: acme-lake}}}}')
    taken, other = cloud.one(BUCKET, "lake-bucket"), cloud.one(BUCKET, "other-bucket")
    assert (taken.id, taken.protect) == ("acme-lake", True)
    assert (other.id != "acme-lake", other.protect) == (True, False)


def test_without_a_file_nothing_is_taken_over(deploy: Deploy):
    assert not deploy(_program).one(BUCKET, "lake-bucket").protect


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import: {storage.Bucket: {lake-buckt: x}}", "lake-buckt: .*did you mean 'lake-bucket'?"),
        ("import: {storage.Buckets: {lake-bucket: x}}", "a type that the program doesn't make"),
        ("import: {storage.Bucket: [lake-bucket]}", "found a list; allowed: a mapping from names"),
        ("import: {storage.Bucket: {lake-bucket: 5}}", "lake-bucket: found 5; allowed: text"),
        ("imports: {}", "imports: found an unknown key; allowed: import; did you mean 'import'?"),
        ("import: {", "can't be read: line 1"),
    ],
)
def test_a_mistake_is_told_with_its_place(importing: Importing, text: str, said: str):
    with pytest.raises(pulumi.RunError, match=rf"import\.dev\.yaml: .*{said.rstrip('?')}"):
        importing(text)

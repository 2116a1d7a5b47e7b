"""An exported state is read as the engine would have given its resources to a policy."""

import json
from pathlib import Path
from typing import Any

import pytest

from resources.exports import ExportError, deployed, parse, read, resource_of
from resources.properties import (
    MISSING,
    OPAQUE,
    SECRET_SIGNATURE,
    SIGNATURE,
    UNKNOWN,
    forget_unknowns,
    get,
    met_unknowns,
    text,
)

URN = "urn:pulumi:dev::inference::gcp:redis/instance:Instance::cache"
EXPORTED: dict[str, Any] = {
    "urn": URN,
    "type": "gcp:redis/instance:Instance",
    "provider": "urn:pulumi:dev::inference::pulumi:providers:gcp::default::some-id",
    "protect": True,
    "inputs": {"name": "cache"},
    "outputs": {"name": "cache", "host": "10.0.0.3"},
    "propertyDependencies": {"name": ["urn:a"], "network": None},
}


def test_a_resource_has_what_the_cloud_answered():
    found = resource_of(EXPORTED)
    assert (found.type, found.name, found.urn) == (EXPORTED["type"], "cache", URN)
    assert found.props == EXPORTED["outputs"]
    assert found.provider.endswith("::default")
    assert found.protected
    assert found.dependencies == {"name": ("urn:a",)}
    assert resource_of(EXPORTED, "inputs").props == {"name": "cache"}


def test_a_resource_that_was_never_answered_has_what_was_asked_for():
    assert resource_of({**EXPORTED, "outputs": None}).props == EXPORTED["inputs"]


def test_what_a_replacement_leaves_behind_is_not_deployed():
    assert [each.urn for each in deployed([EXPORTED, {**EXPORTED, "delete": True}])] == [URN]


def test_an_encrypted_secret_is_set_and_not_known():
    secret = {SIGNATURE: SECRET_SIGNATURE, "ciphertext": "v1:abc"}
    props = resource_of({**EXPORTED, "outputs": {"password": secret}}).props
    forget_unknowns()
    assert text(props, "password") is UNKNOWN
    assert met_unknowns()


def test_a_secret_exported_in_plain_text_is_its_value():
    secret = {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps({"a": ["b"]})}
    props = resource_of({**EXPORTED, "outputs": {"password": secret}}).props
    assert text(props, "password", "a", 0) == "b"


def test_an_asset_is_opaque():
    asset = {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "1"}
    props = resource_of({**EXPORTED, "outputs": {"content": [asset], "none": None}}).props
    assert get(props, "content", 0) is OPAQUE
    assert get(props, "none") is MISSING


def test_a_checkpoint_and_an_export_hold_the_same():
    deployment: dict[str, Any] = {"manifest": {}, "resources": [EXPORTED]}
    exported = json.dumps({"version": 3, "deployment": deployment})
    checkpoint = json.dumps({"version": 3, "checkpoint": {"latest": deployment}})
    assert parse(exported) == parse(checkpoint) == [EXPORTED]


@pytest.mark.parametrize("content", ["", "[]", '{"checkpoint": {"latest": null}}'])
def test_a_file_that_is_no_state_is_told(content: str, tmp_path: Path):
    file = tmp_path / "state.json"
    file.write_text(content)
    with pytest.raises(ExportError, match="pulumi stack export"):
        read(file)

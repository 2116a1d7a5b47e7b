"""The digests of a stack's images: resolved once at a registry, held, and what runs."""

import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.config_folder import VARIABLE
from config.errors import ConfigError
from config.image_lock import lock_file, locked_digests
from config.load import from_file
from launcher.image_lock import digest_of, lock_images, resolved, write_lock
from launcher.paths import ROOT, StackPaths
from launcher.problem import LaunchError

BUILT = ROOT / ".engine" / "crane" / "crane"
CRANE = shutil.which("crane") or str(BUILT)
needs_crane = pytest.mark.skipif(
    not Path(CRANE).exists(), reason="crane is not there: python3 tools/crane.py"
)
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Serve a registry, crane's own; give its address."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"localhost:{one.getsockname()[1]}"
    served = subprocess.Popen(
        [CRANE, "registry", "serve", "--address", address], stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while subprocess.run([CRANE, "catalog", address], capture_output=True).returncode:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield address
    finally:
        served.kill()
        served.wait()


def put(image: str, content: str, folder: Path) -> None:
    """Push an image with a file."""
    file = folder / "content"
    file.write_text(content)
    with tarfile.open(folder / "layer.tar", "w") as layer:
        layer.add(file, "content")
    line = [CRANE, "append", "--new_layer", str(folder / "layer.tar"), "--new_tag", image]
    subprocess.run(line, check=True, capture_output=True)


@needs_crane
def test_a_tag_is_resolved_once_and_one_that_moves_is_told(registry: str, tmp_path: Path) -> None:
    image, absent = f"{registry}/acme/api:1.0", f"{registry}/acme/other:1.0"
    put(image, "one", tmp_path)
    first, problems = resolved([image, absent], {}, digest_of)
    assert first == {image: digest_of(image)}
    assert [each.partition(":1.0: ")[2][:9] for each in problems] == ["no digest"]
    assert resolved([image], first, digest_of) == (first, [])
    put(image, "two", tmp_path)
    held, problems = resolved([image], first, digest_of)
    assert held == first
    assert f"its tag is now {digest_of(image)}" in problems[0]
    assert first[image] in problems[0]
    # The image that is locked can still be had by its digest.
    assert digest_of(f"{image.rpartition(':')[0]}@{first[image]}") == first[image]


@pytest.fixture
def prod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StackPaths:
    """Give prod in a folder of its own, as an organisation has it."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    shutil.copy(ROOT / "Pulumi.prod.yaml", tmp_path)
    return StackPaths("prod", tmp_path / "Pulumi.prod.yaml", tmp_path / "home")


def test_every_image_of_catalog_and_stack_file_is_locked(
    prod: StackPaths, fakes: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    fakes("crane", digest=f"echo {DIGEST}")
    lock_images(prod)
    locked = locked_digests("prod")
    assert set(locked.values()) == {DIGEST}
    assert "registry.k8s.io/gateway-api-inference-extension/epp:v1.5.0" in locked
    services = from_file(prod.config).service_images
    assert {*services} <= locked.keys()
    assert "sup-image-digest: mandatory" in capsys.readouterr().out
    # What the stack has no more goes; what it has goes out by its digest.
    write_lock(lock_file("prod"), "prod", {**locked, "acme/old:1": DIGEST})
    lock_images(prod)
    assert locked_digests("prod") == locked
    assert from_file(prod.config).pinned(services[0]) == f"{services[0]}@{DIGEST}"


def test_what_no_registry_has_is_told_with_the_way_on(
    prod: StackPaths, fakes: Callable[..., Path]
) -> None:
    fakes("crane", digest="echo Error: MANIFEST_UNKNOWN >&2; exit 1")
    with pytest.raises(LaunchError, match=r"llm-backend:1.0.0: no digest, MANIFEST.*make images"):
        lock_images(prod)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("images: {a: sha256:1}", r"images.a: found 'sha256:1'; allowed: sha256: and 64"),
        ("[]", r"allowed: images: by name, digests; write it anew: `make lock-images`"),
        ("images: {a: b, a: c}", "broken YAML"),
    ],
)
def test_a_broken_lock_is_refused_with_its_name(prod: StackPaths, text: str, says: str) -> None:
    lock_file("prod").write_text(text)
    with pytest.raises(ConfigError, match=rf"^images.prod.lock.yaml: .*{says}"):
        from_file(prod.config)

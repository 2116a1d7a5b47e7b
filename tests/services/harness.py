"""Runs a service as its image does, and talks to it."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from emulator.runtime.images import command_of

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "services"
_START_SECONDS = 60
_LISTENING = re.compile(r"running on http://127\.0\.0\.1:(\d+)")


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Service:
    """A running service; its log is read as it comes."""

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self.port = 0
        self.log: list[dict[str, Any]] = []
        self.process = subprocess.Popen(
            command_of(name),
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONUNBUFFERED": "1",
                "HOST": "127.0.0.1",
                "GOOGLE_CLOUD_PROJECT": "acme",
                "PORT": "0",  # any free one; the log says which
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def url(self) -> str:
        """Known once it is ready."""
        return f"http://127.0.0.1:{self.port}"

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"severity": "NOT JSON", "message": line})

    def wait_until_ready(self) -> "Service":
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in list(self.log):
                if listening := _LISTENING.search(str(line["message"])):
                    self.port = int(listening[1])
                    assert httpx.get(f"{self.url}/readyz").is_success
                    return self
            time.sleep(0.02)
        raise AssertionError(f"the service did not start: {self.log}")

    def requests(self, status: int | None = None) -> list[dict[str, Any]]:
        """Log lines of requests."""
        return [
            line
            for line in list(self.log)
            if "httpRequest" in line and status in (None, line["httpRequest"]["status"])
        ]

    def begun(self) -> list[dict[str, Any]]:
        """Log lines of POST requests taken up, with LOG_LEVEL=DEBUG."""
        begins = ("POST / begins", "POST /v1/chat begins")
        return [line for line in list(self.log) if line["message"] in begins]

    def wait_for_log(self, **fields: Any) -> dict[str, Any]:
        """Return the first line with the given fields."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            for line in list(self.log):
                if fields.items() <= line.items():
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no line with {fields} in {self.log}")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Return the exit code, when it has stopped and its log is read."""
        code = self.process.wait(_START_SECONDS)
        self._reader.join(_START_SECONDS)
        return code

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

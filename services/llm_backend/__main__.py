"""Starts the service; what the image runs."""

import sys

from services.common.server import serve
from services.llm_backend.app import build
from services.llm_backend.settings import Settings

sys.exit(serve("llm-backend", Settings, build))

"""Starts the service; what the image runs."""

import sys

from services.common.server import serve
from services.sentiment_analyzer.app import build
from services.sentiment_analyzer.settings import Settings

sys.exit(serve("sentiment-analyzer", Settings, build))

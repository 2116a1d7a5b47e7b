"""Starts the service; what the image runs."""

import sys

from services.common.server import serve
from services.sentiment_trainer.app import build
from services.sentiment_trainer.settings import Settings

sys.exit(serve("sentiment-trainer", Settings, build))

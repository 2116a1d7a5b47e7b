"""Runs one task of a batch; what the image runs."""

import sys

from services.batch_inference.run import main

sys.exit(main())

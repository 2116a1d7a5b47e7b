"""`python -m request_path --stack prod --model qwen3-4b`: explain a request."""

import sys

from request_path.cli import main

sys.exit(main())

"""`python -m launcher up --stack dev`: the launcher."""

import sys

from launcher.cli import main

sys.exit(main())

"""`python -m sandbox up --stack dev`: the launcher."""

import sys

from sandbox.launcher.cli import main

sys.exit(main())

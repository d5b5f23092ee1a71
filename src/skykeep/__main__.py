"""`python -m skykeep`."""

import sys

from skykeep.cli import main

sys.exit(main())

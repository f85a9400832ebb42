"""`python -m hearing` is the `hearing` command."""

import sys

from hearing.cli import main

sys.exit(main())

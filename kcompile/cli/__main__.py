"""`python -m kcompile.cli` is the command `kcompile`."""

import sys

from kcompile.cli import main

sys.exit(main())

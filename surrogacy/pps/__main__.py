"""Command line: ``python -m surrogacy.pps``."""

from __future__ import annotations

import gc
import sys

from surrogacy.cli.pps import main

if __name__ == "__main__":
    gc.disable()  # a run takes seconds and frees little memory
    sys.exit(main())

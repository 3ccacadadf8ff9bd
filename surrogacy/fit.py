"""Command line: ``python -m surrogacy.fit [SET ...]``."""

from __future__ import annotations

import gc
import sys

from surrogacy.cli.fit import main

if __name__ == "__main__":
    gc.disable()  # a run takes seconds and frees little memory
    sys.exit(main())

"""``python -m pfactor_bench``."""

from __future__ import annotations

import sys

from pfactor_bench.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

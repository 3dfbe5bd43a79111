"""``python -m pfactor_bench.checks > docs/checks.md`` writes the catalogue as a page."""

from __future__ import annotations

import sys

from pfactor_bench.checks import catalogue
from pfactor_bench.checks.engine.catalogue import catalogue_page

if __name__ == "__main__":
    sys.stdout.write(catalogue_page(catalogue()))

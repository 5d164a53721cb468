"""python -m tests.benchmarks [derive] [numeric] [scalar] [startup] [--slow]: the table of ratios in Markdown.

Peers (casadi, torch) come with `pip install '.[bench]'`.  One BLAS thread is asked for before NumPy is imported.
"""

from __future__ import annotations

import os
import sys

for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_variable] = "1"


def main() -> None:
    from importlib import import_module

    from tests.benchmarks.timing import HEAD

    chosen = [a for a in sys.argv[1:] if not a.startswith("-")] or ["derive", "numeric", "scalar", "startup"]
    print(HEAD, flush=True)
    for name in chosen:
        options = {"slow": True} if name == "derive" and "--slow" in sys.argv else {}
        for row in import_module(f"tests.benchmarks.bench_{name}").rows(**options):
            print(row, flush=True)


if __name__ == "__main__":
    main()

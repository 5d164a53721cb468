"""Start-up, each in a fresh process: `--help` against Python itself, one solved problem against `import sympy`.

Bytecode is written, as pip does when it installs: else half a second goes into compiling the sources.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from tests.benchmarks.timing import Row

ROOT = Path(__file__).parents[2]


def once(*arguments: str) -> float:
    start = perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, env={**environment, "PYTHONPATH": str(ROOT)})
    return perf_counter() - start


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as out:
        sides = {
            "bare": ("-c", "pass"), "sympy": ("-c", "import sympy"), "help": ("-m", "symgrad", "--help"),
            "solve": ("-m", "symgrad", "solve", "problems/residual-mlp.toml", "--out", out, "--format", "markdown"),
            "all": ("-m", "symgrad", "solve", "problems/residual-mlp.toml", "--out", out),
        }
        times = dict.fromkeys(sides, float("inf"))
        for _ in range(7):
            for name, arguments in sides.items():
                times[name] = min(times[name], once(*arguments))
    yield Row("`symgrad --help`", "`python -c pass`", times["help"], times["bare"])
    yield Row("`symgrad solve` of one problem, Markdown", "`import sympy`", times["solve"], times["sympy"], "2")
    yield Row("`symgrad solve` of one problem, all formats and views", "`import sympy`", times["all"], times["sympy"], "2 + rendering")

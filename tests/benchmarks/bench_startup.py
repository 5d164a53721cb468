"""Start-up, each in a fresh process: `--help` against Python itself, one solved problem against `import sympy`.

CPU time of the process, with all byte code written in a first round that is not counted.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.timing import Row

ROOT = Path(__file__).parents[2]


ENVIRONMENT = {**{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}, "PYTHONPATH": str(ROOT)}


def once(*arguments: str) -> float:
    """The CPU time of one process, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, env=ENVIRONMENT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as out:
        sides = {
            "bare": ("-c", "pass"), "sympy": ("-c", "import sympy"), "help": ("-m", "symgrad", "--help"),
            "solve": ("-m", "symgrad", "solve", "problems/residual-mlp.toml", "--out", out, "--format", "markdown"),
            "all": ("-m", "symgrad", "solve", "problems/residual-mlp.toml", "--out", out),
        }
        for arguments in sides.values():
            once(*arguments)
        times = dict.fromkeys(sides, float("inf"))
        for _ in range(9):
            for name, arguments in sides.items():
                times[name] = min(times[name], once(*arguments))
    yield Row("`symgrad --help`", "`python -c pass`", times["help"], times["bare"])
    yield Row("`symgrad solve` of one problem, Markdown", "`import sympy`", times["solve"], times["sympy"], "2")
    yield Row("`symgrad solve` of one problem, all formats and views", "`import sympy`", times["all"], times["sympy"], "2 + rendering")

"""Interleaved timing: every side once a round, the least time of all rounds, the garbage collector off inside a sample.

Medians jump when another process shares the core; the best rounds agree within a few percent.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, our time, the other side's, and what the ratio should be at most."""

    what: str
    against: str
    ours: float  # seconds
    theirs: float
    goal: str = ""

    def __str__(self) -> str:
        return f"| {self.what} | {say(self.ours)} | {self.against} | {say(self.theirs)} | {self.ours / self.theirs:.3g} | {self.goal} |"


HEAD = "| what | symgrad | against | its time | ratio | goal |\n|---|---:|---|---:|---:|---|"


def say(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def best(sides: list[Callable[[], object]], seconds: float = 2.0, rounds: int = 25) -> list[float]:
    """The least time a call of each side, in seconds."""
    repeats = []
    for side in sides:
        side()
        start = perf_counter()
        side()
        once = max(perf_counter() - start, 1e-7)
        repeats.append(max(1, min(5000, int(seconds / rounds / len(sides) / once))))
    times = [float("inf")] * len(sides)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for i, side in enumerate(sides):
                start = perf_counter()
                for _ in range(repeats[i]):
                    side()
                times[i] = min(times[i], (perf_counter() - start) / repeats[i])
            gc.collect()
    finally:
        gc.enable()
    return times

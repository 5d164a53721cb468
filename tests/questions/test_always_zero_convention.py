"""150 random ReLU nets with random facts and a convention at kinks: every question is decided, none wrongly."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from tests.questions.net_cases import examine


def test_no_wrong_answer_with_a_convention() -> None:
    counts: Counter[str] = Counter()
    for seed in range(150):
        counts += examine(300_000 + seed, (Fraction(0), Fraction(1), Fraction(1, 2))[seed % 3])
    assert counts["yes"] >= 100 and counts["no"] >= 450 and counts["contradictory"] >= 10, counts
    assert counts["undecided at a kink"] == 0, counts

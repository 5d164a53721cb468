"""150 random ReLU nets with random facts, no convention at kinks: YES attacked at 10,000 points each, NO evaluated exactly."""

from __future__ import annotations

from collections import Counter

from tests.questions.net_cases import examine


def test_no_wrong_answer_for_any_slope_at_kinks() -> None:
    """YES is attacked with slopes 0, 1/2, 1 and 7 at kinks; what stays undecided does so at a kink, and is counted."""
    counts: Counter[str] = Counter()
    for seed in range(150):
        counts += examine(200_000 + seed, None)
    assert counts["yes"] >= 100 and counts["no"] >= 450 and counts["contradictory"] >= 10, counts
    assert counts["undecided at a kink"] <= 30, counts

"""Patterns with equal sums together: symmetric properties of many inputs, and the first wrong input."""

from __future__ import annotations

import pytest

from symgrad.solvers.counting import disagreement
from symgrad.solvers.linear import Undecided
from tests.threshold_oracle import network, wanted


def test_majority_of_sixty_four() -> None:
    assert disagreement(network(([[1] * 64], [-33])), wanted("majority of x1..x64", 64, "booleans"), True) is None
    wrong = disagreement(network(([[1] * 64], [-32])), wanted("majority of x1..x64", 64, "booleans"), True)
    assert wrong is not None and len(wrong) == 32


def test_the_wrong_input_with_the_fewest_ones() -> None:
    net = network(([[1] * 4, [1] * 4], [-2, -4]), ([[1, -1]], [-1]))
    assert disagreement(net, wanted("exactly 2 of x1..x4", 4, "booleans"), True) == (1, 2, 3)


def test_too_many_sums_are_undecided() -> None:
    net = network(([[2**k for k in range(20)]], [-1000]))
    with pytest.raises(Undecided, match="different sums"):
        disagreement(net, wanted("x1", 20, "booleans"), True, 1000)

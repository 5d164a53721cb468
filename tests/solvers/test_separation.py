"""Points that no parameters serve: found where none exist, not found where some do."""

from __future__ import annotations

import pytest

from symgrad.language.problem import FindParameters
from symgrad.solvers.separation import separation
from tests.equivalents import CASES, NONE, Case


def found(case: Case) -> object:
    problem = case.problem()
    ask = problem.parts[0].ask
    assert isinstance(ask, FindParameters)
    return separation(problem, ask, frozenset(ask.permutations), frozenset(ask.signs))


@pytest.mark.parametrize("name", NONE)
def test_found(name: str) -> None:
    result = found(NONE[name])
    assert isinstance(result, tuple)
    points, multipliers = result
    assert len(points) == len(multipliers) > 0 and all(m != 0 for m in multipliers)


@pytest.mark.parametrize("name", ["relu turned"])
def test_two_inputs_that_look_alike_come_first(name: str) -> None:
    result = found(NONE[name])
    assert isinstance(result, tuple) and result[1] == (1, -1)


@pytest.mark.parametrize("name", ["linear layers collapse", "signs turned as given", "units permuted", "all prescribed", "normalisation folded in",
                                  "relu turned, with a skip", "units permuted by numbers", "signs of some units"])
def test_not_found_where_parameters_exist(name: str) -> None:
    assert found(CASES[name]) is None

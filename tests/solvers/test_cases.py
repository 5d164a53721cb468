"""Networks decided by cases: the cost grows with the units, wrong networks get exact witnesses."""

from __future__ import annotations

import time

import pytest

from symgrad.language.threshold import Cases, Clash
from symgrad.solvers import cases
from symgrad.solvers.cases import Wrong, decide
from symgrad.solvers.counterexample import simplest
from symgrad.solvers.linear import Undecided
from tests.threshold_oracle import network, run, wanted


def differences(n: int, sign: int = 1) -> list[list[object]]:
    return [[sign if j == i else -sign if j == i + 1 else 0 for j in range(n)] for i in range(n - 1)]


def order(n: int) -> str:
    return f"x1 > x2 > ... > x{n}" if n > 3 else " > ".join(f"x{i}" for i in range(1, n + 1))


def ordering(n: int, **change: object) -> tuple:  # type: ignore[type-arg]
    rows, biases = differences(n, -1), [0] * (n - 1)
    if "weight" in change:
        rows[1][1] = change["weight"]
    return network((rows, [*biases[:-1], change.get("bias", 0)]), ([[-1] * (n - 1)], [0]))


def test_the_proof_grows_with_the_units() -> None:
    sizes = []
    for n in (4, 8, 16, 32, 64):
        found = decide(ordering(n), wanted(order(n), n), True)
        assert isinstance(found, Cases)
        sizes.append(len(found.branches))
    assert sizes == [7, 15, 31, 63, 127]


def test_sixty_four_inputs_in_seconds() -> None:
    start = time.process_time()
    assert isinstance(decide(ordering(64), wanted(order(64), 64), True), Cases)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("n", [4, 5, 16])
@pytest.mark.parametrize("change", [{"bias": "0.001"}, {"weight": "-1.0000001"}, {"bias": "-0.001"}], ids=str)
def test_near_misses(n: int, change: dict[str, object]) -> None:
    net, want = ordering(n, **change), wanted(order(n), n)
    found = decide(net, want, True)
    assert isinstance(found, Wrong)
    for point in (*found.points, simplest(net, want, found)):
        assert run(net, point) != [int(all(a > b for a, b in zip(point, point[1:], strict=False)))]


@pytest.mark.parametrize("n", [3, 4, 5, 16, 64])
def test_a_mistake_at_ties_is_shown_by_one_tie(n: int) -> None:
    net, want = network((differences(n), [0] * (n - 1)), ([[1] * (n - 1)], [1 - n])), wanted(order(n), n)
    found = decide(net, want, True)
    assert isinstance(found, Wrong)
    point = simplest(net, want, found)
    steps = [a - b for a, b in zip(point, point[1:], strict=False)]
    assert sorted(steps)[:2] == [0, 1]
    assert min(point) == 0 and all(x.denominator == 1 for x in point)
    assert run(net, point) == [1]


def test_a_mistake_without_ties_is_shown_without_one() -> None:
    net, want = network((differences(5), [0] * 4), ([[-1] * 4], [0])), wanted(order(5), 5)
    found = decide(net, want, True)
    assert isinstance(found, Wrong)
    assert simplest(net, want, found) == (0, 1, 2, 3, 4)


def test_units_that_follow_from_others_need_multipliers() -> None:
    net = network(([[-1, 1, 0], [0, -1, 1], [-1, 0, 1]], [0, 0, 0]), ([[-1, -1, -1]], [0]))
    found = decide(net, wanted("x1 > x2 > x3", 3), True)
    assert isinstance(found, Cases)
    assert any(isinstance(b, Clash) and len(b.multipliers) == 3 for b in found.branches)


def test_whole_inputs_that_fractions_would_spoil() -> None:
    """2 x1 - 2 x2 = 1 has no whole solution: found by a split on a coordinate, not by multipliers alone."""
    net = network(([[3, 5, 0], [-3, -5, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], [-7, 7, 0, 2, 0, 2]), ([[1] * 6], [-6]))
    found = decide(net, wanted("false", 3, "integers"), True)
    assert isinstance(found, Cases) and found.extra


def test_a_bound_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "MAX_BRANCHES", 3)
    with pytest.raises(Undecided, match="nothing was shown"):
        decide(ordering(16), wanted(order(16), 16), True)

"""Properties as text: what they mean at points, and what is refused with which words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from random import Random

import pytest
from sympy import Rational

from symgrad.language.errors import SpecError
from symgrad.language.sums import truth
from symgrad.language.threshold import Domain, Formula, Point, atoms
from symgrad.language.wording import plain, spell
from symgrad.reader.properties import MAX_DEPTH, read_property
from symgrad.reader.tokens import Inputs
from tests.threshold_oracle import grid, random_property


def at(f: Formula, x: Sequence[object]) -> bool:
    return truth(f, Point(tuple(Rational(str(v)) for v in x)))


def read(text: str, domain: str = "reals", count: int | None = None) -> Formula:
    return read_property(text, Inputs(None, count), Domain(domain))


MEANINGS: list[tuple[str, str, int, Callable[[Sequence[int]], bool]]] = [
    ("y = 1 iff x1 > x2 > x3", "reals", 3, lambda x: x[0] > x[1] > x[2]),
    ("y=0 iff x1 > x2", "reals", 2, lambda x: not x[0] > x[1]),
    ("output is 1 exactly when x1 < x2 <= x3", "reals", 3, lambda x: x[0] < x[1] <= x[2]),
    ("x1 > x2 > ... > x4", "reals", 4, lambda x: x[0] > x[1] > x[2] > x[3]),
    ("x4 < ... < x1", "reals", 4, lambda x: x[0] > x[1] > x[2] > x[3]),
    ("x1 + x2 >= 1", "reals", 2, lambda x: x[0] + x[1] >= 1),
    ("x1 + x2 + ... + x4 = 2", "reals", 4, lambda x: sum(x) == 2),
    ("2 x1 - x2/2 != 1/2", "reals", 2, lambda x: 2 * x[0] - Fraction(x[1], 2) != Fraction(1, 2)),
    ("-x1 < 0.5 * (x2 - 1)", "reals", 2, lambda x: -x[0] < Fraction(x[1] - 1, 2)),
    ("|x1 - x2| <= 1", "reals", 2, lambda x: abs(x[0] - x[1]) <= 1),
    ("abs(x1) > 1", "reals", 1, lambda x: abs(x[0]) > 1),
    ("x1 >= max(x2..x4)", "reals", 4, lambda x: x[0] >= max(x[1:])),
    ("min(x1, x2) = 0", "reals", 2, lambda x: min(x) == 0),
    ("max(x1, x2) != 1", "reals", 2, lambda x: max(x) != 1),
    ("x1 = max(x1, x2, x3)", "reals", 3, lambda x: x[0] == max(x)),
    ("min(x1, x2, x3) < x2", "reals", 3, lambda x: min(x) < x[1]),
    ("x1 != max(x1..x3)", "reals", 3, lambda x: x[0] != max(x)),
    ("max(x1, x1 - 1) <= x1", "reals", 1, lambda x: True),
    ("all inputs distinct", "reals", 3, lambda x: len(set(x)) == 3),
    ("distinct(x1, x3)", "reals", 3, lambda x: x[0] != x[2]),
    ("sum(x1..x3) > 2", "reals", 3, lambda x: sum(x) > 2),
    ("exactly 1 of x1..x3 > 0", "reals", 3, lambda x: sum(v > 0 for v in x) == 1),
    ("at least 2 of (x1 > x2, x2 > x3, x3 > x1)", "reals", 3, lambda x: (x[0] > x[1]) + (x[1] > x[2]) + (x[2] > x[0]) >= 2),
    ("x1 > x2 and x3 > x4 and ... and x5 > x6", "reals", 6, lambda x: x[0] > x[1] and x[2] > x[3] and x[4] > x[5]),
    ("(x1 > 0) implies (x2 > 0)", "reals", 2, lambda x: x[0] <= 0 or x[1] > 0),
    ("x1 ≥ 0 ∧ ¬ x2 ≥ 0", "reals", 2, lambda x: x[0] >= 0 and not x[1] >= 0),
    ("x[1] > x_2", "reals", 2, lambda x: x[0] > x[1]),
    ("x1 xor x2", "booleans", 2, lambda x: x[0] != x[1]),
    ("x1 xor x2 xor x3", "booleans", 3, lambda x: sum(x) % 2 == 1),
    ("exactly 2 of x1..x4", "booleans", 4, lambda x: sum(x) == 2),
    ("exactly 0 or 3 of x1..x4", "booleans", 4, lambda x: sum(x) in (0, 3)),
    ("at most 1 of x1, x3, x4", "booleans", 4, lambda x: x[0] + x[2] + x[3] <= 1),
    ("majority of x1..x5", "booleans", 5, lambda x: sum(x) >= 3),
    ("an odd number of x1..x3", "booleans", 3, lambda x: sum(x) % 2 == 1),
    ("parity of x1..x3", "booleans", 3, lambda x: sum(x) % 2 == 1),
    ("an even number of x1..x3", "booleans", 3, lambda x: sum(x) % 2 == 0),
    ("none of x1..x3", "booleans", 3, lambda x: not any(x)),
    ("all of x1..x3 or none of x1, x2", "booleans", 3, lambda x: all(x) or not (x[0] or x[1])),
    ("x1 and not x2", "booleans", 2, lambda x: bool(x[0] and not x[1])),
    ("x1 and x2 and ... and x4", "booleans", 4, lambda x: all(x)),
    ("(x1 or x2) iff (x3 and x4)", "booleans", 4, lambda x: bool(x[0] or x[1]) == bool(x[2] and x[3])),
    ("x1 => x2", "booleans", 2, lambda x: bool(not x[0] or x[1])),
    ("x1 + x2 + x3 >= 2", "booleans", 3, lambda x: sum(x) >= 2),
    ("x1 = 0 or true", "booleans", 1, lambda x: True),
]


@pytest.mark.parametrize(("text", "domain", "n", "meaning"), MEANINGS, ids=[m[0] for m in MEANINGS])
def test_meaning(text: str, domain: str, n: int, meaning: Callable[[Sequence[int]], bool]) -> None:
    f = read(text, domain, n)
    points = product((0, 1), repeat=n) if domain == "booleans" else product((-1, 0, 1, 2), repeat=n) if n <= 4 else product((0, 1), repeat=n)
    assert all(at(f, x) == meaning(x) for x in points)


def test_random_properties_mean_what_they_say_and_survive_being_spelled() -> None:
    random = Random(3)
    for _ in range(150):
        domain, n = random.choice(["reals", "integers", "booleans"]), random.randint(1, 3)
        text, meaning = random_property(random, n, domain)
        f = read(text, domain, n)
        again = read(spell(f, plain([f"x{i}" for i in range(1, n + 1)], domain == "booleans")), domain, n)
        for x in random.sample(grid(n, domain), min(40, len(grid(n, domain)))):
            assert at(f, x) == meaning(x), (text, x)
            assert at(again, x) == meaning(x), (text, x)


REFUSED = [
    ("x1", "reals", "compare it with something (> 0), or set domain = \"booleans\""),
    ("x1 + x2", "booleans", "a number is not a statement"),
    ("x1 * x2 > 0", "reals", "not linear"),
    ("x1^2 > 0", "reals", "not linear"),
    ("x1 > 1/x2", "reals", "a division by an input"),
    ("x1 or x2 xor x3", "booleans", "more than one way"),
    ("x1 > x2 >", "reals", "the text ends after"),
    ("x1, x2", "booleans", "found ','"),
    ("exactly 5 of x1..x4", "booleans", "5 of a list of 4"),
    ("x1 > ... < x3", "reals", "between two equal relations"),
    ("x1, x2, ..., x2 > 0", "reals", "found ','"),
    ("exactly 1 of x1, x3, ..., x8", "booleans", "differ by whole steps"),
    ("x1 > y2", "reals", "unknown name y2"),
    ("x1 > max(x2, x3) + 1", "reals", "a sum takes numbers"),
    ("max(x1, x2) > max(x3, x4)", "reals", "one side of a comparison only"),
    ("x1 > 0 ; import os", "reals", "cannot read '; import os'"),
    ("__class__ > 0", "reals", "cannot read"),
    ("x0 > 1", "reals", "the inputs are x1.."),
    ("", "reals", "the text ends"),
    ("x1 > 1e9", "reals", "unknown name e9"),
]


@pytest.mark.parametrize(("text", "domain", "words"), REFUSED, ids=[r[0] or "empty" for r in REFUSED])
def test_refused_with_reason(text: str, domain: str, words: str) -> None:
    with pytest.raises(SpecError) as error:
        read(text, domain)
    assert words in str(error.value)


def test_too_much_is_refused() -> None:
    deep = "(" * (MAX_DEPTH + 5) + "x1 > 0"
    for text in (deep, "not " * 200 + "x1 > 0", "x1 > 0 and " * 3000 + "x1 > 0", "distinct(x1..x900)", "x1 > " + "9" * 100):
        with pytest.raises(SpecError):
            read(text)


def test_inputs_with_names_of_their_own() -> None:
    f = read_property("a > b >= c", Inputs(["a", "b", "c"], 3), Domain.REALS)
    assert at(f, (2, 1, 1))
    assert not at(f, (1, 1, 1))
    assert at(read_property("x > y", Inputs(["x", "y"], 2), Domain.REALS), (1, 0))


def test_a_long_chain_has_a_comparison_a_step() -> None:
    assert len(atoms(read("x1 > x2 > ... > x64"))) == 63

"""ask = "fill" from the problem to verified claims, against trying everything in plain Python."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from symgrad.check.checker import Checker, unanswered
from symgrad.language.claims import Classes, Conflict, Fits, Sieve
from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.problem import Problem
from symgrad.language.steps import Derivation, Ground
from symgrad.questions.fill import derive_fill, filled
from symgrad.reader.read import read, read_text
from tests.fill_problems import CASES, FIRST, FIVE, Case, at

SEED = Path(__file__).parent.parent.parent / "problems" / "fill-in-classifiers.toml"


def derived(case: Case) -> tuple[Problem, Derivation]:
    """The derivation with every claim proved and the part answered."""
    problem, ask = case.problem()
    derivation = derive_fill(problem, "a", ask)
    verify(problem, derivation)
    return problem, derivation


def verify(problem: Problem, derivation: Derivation) -> None:
    checker = Checker(problem)
    steps = list(derivation.all_steps())
    for step in steps:
        verdict = checker.check(step.claim)
        assert verdict.ground is Ground.PROVED, (step.claim, verdict)
    part = next(p for p in problem.parts if p.label == derivation.part)
    assert unanswered(problem, part, tuple(s.claim for s in steps)) == ()


def classes_of(derivation: Derivation) -> list[list[tuple[int, ...]]]:
    return [[list(map(tuple, g)) for g in s.claim.classes] for s in derivation.steps if isinstance(s.claim, Classes)][0] if any(  # type: ignore[misc]
        isinstance(s.claim, Classes) for s in derivation.steps) else []


def against_brute_force(case: Case) -> None:
    problem, derivation = derived(case)
    groups = classes_of(derivation)
    assert {c for g in groups for c in g} == case.valid()
    for group in groups:
        assert all(case.same(group[0], c) for c in group[1:])
    for a, b in itertools.combinations([g[0] for g in groups], 2):
        assert not case.same(a, b)
    count = next(a for a in derivation.answers if a.label == "")
    assert count.right.expr == len(case.valid())  # type: ignore[union-attr]
    conflicts = [s.claim for s in derivation.steps if isinstance(s.claim, Conflict)]
    assert bool(conflicts) == (not case.valid())
    for conflict in conflicts:
        check_conflict(case, conflict)


def check_conflict(case: Case, conflict: Conflict) -> None:
    """No combination is right at all of the set; for every smaller set of the data, one is."""
    table = [[case.right(case.value(c, tuple(map(Fraction, place))), label) for place, label in case.points] for c in case.all()]
    assert not any(all(row[k - 1] for k in conflict.of) for row in table)
    assert conflict.smallest
    for size in range(len(conflict.of)):
        for group in itertools.combinations(range(len(case.points)), size):
            assert any(all(row[k] for k in group) for row in table)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_against_trying_everything(case: Case) -> None:
    against_brute_force(case)


def random_case(number: int) -> Case:
    """A template, choices and data at random; ties are common, since all numbers are small."""
    random = Random(number)
    shapes = (FIRST, "{i} - max({ii} + {iii}, {iv})", "abs({i} + {ii}) - {iii}", "min({i}, {ii}) + {iii}", "relu({i}) - relu({ii}) + {iii}",
              "{i} * {ii} - {iii}", "max({i}, max({ii}, {iii})) - abs({iv})", "step({i}) - step({ii}) + {iii}", "{i}^2 - {ii}",
              "2 * {i} - 1/2 * max({ii}, {iii})")
    template = random.choice(shapes)
    names = sorted(set(FIVE) & {name for name in ("i", "ii", "iii", "iv", "v") if f"{{{name}}}" in template})
    offers = ["x1", "-x1", "x2", "-x2", "0", "1", "-1", "x1 + x2", "x1 - x2", "1/2", "2 * x1", "x2 - 1"]
    slots = {name: random.sample(offers, random.randint(2, 3)) for name in names}
    points = [((str(random.randint(-2, 2)), random.choice(("-3/2", "-1", "0", "1/2", "1", "2"))), random.choice("ab"))
              for _ in range(random.randint(1, 7))]
    points[0] = (points[0][0], "a")
    return Case(f"random {number}", template, slots, points, decision=random.choice((">= 0", "> 0")))


@pytest.mark.parametrize("start", range(0, 120, 10))
def test_random_templates_against_trying_everything(start: int) -> None:
    for number in range(start, start + 10):
        against_brute_force(random_case(number))


# ---- the source's two templates, and one with no answer -----------------------------------------------------------------


def test_the_source_has_two_and_four_solutions_and_each_set_is_one_function() -> None:
    problem, _ = read(SEED)
    found = {}
    for part in problem.parts:
        derivation = derive_fill(problem, part.label, part.ask)  # type: ignore[arg-type]
        verify(problem, derivation)
        found[part.label] = [[part.ask.entries(c) for c in g] for g in classes_of(derivation)]  # type: ignore[union-attr]
    (a,), (b,), c = found["a"], found["b"], found["c"]
    assert [tuple(map(str, x)) for x in a] == [("x1", "0", "-x1", "0", "-1"), ("-x1", "0", "x1", "0", "-1")]
    assert {tuple(map(str, x)) for x in b} == {
        ("x2", "x1", "0", "-x1", "0"), ("x2", "-x1", "0", "x1", "0"), ("0", "x1", "-x2", "-x1", "-x2"), ("0", "-x1", "-x2", "x1", "-x2")}
    assert c == []


# ---- regions ------------------------------------------------------------------------------------------------------------

STRIP = [("x1 >= 1", "a"), ("x1 <= -1", "a"), ("-1 < x1 < 1", "b")]


def grid_valid(case: Case) -> set[tuple[int, ...]]:
    """Valid at every point of a fine grid of the regions (their borders are on the grid): what no region proof may fall short of."""
    line = [Fraction(k, 4) for k in range(-16, 17)]
    inside = {
        "x1 >= 1": lambda x, y: x >= 1, "x1 <= -1": lambda x, y: x <= -1, "-1 < x1 < 1": lambda x, y: -1 < x < 1,
        "x1 + x2 > 0": lambda x, y: x + y > 0, "x1 + x2 <= -1": lambda x, y: x + y <= -1,
        "x2 = 1/2 and x1 >= 0": lambda x, y: y == Fraction(1, 2) and x >= 0,
        "0 <= x1 <= 1, 0 <= x2 <= 1": lambda x, y: 0 <= x <= 1 and 0 <= y <= 1, "2*x1 - x2 >= 3": lambda x, y: 2 * x - y >= 3,
    }
    return {c for c in case.valid() if all(case.right(case.value(c, (x, y)), label) for where, label in case.regions
                                           for x in line for y in line if inside[where](x, y))}


@pytest.mark.parametrize("regions", [
    STRIP, [("x1 + x2 > 0", "a"), ("x1 + x2 <= -1", "b")], [("x2 = 1/2 and x1 >= 0", "a")], [("0 <= x1 <= 1, 0 <= x2 <= 1", "b")],
    [("2*x1 - x2 >= 3", "b"), ("0 <= x1 <= 1, 0 <= x2 <= 1", "a")],
], ids=str)
def test_regions_against_a_grid(regions: list[tuple[str, str]]) -> None:
    slots = {"i": ["x1", "-x1", "0"], "ii": ["x2", "0"], "iii": ["x1", "-x1"], "v": ["1", "-1", "0"]}
    case = Case("regions", "max({i} + {ii}, {iii}) + {v}", slots, at(("0 7", "a")) if "a" not in {label for _, label in regions} else [], regions)
    _, derivation = derived(case)
    assert {c for g in classes_of(derivation) for c in g} == grid_valid(case)


def test_a_region_decides_what_points_do_not() -> None:
    """max(x1, -x1) - 1 and 1 - max(..) agree at a point; the strip between tells them apart, and its open border matters."""
    _, derivation = derived(Case("strip", FIRST, FIVE, [], STRIP))
    assert [len(g) for g in classes_of(derivation)] == [2]
    _, closed = derived(Case("closed strip", FIRST, FIVE, [], [*STRIP[:2], ("-1 <= x1 <= 1", "b")]))
    assert classes_of(closed) == []
    conflict = next(s.claim for s in closed.steps if isinstance(s.claim, Conflict))
    assert not conflict.smallest


def test_an_empty_region_is_the_problem_files_mistake() -> None:
    problem, ask = Case("empty", FIRST, FIVE, [], [("x1 > 1 and x1 < 0", "a")]).problem()
    with pytest.raises(SpecError, match="region 1, labelled a, holds no point"):
        derive_fill(problem, "a", ask)


def test_a_region_with_a_curved_function_is_unsupported_and_says_so() -> None:
    problem, ask = Case("curved", "{a}^2 - x2", {"a": ["x1", "x2"]}, [], [("x1 >= 1", "a")]).problem()
    with pytest.raises(Unsupported, match="not piecewise linear"):
        derive_fill(problem, "a", ask)


# ---- what is not rational, what is not defined, what is too much -----------------------------------------------------------


def test_values_that_are_not_rational_are_rounded_and_ties_exact() -> None:
    """sigmoid(0) = 1/2 exactly: the point on the border is decided, not sampled."""
    case = Case("sigmoid", "sigmoid({a} + {b}) - {c}", {"a": ["x1", "2*x1"], "b": ["x2", "-x2"], "c": ["1/2", "3/4"]},
                at(("0 0", "a"), ("1 1", "a"), ("-1 1/2", "b"), ("1 -2", "a")))
    _, derivation = derived(case)
    assert {c for g in classes_of(derivation) for c in g} == {(0, 1, 0), (1, 0, 0), (1, 1, 0)}
    strict = Case("strict", case.template, case.slots, case.points, decision="> 0")
    _, derivation = derived(strict)
    assert classes_of(derivation) == []


def test_where_f_has_no_value_it_has_no_sign() -> None:
    for template in ("log({a}) + {b}", "1/{a} + {b}"):
        _, derivation = derived(Case("partial", template, {"a": ["x1", "x2"], "b": ["1", "0"]}, at(("0 1", "a"))))
        assert {c for g in classes_of(derivation) for c in g} == {(1, 0), (1, 1)}


def test_more_than_can_be_listed_is_unsupported() -> None:
    many = {k: [str(n) for n in range(15)] for k in ("p", "q", "r")}
    problem, ask = Case("many", "{p} + {q} + {r} + x1", many, at(("1 1", "a"))).problem()
    with pytest.raises(Unsupported, match="3375 combinations are right at all points"):
        derive_fill(problem, "a", ask)


def test_the_same_problem_gives_the_same_claims() -> None:
    case = Case("strip", FIRST, FIVE, at(("0 0", "b")), STRIP)
    assert [s.claim for s in derived(case)[1].steps] == [s.claim for s in derived(case)[1].steps]


# ---- how a function is written ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("template", "choices", "shown"), [
    ("max({a} + {b}, x2) + {c}", ("x1", "0", "-1"), "max(x1, x2) - 1"), ("{a} - max({b}, x2)", ("0", "x1"), "-max(x1, x2)"),
    ("{a} + {b}", ("x1", "x1"), "2*x1"), ("{a} + {b}", ("x1", "-x1"), "0"), ("{a} * {b}", ("x1", "x1"), "x1**2"), ("{a} * {b}", ("0", "x1"), "0"),
    ("{a} + {b} + 1", ("x1", "-1"), "x1"),
])
def test_zeros_and_like_terms_are_taken_together(template: str, choices: tuple[str, ...], shown: str) -> None:
    slots = {name: [c, f"{c} + 7"] for name, c in zip("abc", choices, strict=False)}
    _, ask = Case("written", template, slots, at(("0 0", "a"))).problem()
    assert str(filled(ask, (0,) * len(choices))).replace("[0, 0]", "") == shown


def test_an_f_in_the_problem_gives_way() -> None:
    text = Case("f", "{a} + f", {"a": ["1", "2"]}, at(("0", "a")), inputs=("f",)).toml()
    problem, _ = read_text(text, "case.toml")
    derivation = derive_fill(problem, "a", problem.parts[0].ask)  # type: ignore[arg-type]
    assert str(derivation.answers[1].left.expr).startswith("F1")  # type: ignore[union-attr]
    assert {type(s.claim) for s in derivation.steps} == {Sieve, Fits, Classes}

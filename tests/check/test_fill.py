"""Claims about templates: each kind verified once, and every way of bending one refused with a message that says what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest
from sympy import Integer, Rational

from symgrad.check.checker import Checker, check_claims, unanswered
from symgrad.check.fill import require_contradiction
from symgrad.language import forms as F
from symgrad.language.claims import Claim, Classes, Conflict, Fits, Sieve
from symgrad.language.errors import Refused, SpecError
from symgrad.language.functions import scalar
from symgrad.language.piecewise import Row
from symgrad.language.problem import Problem
from symgrad.language.steps import Certificate, Certified, Ground, Verdict
from symgrad.language.wire import certificate_from_json, certificate_to_json
from symgrad.questions.fill import derive_fill
from tests.fill_problems import CASES, FIRST, FIVE, Case, at

TWO = CASES[0]
LINES = Case("lines", "{a} + {b}", {"a": ["x1", "x2"], "b": ["0", "x1"]}, at(("1 2", "a"), ("-1 -2", "b")))
STRIP = Case("strip", "max({i} + {ii}, {iii}) + {v}", {"i": ["x1", "-x1"], "ii": ["x2", "0"], "iii": ["x1", "-x1"], "v": ["1", "-1"]}, [],
             [("x1 >= 1", "a"), ("x1 <= -1", "a"), ("-1 < x1 < 1", "b")])
HOLE = CASES[3]


def claims_of(case: Case) -> tuple[Problem, list[Claim]]:
    problem, ask = case.problem()
    return problem, [s.claim for s in derive_fill(problem, "a", ask).all_steps()]


def verdicts(problem: Problem, claims: list[Claim]) -> list[Verdict]:
    return list(check_claims(problem, claims))


def refused(problem: Problem, claims: list[Claim], words: str) -> None:
    """The last claim is refuted, with these words, and does not answer the part."""
    *before, last = verdicts(problem, claims)
    assert all(v.ground is Ground.PROVED for v in before), before
    assert last.ground is Ground.REFUTED and words in last.method, last
    assert unanswered(problem, problem.parts[0], tuple(claims[:-1]))


def only(claims: list[Claim], kind: type) -> int:
    (k,) = [k for k, c in enumerate(claims) if isinstance(c, kind)]
    return k


@pytest.mark.parametrize("case", [TWO, LINES, STRIP, HOLE], ids=lambda c: c.name)
def test_what_is_derived_is_proved_also_after_travelling(case: Case) -> None:
    problem, claims = claims_of(case)
    assert {v.ground for v in verdicts(problem, claims)} == {Ground.PROVED}
    assert unanswered(problem, problem.parts[0], tuple(claims)) == ()
    entries = tuple(Certified("a", "", "", c, Verdict(Ground.PROVED, "")) for c in claims)
    text = json.dumps(certificate_to_json(Certificate("case", problem.digest, entries)))
    back = certificate_from_json(json.loads(text), problem.graph)
    assert [e.claim for e in back.entries] == claims
    assert {v.ground for v in verdicts(problem, [e.claim for e in back.entries])} == {Ground.PROVED}


def test_nothing_less_than_all_is_an_answer() -> None:
    problem, claims = claims_of(TWO)
    part = problem.parts[0]
    assert unanswered(problem, part, tuple(claims[:-1])) == ("which combinations are valid",)
    assert unanswered(problem, part, ()) == ("which combinations are valid",)
    assert unanswered(problem, part, (replace(claims[-1], part="b"),))  # type: ignore[type-var]


# ---- which combinations ------------------------------------------------------------------------------------------------


def bent(case: Case, kind: type, change) -> tuple[Problem, list[Claim]]:  # type: ignore[no-untyped-def]
    """The claims up to the one of that kind, which is changed."""
    problem, claims = claims_of(case)
    k = next(k for k, c in enumerate(claims) if isinstance(c, kind))
    return problem, [*claims[:k], change(claims[k])]


def test_a_valid_combination_cannot_be_ruled_out() -> None:
    def forget(c: Sieve) -> Sieve:
        k = c.wrong_at.index(0)
        return replace(c, wrong_at=(*c.wrong_at[:k], 1, *c.wrong_at[k + 1:]))

    refused(*bent(TWO, Sieve, forget), "(x1, 0, -x1, 0, -1) is right at (2, 1): it is not ruled out there")


def test_a_wrong_point_rules_nothing_out() -> None:
    def other(c: Sieve) -> Sieve:
        k = c.wrong_at.index(6)
        return replace(c, wrong_at=(*c.wrong_at[:k], 1, *c.wrong_at[k + 1:]))

    refused(*bent(TWO, Sieve, other), "it is not ruled out there")


@pytest.mark.parametrize(("change", "words"), [
    (lambda c: replace(c, wrong_at=c.wrong_at[1:]), "242 combinations are judged, there are 243"),
    (lambda c: replace(c, wrong_at=(8, *c.wrong_at[1:])), "there is no datum 8"),
    (lambda c: replace(c, wrong_at=(-1, *c.wrong_at[1:])), "there is no datum -1"),
    (lambda c: replace(c, part="z"), "part z has no template to fill"),
    (lambda c: replace(c, inside=((0, (Rational(5), Rational(0))),)), "does not lie in region 1"),
])
def test_a_sieve_that_does_not_fit_the_problem(change, words: str) -> None:  # type: ignore[no-untyped-def]
    refused(*bent(TWO, Sieve, change), words)


def test_an_invalid_combination_cannot_be_called_valid() -> None:
    """Left over by the sieve (which claims nothing of it), called right, or slipped into a class: each is refused."""
    problem, claims = claims_of(TWO)
    sieve = claims[0]
    assert isinstance(sieve, Sieve)
    generous = replace(sieve, wrong_at=(0, *sieve.wrong_at[1:]))
    refused(problem, [generous, *claims[1:]], "the classes do not hold exactly the 3 combinations that no datum rules out")
    fits, classes = claims[1], claims[2]
    assert isinstance(fits, Fits) and isinstance(classes, Classes)
    refused(problem, [generous, replace(fits, combination=(0, 0, 0, 0, 0))], "the function of (x1, x2, x1, x2, 1): the two differ at")
    plus = scalar("x1") + scalar("x2") + 1
    own = tuple(F.Just(Integer(v)) for v in (4, 1, 2, -2, 3, 2, -1))
    false = replace(fits, combination=(0, 0, 0, 0, 0), function=plus, values=own)
    refused(problem, [generous, false], "(x1, x2, x1, x2, 1) is wrong at (-1, -2), labelled a")
    slipped = replace(classes, classes=((*classes.classes[0], (0, 0, 0, 0, 0)),), proofs=(*classes.proofs, ()))
    refused(problem, [generous, fits, slipped], "(x1, 0, -x1, 0, -1) and (x1, x2, x1, x2, 1) in one class: the two differ at")
    alone = replace(classes, classes=(*classes.classes, ((0, 0, 0, 0, 0),)))
    refused(problem, [generous, fits, alone], "(x1, x2, x1, x2, 1) was not shown to be right at all data")


def test_a_combination_cannot_be_missing_from_the_classes() -> None:
    refused(*bent(TWO, Classes, lambda c: replace(c, classes=(c.classes[0][:1],), proofs=())),
            "the classes do not hold exactly the 2 combinations")
    refused(*bent(TWO, Classes, lambda c: replace(c, classes=((*c.classes[0], c.classes[0][0]),), proofs=((), ()))), "do not hold exactly")


def test_one_function_cannot_be_two_classes_nor_two_functions_one() -> None:
    refused(*bent(TWO, Classes, lambda c: replace(c, classes=tuple((x,) for x in c.classes[0]), proofs=())), "was not shown to be right at all data")
    problem, claims = claims_of(TWO)
    fits, classes = claims[1], claims[2]
    assert isinstance(fits, Fits) and isinstance(classes, Classes)
    other = replace(fits, combination=classes.classes[0][1])
    apart = replace(classes, classes=tuple((x,) for x in classes.classes[0]), proofs=(), apart=((Rational(3), Rational(1)),))
    refused(problem, [claims[0], fits, other, apart], "are in two classes, and at none of the points given do they differ")

    def merge(c: Classes) -> Classes:
        first, second, *rest = c.classes
        return replace(c, classes=((*first, *second), *rest), proofs=(*c.proofs, ()))

    refused(*bent(LINES, Classes, merge), "in one class: the two differ at")
    refused(*bent(LINES, Classes, lambda c: replace(c, apart=())), "at none of the points given do they differ")
    refused(*bent(TWO, Classes, lambda c: replace(c, proofs=())), "1 comparisons are needed, 0 are given")


def test_classes_need_a_sieve_before_them() -> None:
    problem, claims = claims_of(TWO)
    assert verdicts(problem, claims[1:])[-1].method == "the combinations of part a were not judged before"


# ---- one combination ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "words"), [
    (lambda c: replace(c, combination=(0, 2, 1, 2)), "is no combination of the 5 slots"),
    (lambda c: replace(c, combination=(0, 2, 1, 2, 3)), "is no combination of the 5 slots"),
    (lambda c: replace(c, combination=(0, 2, 1, 2, -1)), "is no combination of the 5 slots"),
    (lambda c: replace(c, function=-c.function), "the two differ at"),
    (lambda c: replace(c, function=c.function + Rational(1, 10**9)), "the two differ at"),
    (lambda c: replace(c, values=c.values[1:]), "one value for each of 7 points"),
    (lambda c: replace(c, values=(F.Just(Integer(2)), *c.values[1:])), "the value shown at (2, 1) is not that of"),
    (lambda c: replace(c, values=(F.Decimal(Integer(1), 0), *c.values[1:])), "the value shown at (2, 1) is not that of"),
    (lambda c: replace(c, values=(F.Just(scalar("x1")), *c.values[1:])), "the value shown at (2, 1) is not that of"),
    (lambda c: replace(c, proofs=((),)), "one proof for each of 0 regions"),
])
def test_a_fit_that_is_bent(change, words: str) -> None:  # type: ignore[no-untyped-def]
    refused(*bent(TWO, Fits, change), words)


def test_a_rounded_value_must_be_the_right_rounding() -> None:
    case = Case("sigmoid", "sigmoid({a}) - {b}", {"a": ["x1", "x2"], "b": ["1/2", "1/3"]}, at(("1 -2", "a"), ("-3 0", "b")))
    problem, claims = claims_of(case)
    fits = next(c for c in claims if isinstance(c, Fits))
    assert isinstance(fits.values[0], F.Decimal)
    wrong = replace(fits, values=(F.Decimal(fits.values[0].value + Rational(1, 10**4), 4), *fits.values[1:]))
    assert verdicts(problem, [wrong])[0].ground is Ground.REFUTED
    assert verdicts(problem, [fits])[0].ground is Ground.PROVED


# ---- regions -----------------------------------------------------------------------------------------------------------


def test_multipliers_are_checked() -> None:
    problem, claims = claims_of(STRIP)
    k = next(k for k, c in enumerate(claims) if isinstance(c, Fits))
    fits = claims[k]
    assert isinstance(fits, Fits)

    def with_first(multipliers: tuple[Rational, ...]) -> Fits:
        first = fits.proofs[0]
        return replace(fits, proofs=((multipliers, *first[1:]), *fits.proofs[1:]))

    good = fits.proofs[0][0]
    for bad, words in (
        (tuple(-m for m in good), "multipliers that are not negative are needed"), (good[1:], "multipliers that are not negative are needed"),
        (tuple(Rational(0) for _ in good), "the multipliers do not rule the wrong sign out"),
        ((good[0] + 1, *good[1:]), "the multipliers do not rule the wrong sign out"),
    ):
        refused(problem, [*claims[:k], with_first(bad)], words)
    refused(problem, [*claims[:k], replace(fits, proofs=fits.proofs[1:])], "one proof for each of 3 regions")
    refused(problem, [*claims[:k], replace(fits, proofs=(fits.proofs[0][1:], *fits.proofs[1:]))], "linear pieces, multipliers are given for")


def test_a_point_of_a_region_must_lie_in_it() -> None:
    def move(c: Sieve) -> Sieve:
        (number, place), *rest = c.inside
        return replace(c, inside=((number, tuple(-x for x in place)), *rest))

    refused(*bent(STRIP, Sieve, move), "does not lie in region")


def test_a_contradiction_with_a_strict_row() -> None:
    """x >= 0 and -x > 0 contradict each other only because one is strict."""
    one = Rational(1)
    zero, lift = (Row((0, 1), False), Row((0, -1), True)), (one, one)  # type: ignore[arg-type]
    require_contradiction(zero, lift, "both")
    with pytest.raises(Refused):
        require_contradiction((Row((0, 1)), Row((0, -1))), lift, "x = 0 is in both")  # type: ignore[arg-type]


# ---- no combination ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "words"), [
    (lambda c: replace(c, of=c.of[1:]), "these data do not rule out every combination"),
    (lambda c: replace(c, spared=c.spared[1:]), "it is not shown for every smaller set"),
    (lambda c: replace(c, spared=(c.spared[-1], *c.spared[1:])), "is not right at all of"),
    (lambda c: replace(c, of=(*c.of, 4), smallest=False, spared=c.spared[:4]), "is not right at all of"),
])
def test_a_conflict_that_is_bent(change, words: str) -> None:  # type: ignore[no-untyped-def]
    problem, claims = claims_of(HOLE)
    k = only(claims, Conflict)
    *before, last = verdicts(problem, [*claims[:k], change(claims[k])])
    assert last.ground is Ground.REFUTED and words in last.method, last


def test_a_conflict_is_none_where_a_combination_is_left() -> None:
    problem, claims = claims_of(TWO)
    claim = Conflict("a", (1, 2), False, ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0)))
    assert Checker(problem).check(claim).ground is Ground.REFUTED
    assert verdicts(problem, [claims[0], claim])[-1].method == "these data do not rule out every combination"


# ---- what is equal only almost everywhere -----------------------------------------------------------------------------------


def test_functions_that_differ_only_at_a_jump_are_told_apart() -> None:
    """step(x1) and 1 - step(-x1) differ at x1 = 0 alone."""
    template = "{a} * step(x1) + (1 - {a}) * (1 - step(-x1)) + {b}"
    case = Case("jump", template, {"a": ["1", "0"], "b": ["-1/2", "-1/3"]}, at(("1 0", "a"), ("-1 0", "b")))
    problem, claims = claims_of(case)
    classes = claims[only(claims, Classes)]
    assert isinstance(classes, Classes) and len(classes.classes) == 4
    assert {v.ground for v in verdicts(problem, claims)} == {Ground.PROVED}


def test_functions_that_are_equal_because_a_case_cannot_occur() -> None:
    """max(-x1, max(x1, 0)) = max(-x1, max(x1, -1)): where x1 < -1, the maximum is -x1 in both."""
    case = Case("nested", "max(-x1, max(x1, {a})) - {b}", {"a": ["0", "-1"], "b": ["1", "2"]}, at(("2 0", "a"), ("1/2 0", "b")))
    problem, claims = claims_of(case)
    classes = claims[only(claims, Classes)]
    assert isinstance(classes, Classes) and sorted(map(len, classes.classes)) == [2, 2]
    assert {v.ground for v in verdicts(problem, claims)} == {Ground.PROVED}
    assert any(classes.proofs)
    emptied = replace(classes, proofs=tuple(() for _ in classes.proofs))
    refused(problem, [*claims[:only(claims, Classes)], emptied], "linear pieces the difference is not 0 as it stands")


@pytest.mark.parametrize("case", [TWO, LINES, STRIP, HOLE], ids=lambda c: c.name)
def test_claims_changed_at_random_are_never_proved_when_they_are_false(case: Case) -> None:
    """One number, list or claim of the certificate is changed; what is proved all the same is true by the oracle."""
    problem, claims = claims_of(case)
    data = certificate_to_json(Certificate("case", problem.digest, tuple(Certified("a", "", "", c, Verdict(Ground.PROVED, "")) for c in claims)))
    random = Random(case.name)
    changed = 0
    for _ in range(150):
        copy = json.loads(json.dumps(data))
        spoil(copy["entries"], random)
        try:
            found = [e.claim for e in certificate_from_json(copy, problem.graph).entries]
        except SpecError:
            continue
        for claim, verdict in zip(found, check_claims(problem, found), strict=True):
            changed += claim not in claims
            if verdict.ground is Ground.PROVED and claim not in claims:
                assert is_true(case, claim), claim
    assert changed > 30


def spoil(entries: list, random: Random) -> None:  # type: ignore[type-arg]
    """Changes one value in one claim."""
    places: list[tuple[object, object]] = []

    def walk(x: object) -> None:
        for k, v in x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, list) else ():  # type: ignore[var-annotated]
            if k != "kind":
                places.append((x, k))
                walk(v)

    walk([e["claim"] for e in entries])
    box, key = random.choice(places)
    value = box[key]  # type: ignore[index]
    match value:
        case bool():
            new: object = not value
        case int():
            new = random.choice((value + 1, value - 1, 0, 1, 10**9))
        case str():
            new = random.choice(("0", "1/2", "-1", "x1", "x2", "add", value + "1"))
        case list():
            new = random.choice((value[1:], value + value[-1:], value[::-1], random.sample(value, len(value)), []))
        case _:
            new = {"expr": random.choice(["0", "1", ["name", "x1"]])}
    box[key] = new  # type: ignore[index]


def is_true(case: Case, claim: Claim) -> bool:
    valid = case.valid()
    places = [(tuple(map(Fraction, place)), label) for place, label in case.points]
    match claim:
        case Sieve(_, inside, wrong_at):
            known = [*places, *((tuple(map(Fraction, map(str, place))), case.regions[n][1]) for n, place in inside)]
            return all(not k or not case.right(case.value(c, known[k - 1][0]), known[k - 1][1]) for c, k in zip(case.all(), wrong_at, strict=True))
        case Fits(_, combination):
            return combination in valid
        case Classes(_, classes):
            members = [c for g in classes for c in g]
            return set(members) <= valid and len(members) == len(set(members)) and all(case.same(g[0], c) for g in classes for c in g)
        case Conflict(_, of):
            return not any(all(case.right(case.value(c, places[k - 1][0]), places[k - 1][1]) for k in of) for c in case.all())
    return False


def test_the_part_with_regions_alone() -> None:
    assert FIRST.count("{") == len(FIVE)
    problem, claims = claims_of(STRIP)
    assert isinstance(claims[0], Sieve) and claims[0].inside

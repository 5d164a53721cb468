"""Claims of `prove`: what a derivation says is proved, and the same claim bent in one place is refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest
from sympy import Expr, Integer, MatMul, Rational, Symbol, Transpose

from symgrad.check.checker import Checker, unanswered
from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Cases, Counterexample, Identity, Impossible, Line, Weighted
from symgrad.language.entries import index
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import dimension, scalar
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Step, Verdict
from symgrad.questions import derive
from symgrad.reader.read import read_text
from tests.making import problem


def asked(claim: str, *assume: str, symbols: Mapping[str, str] = MappingProxyType({})) -> Problem:
    facts = ", ".join(f'"{a}"' for a in assume)
    more = "".join(f'{name} = {{ shape = "{shape}" }}\n' for name, shape in symbols.items())
    text = f"""format = 1
id = "p"
title = "P"
[symbols]
x = {{}}
c = {{}}
z = {{ shape = "n" }}
{more}[[part]]
label = "a"
ask = "prove"
claim = "{claim}"
assume = [{facts}]
"""
    return read_text(text, "p.toml")[0]


def steps(problem: Problem) -> list[Step]:
    return list(derive(problem, problem.parts[0]).all_steps())


def verdict(problem: Problem, *claims: object) -> Verdict:
    """The verdict on the last claim, after the others."""
    checker = Checker(problem)
    return [checker.check(c) for c in claims][-1]  # type: ignore[arg-type]


Z = v.variable("z", (dimension("n"), Integer(1)))
SCALAR = "sigmoid(x) = 1/2*tanh(x/2) + 1/2"
VECTOR = "softmax(z + c*ones(n)) = softmax(z)"


SQUARE = {"A": "n, n", "B": "n, n"}
OF_INVERSES = {
    "grad(logdet(A), A) = inv(A).T": "grad(logdet(A), A) = inv(A)",
    "diff(logdet(A), A[1, 2]) = inv(A)[2, 1]": "diff(logdet(A), A[1, 2]) = inv(A)[1, 2]",
    "grad(det(A), A) = det(A)*inv(A).T": "grad(det(A), A) = inv(A).T",
    "grad(trace(inv(A)), A) = -(inv(A) @ inv(A)).T": "grad(trace(inv(A)), A) = (inv(A) @ inv(A)).T",
    "grad(z.T @ inv(A) @ z, A) = -inv(A).T @ z @ z.T @ inv(A).T": "grad(z.T @ inv(A) @ z, A) = -inv(A) @ z @ z.T @ inv(A)",
    "grad(trace(inv(A) @ B), B) = inv(A).T": "grad(trace(inv(A) @ B), B) = inv(A)",
}


@pytest.mark.parametrize("claim", OF_INVERSES)
def test_derivatives_of_inverses_and_determinants_are_proved_by_their_rules(claim: str) -> None:
    """Magnus, Neudecker (2019), chapter 8; no cofactors are written out."""
    found = asked(claim, symbols=SQUARE)
    ((left, right),) = found.parts[0].ask.claims  # type: ignore[union-attr]
    shown = verdict(found, Identity((Line(F.Just(left)), Line(F.Just(right)))))
    assert shown.ground is Ground.PROVED and "where the inverse exists" in shown.method


@pytest.mark.parametrize("claim", OF_INVERSES.values())
def test_bent_derivatives_of_inverses_are_not_proved(claim: str) -> None:
    found = asked(claim, symbols=SQUARE)
    ((left, right),) = found.parts[0].ask.claims  # type: ignore[union-attr]
    assert verdict(found, Identity((Line(F.Just(left)), Line(F.Just(right))))).ground is not Ground.PROVED


@pytest.mark.parametrize("claim", [
    "unit(n, 3) = 0*z", "unit(n, 2) = unit(n, 3)", "concat(z, z) = concat(z, 2*z)", "cumsum(z) = z", "tril(z @ z.T) = z @ z.T * eye(n)",
    "triu(ones(n, n)) = eye(n)", "z[2:3] = z[2]*ones(2)"])
def test_entries_that_differ_by_their_place_are_all_looked_at(claim: str) -> None:
    """The first entry of concat(z, z) and of concat(z, 2 z) is the same: it does not speak for the others."""
    found = asked(claim)
    ((left, right),) = found.parts[0].ask.claims  # type: ignore[union-attr]
    assert verdict(found, Identity((Line(F.Just(left)), Line(F.Just(right))))).ground is Ground.REFUTED


@pytest.mark.parametrize("claim", [
    "diff(norm(z)^2*z[1], z[1]) = norm(z)^2", "grad(sum(z)*sum(z), z) = 0*z + sum(z)*0*z", "diff(max(z)*z[1], z[1]) = max(z)",
    "grad(norm(z)^2*sum(z), z) = norm(z)^2*ones(n)"])
def test_what_moves_with_the_variable_is_no_number_in_a_derivative(claim: str) -> None:
    """norm(z)^2 z_1 has the derivative norm(z)^2 + 2 z_1^2 in z_1: a letter for the norm would lose the second term."""
    found = asked(claim)
    ((left, right),) = found.parts[0].ask.claims  # type: ignore[union-attr]
    assert verdict(found, Identity((Line(F.Just(left)), Line(F.Just(right))))).ground is not Ground.PROVED


@pytest.mark.parametrize("claim", ["diff(norm(z)^2*x, x) = norm(z)^2", "grad(norm(z)^2*sum(z), z) = 2*sum(z)*z + norm(z)^2*ones(n)"])
def test_derivatives_of_products_with_sums_are_proved(claim: str) -> None:
    found = asked(claim)
    ((left, right),) = found.parts[0].ask.claims  # type: ignore[union-attr]
    assert verdict(found, Identity((Line(F.Just(left)), Line(F.Just(right))))).ground is Ground.PROVED


@pytest.mark.parametrize("claim", [SCALAR, VECTOR, "grad(logsumexp(z), z) = softmax(z)", "diff(tanh(x), x) = 1 - tanh(x)^2"])
def test_every_bent_line_is_refused(claim: str) -> None:
    problem = asked(claim)
    honest = [s.claim for s in steps(problem)]
    identity = honest[-1]
    assert isinstance(identity, Identity) and verdict(problem, *honest).ground is Ground.PROVED
    for k, line in enumerate(identity.lines):
        assert isinstance(line.form, F.Just)
        for bent in (-line.form.expr, 2 * line.form.expr):
            lines = (*identity.lines[:k], Line(F.Just(bent), line.why), *identity.lines[k + 1:])
            found = verdict(problem, *honest[:-1], replace(identity, lines=lines))
            assert found.ground is not Ground.PROVED, (k, found)


def test_a_refusal_shows_a_point() -> None:
    x = scalar("x")
    found = verdict(asked(SCALAR), Identity((Line(F.Just(x)), Line(F.Just(x + 1)))))
    assert found.ground is Ground.REFUTED and "x" in found.method


def test_an_assumption_that_the_problem_does_not_make_is_refused() -> None:
    problem = asked("relu(c*x) = c*relu(x)", "c > 0")
    honest = [s.claim for s in steps(problem)]
    assert verdict(problem, *honest).ground is Ground.PROVED
    other = asked("relu(c*x) = c*relu(x)")
    sound = tuple(c for c in honest if Checker(other).check(c).ground.holds)
    assert unanswered(other, other.parts[0], sound)


def test_cases_that_leave_one_out_prove_nothing() -> None:
    problem = asked("relu(x) = (x + abs(x))/2")
    honest = [s.claim for s in steps(problem)]
    whole = [c for c in honest if isinstance(c, Cases)]
    if not whole:
        assert isinstance(honest[-1], Identity)  # proved without a split
        return
    assert verdict(problem, *honest).ground is Ground.PROVED
    parts = [c for c in honest if not isinstance(c, Cases)]
    for left_out in range(len(parts)):
        rest = [c for i, c in enumerate(parts) if i != left_out]
        assert verdict(problem, *rest, whole[-1]).ground is not Ground.PROVED
    assert verdict(problem, whole[-1]).ground is not Ground.PROVED


def test_a_counterexample_that_does_not_separate_is_refused() -> None:
    problem = asked("tanh(x) = 2*sigmoid(x) - 1")
    (claim,) = (s.claim for s in steps(problem) if isinstance(s.claim, Counterexample))
    assert verdict(problem, claim).ground is Ground.PROVED
    at_zero = replace(claim, witness=replace(claim.witness, values=(("x", ((Integer(0),),)),)))  # both sides are 0 there
    assert verdict(problem, at_zero).ground is not Ground.PROVED
    swapped = replace(claim, values=claim.values[::-1])
    assert verdict(problem, swapped).ground is not Ground.PROVED


def test_a_counterexample_must_satisfy_the_assumptions() -> None:
    problem = asked("relu(c*x) = c*relu(x)")
    (claim,) = (s.claim for s in steps(problem) if isinstance(s.claim, Counterexample))
    under = F.Relation(scalar("c"), F.Sign.MORE, Integer(0))
    assert verdict(asked("relu(c*x) = c*relu(x)", "c > 0"), replace(claim, assume=(under,))).ground is not Ground.PROVED


def test_a_contradiction_needs_multipliers_that_add_up() -> None:
    problem = asked("x = c", "x > 0", "x < 0")
    part = problem.parts[0].ask
    facts = part.assume  # type: ignore[union-attr]
    assert verdict(problem, Impossible(facts)).ground is Ground.PROVED  # signs clash
    assert verdict(problem, Impossible(facts[:1])).ground is not Ground.PROVED
    assert verdict(problem, Impossible(facts[:1], (), Rational(-1))).ground is not Ground.PROVED


def test_multipliers_are_verified() -> None:
    """x > 1 and x < 0: (x - 1) - x = -1, though both terms are positive."""
    problem = asked("x = c", "x > 1", "x < 0")
    facts = problem.parts[0].ask.assume  # type: ignore[union-attr]
    one = Rational(1)
    honest = Impossible(facts, (Weighted((1,), one), Weighted((2,), -one)), -one)
    assert verdict(problem, honest).ground is Ground.PROVED
    for terms, total, why in (
            (honest.terms, Rational(-2), "is not -2"),
            ((Weighted((1,), 2 * one), Weighted((2,), -one)), -one, "is not -1"),
            ((Weighted((1,), one), Weighted((2,), one)), -one, "may be negative"),
            ((Weighted((1,), -one), Weighted((2,), -one)), -one, "may be negative"),
            ((Weighted((1,), one), Weighted((3,), -one)), -one, "not there"),
            ((Weighted((), one),), one, "not there"),
            ((Weighted((1,), Rational(0)), Weighted((2,), Rational(0))), Rational(0), "may be negative|contradicts nothing")):
        found = verdict(problem, Impossible(facts, terms, total))
        assert found.ground is Ground.REFUTED and any(w in found.method for w in why.split("|")), found


def test_a_sum_that_is_0_contradicts_only_what_is_strict() -> None:
    """x >= 0 and x <= 0 hold at 0; x > 0 and x <= 0 nowhere."""
    one = Rational(1)
    for assume, ground in ((("x >= 0", "x <= 0"), Ground.REFUTED), (("x > 0", "x <= 0"), Ground.PROVED)):
        problem = asked("x = c", *assume)
        facts = problem.parts[0].ask.assume  # type: ignore[union-attr]
        assert verdict(problem, Impossible(facts, (Weighted((1,), one), Weighted((2,), -one)), Rational(0))).ground is ground


def test_an_identity_has_two_exact_lines_of_one_shape() -> None:
    problem = asked("x = x")
    line = Line(F.Just(scalar("x")))
    for lines in ((line,), (line, Line(F.Just(scalar("x")), approx=True)), (line, Line(F.Decimal(Rational(1), 2))), (line, Line(F.Just(Z)))):
        assert verdict(problem, Identity(lines)).ground is Ground.REFUTED


@pytest.mark.parametrize(("claim", "assume", "conditions"), [
    ("x*(n - 1)/(n - 1) = x", (), ("n - 1 != 0",)),
    ("x*(n - 1)/(n - 1) = x", ("n >= 2",), ()),
    ("x*(n - 1)/(n - 1) = x", ("n > 1",), ()),
    ("x*(n - 2)/(n - 2) = x", ("n >= 3",), ()),
    ("tan(z)*cos(z) = sin(z)", (), ("cos(z) != 0",)),
    ("z/norm(z)*norm(z) = z", (), ("norm(z) != 0",)),
    ("log(z) + log(z) = log(z*z)", (), ("z > 0",)),
    ("log(z) + log(z) = log(z*z)", ("z > 0",), ()),
    ("x*sum(z) = x", ("sum(z) = 1",), ()),
])
def test_what_must_hold_is_assumed_or_stated(claim: str, assume: tuple[str, ...], conditions: tuple[str, ...]) -> None:
    found = asked(claim, *assume)
    ask = found.parts[0].ask
    ((left, right),) = ask.claims  # type: ignore[union-attr]
    shown = verdict(found, Identity((Line(F.Just(left)), Line(F.Just(right))), ask.assume))  # type: ignore[union-attr]
    assert shown.ground is Ground.PROVED and shown.conditions == conditions


@pytest.mark.parametrize(("claim", "assume"), [
    ("x*(n - 1)/(n - 1) = x", "n <= 3"),  # only a least size can be used
    ("diff(x*sum(z), z[1]) = 0*x", "sum(z) = 1"),  # an equation at points is none of functions
    ("x*n = 2*x", "n >= 2"),
])
def test_what_an_assumption_does_not_give(claim: str, assume: str) -> None:
    found = asked(claim, assume)
    ask = found.parts[0].ask
    ((left, right),) = ask.claims  # type: ignore[union-attr]
    shown = verdict(found, Identity((Line(F.Just(left)), Line(F.Just(right))), ask.assume))  # type: ignore[union-attr]
    assert shown.ground is not Ground.PROVED


def test_an_index_is_not_a_number_and_shapes_fit() -> None:
    """z_i = z_i + (i - 1) x holds at i = 1, which does not speak for the others."""
    found, n, m, i, k = asked("z = z", symbols={"A": "n, m", "w": "m"}), dimension("n"), dimension("m"), index("i"), index("k")
    entry, x = v.Entry(Z, i, Integer(1)), scalar("x")

    def of(*lines: Expr, indices: tuple[Symbol, ...] = (), assume: tuple[Relation, ...] = ()) -> Ground:
        return verdict(found, Identity(tuple(Line(F.Just(e)) for e in lines), assume, indices)).ground

    assert of(entry, entry + x - x, indices=(i,)) is Ground.PROVED
    assert of(entry, entry + (i - 1) * x, indices=(i,)) is Ground.REFUTED
    assert of(v.IndexSum(v.Entry(Z, k, Integer(1)), k, n), v.IndexSum(v.Entry(Z, k, Integer(1)) + (k - 1) * (k - 2) * x, k, n)) is Ground.REFUTED
    assert of(v.Entry(Z, i, Integer(1)), Integer(0), indices=(i,), assume=(Relation(entry, Sign.EQUAL, (i - 1) * x),)) is Ground.UNDECIDED
    A, w = v.variable("A", (n, m)), v.variable("w", (m, Integer(1)))
    assert of(MatMul(A, w), MatMul(A, w)) is Ground.PROVED
    assert of(MatMul(Transpose(A), w), MatMul(Transpose(A), w)) is Ground.REFUTED


def test_one_column_does_not_answer_for_a_matrix() -> None:
    """The first columns of z 1^T and z e_1^T are both z; the matrices are not equal, and a claim about the columns is no answer."""
    found, i, j = asked("z @ ones(m).T = z @ unit(m, 1).T", symbols={"w": "m"}), index("i"), index("j")
    (ends,) = found.parts[0].ask.claims  # type: ignore[union-attr]

    def claim(*at: Expr, indices: tuple[Symbol, ...]) -> Identity:
        return Identity(tuple(Line(F.Just(v.Entry(e, *at))) for e in ends), (), indices)

    column = claim(i, Integer(1), indices=(i,))
    assert verdict(found, column).ground is Ground.PROVED and unanswered(found, found.parts[0], (column,))
    assert verdict(found, claim(i, j, indices=(i, j))).ground is Ground.REFUTED
    same = asked("z @ w.T = (w @ z.T).T", symbols={"w": "m"})
    (ends,) = same.parts[0].ask.claims  # type: ignore[union-attr]
    every = claim(i, j, indices=(i, j))
    assert verdict(same, every).ground is Ground.PROVED and not unanswered(same, same.parts[0], (every,))


# ---- numbers inside both sides, jumps, sums with kinks ----------------------------------------------------------------


def settled(claim: str) -> set[Ground]:
    """The grounds of all steps of what the question derives."""
    p = problem("L = sum(x) + sum(y) + sum(X) + c", 'x = { shape = "N" }\ny = { shape = "N" }\nX = { shape = "N, M" }\nc = { shape = "" }',
                f'ask = "prove"\nclaim = "{claim}"')
    checker = Checker(p)
    return {checker.check(s.claim).ground for s in derive(p, p.parts[0]).all_steps()}


@pytest.mark.parametrize("claim", [
    "logsumexp(x) = max(x) + logsumexp(x - max(x))", "softmax(x - max(x)) = softmax(x)", "softmax(X - max(x), 1) = softmax(X, 1)",
    "sum(relu(x)) = sum(x * step(x))", "sum(abs(x)) = sum(relu(x)) + sum(relu(-x))", "norm(x / sqrt(x.T @ x))^2 = 1", "abs(x.T @ y) = abs(y.T @ x)",
    "sum(exp(x - logsumexp(x))) = 1", "x / norm(x) * norm(x) = x", "sum(relu(x)) - sum(relu(-x)) = sum(x)",
])
def test_proved_for_every_length(claim: str) -> None:
    assert settled(claim) == {Ground.PROVED}


@pytest.mark.parametrize("claim", [
    "logsumexp(x) = max(x) + logsumexp(x - 2*max(x))", "softmax(x - max(x)) = softmax(2*x)", "sum(relu(x)) = sum(x * step(-x))",
    "sum(abs(x)) = sum(relu(x)) - sum(relu(-x))", "norm(x / sqrt(x.T @ y))^2 = 1", "x / norm(y) * norm(x) = x", "max(x + c) = max(x) - c",
    "sum(abs(x)) = abs(sum(x))",
])
def test_false_ones_are_not(claim: str) -> None:
    """Each has a counterexample, which is proved to be one."""
    p = problem("L = sum(x) + sum(y) + c", 'x = { shape = "N" }\ny = { shape = "N" }\nc = { shape = "" }', f'ask = "prove"\nclaim = "{claim}"')
    checker, found = Checker(p), list(derive(p, p.parts[0]).all_steps())
    assert [type(s.claim) for s in found] == [Counterexample] and checker.check(found[0].claim).ground is Ground.PROVED


def test_a_shift_of_the_largest_entry_is_written_out_at_a_few_sizes() -> None:
    assert settled("max(x + c) = max(x) + c") == {Ground.TESTED}


def test_cases_of_which_none_was_decided_are_not_called_false() -> None:
    p = problem("L = sum(x)", 'x = { shape = "N" }', 'ask = "prove"\nclaim = "sum(x) = sum(x)"')
    x, N = p.graph.symbol("x"), p.graph.dimensions[0]
    total, k = v.SumOf(x), index("k")
    one_sign = (Relation(v.Entry(x, k), Sign.AT_LEAST, Integer(0)),)  # of no entry in particular: nothing can be written out
    checker = Checker(p)
    first = checker.check(Identity((Line(F.Just(total)), Line(F.Just(v.IndexSum(v.Entry(x, k), k, N)))), one_sign))
    assert first.ground is Ground.UNDECIDED
    ends = total, v.IndexSum(v.Entry(x, k), k, N)
    whole = checker.check(Cases(*ends, ()))
    assert whole.ground is Ground.UNDECIDED and "its cases were not decided" in whole.method
    assert Checker(p).check(Cases(*ends, ())).ground is Ground.REFUTED

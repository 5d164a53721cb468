"""Multiple choice: wrong options of every sort, derivatives written with primes, answers away from kinks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import symgrad
from symgrad.check.checker import Checker, unanswered
from symgrad.language.claims import Differs, Matches
from symgrad.language.errors import SpecErrors, Unsupported
from symgrad.language.problem import Choose, Problem
from symgrad.language.steps import Ground
from symgrad.pipeline import solve
from symgrad.questions import derive
from symgrad.reader.read import read_text
from symgrad.sheet import markdown
from symgrad.sheet.compose import QUESTION, SOLUTION, compose

HEAD = """
format = 1
id = "x"
title = "x"
[symbols]
W = "m, n"
x = { shape = "n", role = "input" }
r = "m"
w = {}
b = {}
[model]
let = '''
"""


def question(let: str, of: str, wrt: str, *choices: str, expected: str = "1") -> tuple[Problem, object]:
    listed = ", ".join(f'"{c}"' for c in choices)
    return read_text(f"{HEAD}{let}\n'''\n[[part]]\nlabel = \"a\"\nask = \"choose\"\nof = \"{of}\"\nwrt = [\"{wrt}\"]\nchoices = [{listed}]\n"
                     f"several = true\n[expected]\na = {expected}\n", "x.toml")


def verdicts(let: str, of: str, wrt: str, *choices: str) -> str:
    """R or W for every choice: matched, or told apart, each proved; - for one without a value."""
    problem, _ = question(let, of, wrt, *choices)
    (part,) = problem.parts
    assert isinstance(part.ask, Choose)
    derivation, checker = derive(problem, part), Checker(problem)
    for step in derivation.all_steps():
        assert checker.check(step.claim).ground is Ground.PROVED, step.label
    claims = [s.claim for s in derivation.all_steps() if isinstance(s.claim, Matches | Differs)]
    said = {c.choice: "R" if isinstance(c, Matches) else "W" for c in claims}
    return "".join("-" if part.ask.misfit(k) else said[c] for k, c in enumerate(part.ask.choices, 1))


MODEL = "z = W @ x\nh = g(z)\nk = sigmoid(z)\nf = r.T @ h\nq = r.T @ k"
SCALAR = "z = w*b + 1\ny = relu(z)\nv = abs(z)\nu = tanh(z)"


@pytest.mark.parametrize(("let", "of", "wrt", "choices", "expected"), [
    # step(z) and the derivative of relu agree wherever there is one; at z = 0, where the search starts in vain, there is none
    (SCALAR, "y", "w", ["step(z)*b", "b", "0", "w", "relu(b)"], "RWWWW"),
    (SCALAR, "v", "b", ["sign(z)*w", "w", "z/abs(z)*w", "abs(w)"], "RWRW"),
    (SCALAR, "u", "w", ["b*tanh'(z)", "b*(1 - u^2)", "tanh'(z)", "b*tanh''(z)"], "RRWW"),
    (MODEL, "f", "x", ["W.T @ (r * g'(z))", "W.T @ (r * g(z))", "W.T @ (r * g''(z))", "g'(z) * r"], "RWWW"),
    # products and sums whose shapes do not fit are wrong options, not errors
    (MODEL, "q", "x", ["W.T @ (r * k * (1 - k))", "W @ (r * k * (1 - k))", "r * k * (1 - k) * x", "W.T @ r + r", "x @ x"], "R----"),
    (MODEL, "q", "z", ["r * sigmoid'(z)", "r * k * (1 - k)", "k * (1 - k)"], "RRW"),
])
def test_every_choice_is_decided(let: str, of: str, wrt: str, choices: list[str], expected: str) -> None:
    assert verdicts(let, of, wrt, *choices) == expected


def test_a_choice_whose_shapes_do_not_fit_is_printed_and_said_to_be_wrong() -> None:
    """The question view has it as a formula (or as its text where no sizes fit), without a verdict."""
    problem, expected = question(MODEL, "q", "x", "W.T @ (r * k * (1 - k))", "W @ (r * k)", "x @ x")
    result = solve(problem, expected)  # type: ignore[arg-type]
    assert not result.parts[0].failure and all(ok for _, ok in result.parts[0].expected)
    for view in (QUESTION, SOLUTION):
        text = markdown.render(compose(problem, result.parts, view))
        assert r"$\mathbf{W} \left( \mathbf{r} \circ \mathbf{k} \right)$" in text and "`x @ x`" in text
        assert text.count("the shapes do not fit") == (0 if view == QUESTION else 2)


def test_only_a_choice_without_a_value_may_go_without_a_claim() -> None:
    problem, _ = question(MODEL, "q", "x", "W.T @ (r * k * (1 - k))", "W @ (r * k)")
    (part,) = problem.parts
    claims = tuple(s.claim for s in derive(problem, part).all_steps())
    assert not unanswered(problem, part, claims)
    assert isinstance(part.ask, Choose)
    honest = replace(part, ask=replace(part.ask, misfits=()))
    assert unanswered(problem, honest, claims) == ("choice 2",)


@pytest.mark.parametrize("stated", ['"1, 2"', '"first"', "1.5"])
def test_expected_is_a_number_of_a_choice(stated: str) -> None:
    """What is none is an error with its line, not a silent disagreement."""
    problem, expected = question(MODEL, "q", "z", "r * k * (1 - k)", "k", expected=stated)
    with pytest.raises(SpecErrors, match=r"from 1 to 2.*\[1, 3\]"):
        solve(problem, expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(("choice", "message"), [
    ("norm'(z) * r", "derivative of a function of one number"), ("max'(z, r)", "derivative of a function of one number"),
    ("W.T @ (r * 'g(z))", "cannot read"), ("g''''(z)", "cannot read")])
def test_primes_that_mean_nothing(choice: str, message: str) -> None:
    with pytest.raises(SpecErrors, match=message):
        question(MODEL, "q", "z", choice)


def test_no_primes_in_definitions() -> None:
    with pytest.raises((SpecErrors, Unsupported), match=r"g', a derivative of a function in a definition"):
        question("z = W @ x\nh = g'(z)\nf = r.T @ h", "f", "x", "x")


def test_problem_files_with_choices_are_as_before() -> None:
    for path in (Path(__file__).parents[2] / "problems").glob("half-squared-norm*.toml"):
        problem, expected = read_text(path.read_text(encoding="utf-8"), path.name)
        assert all(ok for p in solve(problem, expected).parts for _, ok in p.expected)


# ---- choices of numbers, at the given values ----------------------------------------------------------------------------


def numbers(choices: str, wrt: str = '"w", "b"', values: str = 'x = 2\nw = 3\nb = -5\nv = "1/2"', extra: str = "") -> Problem:
    """z = w x + b, y = v relu(z), L = (y - 3)^2 + x sigmoid(v)."""
    return read_text(f'format = 1\nid = "n"\ntitle = "n"\n[symbols]\n{values}\n[model]\nlet = """\nz = w*x + b\ny = v*relu(z)\n'
                     f'L = (y - 3)^2 + x*sigmoid(v)\n"""\n[[part]]\nlabel = "a"\nask = "choose"\nof = "L"\nwrt = [{wrt}]\n'
                     f'choices = [{choices}]\nseveral = true\n{extra}', "n.toml")[0]


def right(problem: Problem) -> list[int]:
    derivation, checker = derive(problem, problem.parts[0]), Checker(problem)
    for step in derivation.all_steps():
        assert checker.check(step.claim).ground is Ground.PROVED, step.label
    claims = [s.claim for s in derivation.all_steps() if isinstance(s.claim, Matches | Differs)]
    return [k for k, c in enumerate(claims, 1) if isinstance(c, Matches)]


def test_numbers_are_compared_at_the_given_values() -> None:
    """By central differences dL/dw = -5 and dL/db = -5/2; a formula is compared for all values, and this one has lost a factor."""
    def loss(w: float, b: float) -> float:
        return (0.5 * max(w * 2 + b, 0.0) - 3) ** 2

    h = 1e-5
    assert abs((loss(3 + h, -5) - loss(3 - h, -5)) / (2 * h) + 5) < 1e-6 > abs((loss(3, -5 + h) - loss(3, -5 - h)) / (2 * h) + 2.5)
    assert right(numbers('"(-5, -5/2)", "(-5/2, -5)", "(5, 5/2)", "(-5, 0)", "(-10/2, -2.5)"')) == [1, 5]
    assert right(numbers('"-5", "2*(y - 3)*v*x", "2*(y - 3)*v*x*relu\'(z)"', '"w"')) == [1, 3]
    assert right(numbers('"-5"', '"w"', "x = 2\nw = 3\nb = -5\nv = {}")) == []  # of what is not given nothing is known
    with_exp = numbers('"-5 + 2*sigmoid(1/2)*sigmoid(-1/2)", "2*sigmoid(1/2)*sigmoid(-1/2) - 5/2"', '"v"')
    assert right(with_exp) == [1]


@pytest.mark.parametrize(("problem", "message"), [
    (lambda: numbers('"-4.53"', '"v"'), "only when rounded"), (lambda: numbers('"0", "1"', '"w"', 'x = 2\nw = 3\nb = -6\nv = 1'), "at a kink"),
    (lambda: numbers('"0", "1"', '"w"', extra='[values]\ny = { value = "0.5", rounded = true }'), "given as a rounded value"),
])
def test_numbers_that_cannot_be_compared(problem: Callable[[], Problem], message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        derive(found := problem(), found.parts[0])


def test_forged_verdicts_on_numbers() -> None:
    problem = numbers('"-5", "4"', '"w"')
    derivation, checker = derive(problem, problem.parts[0]), Checker(problem)
    steps = list(derivation.all_steps())
    for s in steps:
        checker.check(s.claim)
    yes, no = (next(s.claim for s in steps if isinstance(s.claim, kind)) for kind in (Matches, Differs))
    assert isinstance(no, Differs) and no.witness is not None
    elsewhere = replace(no.witness, values=tuple((n, ((rows[0][0] + 1,),)) for n, rows in no.witness.values))
    for forged in (replace(yes, choice=no.choice), replace(no, choice=yes.choice), replace(no, choice=yes.choice, witness=elsewhere),
                   replace(no, witness=elsewhere), replace(no, witness=None)):
        assert checker.check(forged).ground is Ground.REFUTED


@pytest.mark.parametrize(("text", "shapes", "wrt", "right", "wrong"), [
    ("y = conv(x, k)\nL = 1/2 * norm(y - t)^2", {"x": "N", "k": "K", "t": "N - K + 1"}, "k", "conv(x, y - t)", "conv(x, y + t)"),
    ("A = softmax(Q @ K.T, 1)\nL = 1/2 * norm(A @ V - T)^2", {"Q": "N, D", "K": "M, D", "V": "M, P", "T": "N, P"}, "V", "A.T @ (A @ V - T)",
     "A.T @ (A @ V + T)"),
    ("L = 1/2 * norm(hstack(A, B) - T)^2", {"A": "N, D", "B": "N, D", "T": "N, 2*D"}, "A", "A - T[:, 1:D]", "A - T[:, D + 1:2*D]"),
    ("L = 1/2 * norm(concat(x, y) - t)^2", {"x": "N", "y": "N", "t": "2*N"}, "y", "y - t[N + 1:2*N]", "y - t[1:N]"),
    ("L = sum(logsumexp(A, 1))", {"A": "N, M"}, "A", "softmax(A, 1)", "softmax(A, 0)"),
    ("L = trace(kron(A, B))", {"A": "N, N", "B": "M, M"}, "A", "trace(B) * eye(N)", "trace(A) * eye(N)"),
])
def test_choices_go_through_whole_matrix_operations(text: str, shapes: dict[str, str], wrt: str, right: str, wrong: str) -> None:
    """The wrong one is told apart at a point, which needs numbers for convolutions, joined matrices and softmax by rows."""
    solution = symgrad.parse(text, shapes=shapes).choose("L", [wrt], [wrong, right])
    assert solution.proved and list(solution.answers) == ["choice 2"]

"""Claims about vectors and matrices: the honest ones hold, every corruption is refused with a message that says what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Expr, HadamardProduct, Integer, MatAdd, MatMul, MatrixSymbol, Rational, Transpose, ZeroMatrix

import symgrad
from symgrad.check.checker import Checker, unanswered
from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, AdjointEntry, Claim, ClosedForm, Differs, Line, Matches, Witness
from symgrad.language.entries import index
from symgrad.language.functions import Fn, dimension
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Choose, Problem
from symgrad.language.steps import Ground
from symgrad.language.wire import Decoder
from symgrad.questions import derive
from symgrad.reader.read import read_text
from tests.making import all_hold, backward, choose, claims, pick, verdicts, with_changes

N, K = dimension("N"), dimension("K")

MLP = backward("""z = W1 @ x + b1
h = sigmoid(z)
y = x + W2 @ h + b2
S = 1/2 * norm(y - s)^2
R = r.T @ h
L = S + R""", """x = { shape = "N" }
W1 = { shape = "K, N" }
b1 = { shape = "K" }
W2 = { shape = "N, K" }
b2 = { shape = "N" }
r = { shape = "K" }
s = { shape = "N" }
q = { shape = "K, N" }""", "L", "x W1 b1 W2 b2 r s q", 'components = ["x", "W1", "W2"]\nclosed_form = ["x", "W1"]')


def bar(name: str) -> Expr:
    return v.variable(f"{name}_bar", MLP.graph.shape(name))


def test_honest_claims_hold() -> None:
    found = claims(MLP)
    assert all_hold(MLP, found)
    assert not unanswered(MLP, MLP.parts[0], found)
    assert all(x.domain == "for all N, K" for x in verdicts(MLP, found))


def test_adjoints_by_hand() -> None:
    expr = {c.node: c.expr for c in claims(MLP) if isinstance(c, Adjoint)}
    g = MLP.graph.symbol
    slope = v.Elementwise(Fn("sigmoid", (1,)), g("z"))
    assert expr["L"] == expr["S"] == expr["R"] == 1
    assert expr["h"] == MatAdd(MatMul(Transpose(g("W2")), bar("y")), g("r"))
    assert expr["z"] in (HadamardProduct(bar("h"), slope), HadamardProduct(slope, bar("h")))
    assert expr["x"] == MatAdd(MatMul(Transpose(g("W1")), bar("z")), bar("y"))
    assert expr["W1"] == MatMul(bar("z"), Transpose(g("x"))) and expr["q"] == ZeroMatrix(K, N)


def refused(p: Problem, found: tuple[Claim, ...], k: int, message: str, ground: Ground = Ground.REFUTED, **changes: object) -> None:
    verdict = with_changes(p, found, k, **changes)
    assert verdict.ground is ground and message in verdict.method, verdict


def adjoint(node: str) -> tuple[tuple[Claim, ...], int, Adjoint]:
    found = claims(MLP)
    k = pick(found, Adjoint, node=node)
    claim = found[k]
    assert isinstance(claim, Adjoint)
    return found, k, claim


# ---- Adjoint ---------------------------------------------------------------------------------------------------------

g = MLP.graph.symbol
WRONG = {
    "flipped sign": ("x", MatAdd(MatMul(Transpose(g("W1")), bar("z")), MatMul(-1, bar("y"))), "the two sides differ"),
    "dropped term": ("x", MatMul(Transpose(g("W1")), bar("z")), "the two sides differ"),
    "doubled factor": ("x", MatAdd(MatMul(2, Transpose(g("W1")), bar("z")), bar("y")), "the two sides differ"),
    "doubled term": ("h", MatAdd(MatMul(Transpose(g("W2")), bar("y")), g("r"), g("r")), "the two sides differ"),
    "missing transpose": ("x", MatAdd(MatMul(g("W2"), bar("z")), bar("y")), "the two sides differ"),
    "missing transpose, other shape": ("W1", MatMul(g("x"), Transpose(bar("z"))), "W1_bar has shape (N, K), W1 is (K, N)"),
    "shapes that do not fit": ("x", MatAdd(MatMul(g("W1"), bar("z")), bar("y")), "do not fit"),
    "wrong coefficient": ("h", MatAdd(MatMul(Transpose(g("W2")), bar("y")), MatMul(2, g("r"))), "the two sides differ"),
    "wrong matrix": ("x", MatAdd(MatMul(g("W2"), bar("z")), bar("y")), "the two sides differ"),
    "slope at another place": ("z", HadamardProduct(bar("h"), v.Elementwise(Fn("sigmoid", (1,)), g("h"))), "the two sides differ"),
    "no slope": ("z", bar("h"), "the two sides differ"),
    "function for its slope": ("z", HadamardProduct(bar("h"), v.Elementwise(Fn("sigmoid", (0,)), g("z"))), "the two sides differ"),
    "second slope": ("z", HadamardProduct(bar("h"), v.Elementwise(Fn("sigmoid", (2,)), g("z"))), "the two sides differ"),
    "outer for inner": ("W2", MatMul(g("W2"), g("h"), Transpose(g("h"))), "the two sides differ"),
    "almost": ("y", MatAdd(g("y"), MatMul(Rational(-10**9 - 1, 10**9), g("s"))), "the two sides differ"),
    "not zero": ("q", MatMul(bar("z"), Transpose(g("x"))), "there is no path from q to L, so q_bar is zero"),
    "a scalar": ("x", Integer(0), "x_bar has shape a scalar, x is (N)"),
    "the seed": ("L", Integer(2), "the two sides differ"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_adjoint(name: str) -> None:
    node, wrong, message = WRONG[name]
    found, k, claim = adjoint(node)
    refused(MLP, found, k, message, expr=wrong)
    if len(claim.lines) > 1:
        lines = (*claim.lines[:-1], replace(claim.lines[-1], form=F.Just(wrong)))
        assert with_changes(MLP, found, k, lines=lines).ground is Ground.REFUTED


def test_a_dropped_consumer() -> None:
    found, k, claim = adjoint("h")
    first = claim.lines[0].form
    assert isinstance(first, F.Sum) and set(first.terms) == {F.Pullback("y", "h"), F.Pullback("R", "h")}
    refused(MLP, found, k, "h_bar forgets what R contributes", lines=(Line(F.Pullback("y", "h")), *claim.lines[1:]))
    refused(MLP, found, k, "h_bar forgets what R contributes", lines=(Line(F.Pullback("y", "h")),), expr=MatMul(Transpose(g("W2")), bar("y")))


def test_a_consumer_twice_and_a_stranger() -> None:
    found, k, claim = adjoint("h")
    first = claim.lines[0].form
    assert isinstance(first, F.Sum)
    for extra in (first.terms[0], F.Pullback("S", "y")):
        more = (Line(F.Sum((*first.terms, extra))), *claim.lines[1:])
        refused(MLP, found, k, "h_bar has a term that is no consumer of h, or one twice", lines=more)


def test_the_first_line_is_the_question() -> None:
    found, k, claim = adjoint("h")
    refused(MLP, found, k, "h_bar has no lines", lines=())
    refused(MLP, found, k, "h_bar forgets what y, R contributes", lines=claim.lines[1:])
    found, k, claim = adjoint("L")
    refused(MLP, found, k, "L_bar is 1 by definition", lines=(Line(F.Just(Integer(2))),))
    found, k, claim = adjoint("q")
    refused(MLP, found, k, "q_bar is zero: no path leads to L", lines=(Line(F.Just(MatMul(0, g("q")))),))


def test_about_another_node() -> None:
    found, k, claim = adjoint("b1")
    refused(MLP, found, k, "b2_bar forgets what y contributes", node="b2")
    refused(MLP, found, k, "b1_bar uses z_bar before it is derived", of="S")
    refused(MLP, found, k, "speaks of what the problem does not have", node="nowhere", ground=Ground.REFUTED)


def test_swapped_premises() -> None:
    """An adjoint before the one it rests on."""
    found = claims(MLP)
    h, z = pick(found, Adjoint, node="h"), pick(found, Adjoint, node="z")
    swapped = list(found)
    swapped[h], swapped[z] = swapped[z], swapped[h]
    said = verdicts(MLP, tuple(swapped))
    assert said[h].ground is Ground.REFUTED and said[h].method == "z_bar uses h_bar before it is derived"


def test_what_rests_on_a_refused_claim_is_refused() -> None:
    found, k, claim = adjoint("y")
    broken = (*found[:k], replace(claim, expr=g("s")), *found[k + 1:])
    grounds = dict(zip(range(len(broken)), (x.ground for x in verdicts(MLP, broken)), strict=True))
    assert grounds[k] is Ground.REFUTED and grounds[pick(broken, Adjoint, node="h")] is Ground.REFUTED
    assert grounds[pick(broken, Adjoint, node="r")] is Ground.PROVED  # rests on R alone


LAYOUTS: list[tuple[str, F.Form, str]] = [
    ("y", F.JacobianTimes(F.Stacked("R", "h"), "S"), "the shapes differ"),
    ("z", F.JacobianTimes(F.Diagonal(v.Elementwise(Fn("sigmoid", (1,)), g("h"))), "h", True), "the two sides differ"),
    ("z", F.JacobianTimes(F.Spread(g("W1")), "h", True), "cannot be evaluated"),
    ("h", F.Sum((F.JacobianTimes(F.Spread(g("W2")), "y", False), F.Just(g("r")))), "cannot be evaluated"),
    ("h", F.Sum((F.JacobianTimes(F.Spread(Transpose(g("W1"))), "y", True), F.Just(g("r")))), "the two sides differ"),
    ("h", F.Sum((F.JacobianTimes(F.Spread(g("W2")), "x", True), F.Just(g("r")))), "the two sides differ"),
    ("z", F.Tuple((F.Just(bar("h")),)), "is not a vector form"), ("z", F.PartialOf("h", "z"), "is not a vector form"),
    ("z", F.TotalOf("L", "z"), "is not a vector form"), ("z", F.Component("z", (index("i"),)), "is not a vector form"),
    ("z", F.Pullback("z", "x"), "the shapes differ"), ("b1", F.Pullback("y", "b2"), "the shapes differ"),
]


@pytest.mark.parametrize(("node", "form", "message"), LAYOUTS, ids=str)
def test_a_wrong_layout(node: str, form: F.Form, message: str) -> None:
    found, k, claim = adjoint(node)
    verdict = with_changes(MLP, found, k, lines=(claim.lines[0], Line(form), *claim.lines[1:]))
    assert verdict.ground in (Ground.REFUTED, Ground.UNDECIDED) and verdict.ground is not Ground.PROVED
    assert message in verdict.method or "differ" in verdict.method, verdict


# ---- AdjointEntry ----------------------------------------------------------------------------------------------------


def test_a_wrong_entry() -> None:
    found = claims(MLP)
    i, j = index("i"), index("j")
    z_bar, y_bar, w1 = bar("z"), bar("y"), g("W1")
    right = v.IndexSum(v.Entry(w1, j, i) * v.Entry(z_bar, j), j, K) + v.Entry(y_bar, i)
    k = pick(found, AdjointEntry, node="x")
    assert with_changes(MLP, found, k, indices=(i,), expr=right).ground is Ground.PROVED
    for wrong, message in (
        (right + v.Entry(y_bar, i), "the two sides differ"), (-right, "the two sides differ"),
        (v.IndexSum(v.Entry(w1, j, i) * v.Entry(z_bar, j), j, K), "the two sides differ"),
        (v.IndexSum(v.Entry(w1, i, j) * v.Entry(z_bar, j), j, K) + v.Entry(y_bar, i), "does not run from 1 to"),
        (v.Entry(w1, Integer(1), i) * v.Entry(z_bar, Integer(1)) + v.Entry(w1, Integer(2), i) * v.Entry(z_bar, Integer(2)) + v.Entry(y_bar, i),
         "the two sides differ"),
    ):
        refused(MLP, found, k, message, indices=(i,), expr=wrong)
    w = pick(found, AdjointEntry, node="W1")
    x = g("x")
    assert with_changes(MLP, found, w, indices=(i, j), expr=v.Entry(z_bar, i) * v.Entry(x, j)).ground is Ground.PROVED
    refused(MLP, found, w, "does not run from 1 to", indices=(i, j), expr=v.Entry(z_bar, j) * v.Entry(x, i))
    refused(MLP, found[:2] + found[w:], 2, "W1_bar was not derived")


# ---- ClosedForm ------------------------------------------------------------------------------------------------------


def test_a_wrong_closed_form() -> None:
    found = claims(MLP)
    k = pick(found, ClosedForm, node="x")
    honest = found[k]
    assert isinstance(honest, ClosedForm) and not any(n.endswith("_bar") for n in v.names_in(honest.expr))
    with_bar = MatAdd(MatMul(Transpose(g("W1")), bar("z")), MatAdd(g("y"), MatMul(-1, g("s"))))
    refused(MLP, found, k, "the closed form of x_bar still has an adjoint in it", expr=with_bar)
    refused(MLP, found, k, "the two sides differ", expr=MatAdd(*honest.expr.args[:-1]) if len(honest.expr.args) > 2 else honest.expr.args[0])
    refused(MLP, found, k, "the two sides differ", expr=MatMul(2, honest.expr))
    refused(MLP, found, k, "the shapes differ", expr=g("W1"))


def test_a_closed_form_with_definitions_put_in() -> None:
    """y may stand for itself or for what it is defined as."""
    found = claims(MLP)
    k = pick(found, ClosedForm, node="x")
    honest = found[k]
    assert isinstance(honest, ClosedForm)
    y = MLP.graph.node("y").expr
    assert with_changes(MLP, found, k, expr=honest.expr.xreplace({g("y"): y})).ground is Ground.PROVED
    assert with_changes(MLP, found, k, expr=honest.expr.xreplace({g("y"): MatAdd(y, y)})).ground is Ground.REFUTED


# ---- Matches and Differs ---------------------------------------------------------------------------------------------

CHOICES = ["A @ x @ x.T", "A @ A.T @ A @ x", "x.T @ A.T @ A @ x", "2 * A @ x @ x.T", "A", "x @ x.T @ A.T", "b @ x.T"]
PICK = choose("b = A @ x\nf = 1/2 * norm(b)^2", 'A = { shape = "n, d" }\nx = { shape = "d" }', "f", "A", CHOICES)


def test_choices() -> None:
    p = replace(PICK, parts=(replace(PICK.parts[0], ask=replace(PICK.parts[0].ask, several=True)),))  # type: ignore[type-var, call-arg]
    found = claims(p)
    assert all_hold(p, found) and not unanswered(p, p.parts[0], found)
    ask = p.parts[0].ask
    assert isinstance(ask, Choose)
    decided = {c.choice: type(c) for c in found if isinstance(c, Matches | Differs)}
    assert [decided[c] is Matches for c in ask.choices] == [True, False, False, False, False, False, True]


def test_right_marked_wrong_and_wrong_marked_right() -> None:
    found = claims(PICK)
    ask = PICK.parts[0].ask
    assert isinstance(ask, Choose)
    derived = tuple(c for c in found if isinstance(c, Adjoint))
    some = next(c.witness for c in found if isinstance(c, Differs) and c.witness)
    for number, choice in enumerate(ask.choices):
        right = number in (0, 6)
        match, differ = verdicts(PICK, (*derived, Matches("f", ("A",), choice), Differs("f", ("A",), choice, 0, some)))[len(derived):]
        assert (match.ground is Ground.PROVED) is right, (number, match)
        if v.shape_of(choice[0]) == PICK.graph.shape("A"):
            assert (differ.ground is Ground.PROVED) is not right, (number, differ)
        if right:
            assert differ.method == "the witness does not separate the choice from the derivative"
            (said,) = verdicts(PICK, (*derived, Differs("f", ("A",), choice, 0, None)))[len(derived):]
            assert (said.ground, said.method) == (Ground.REFUTED, "the shapes are the same, and no witness is given")


def test_more_than_one_right_choice_is_not_an_answer() -> None:
    found = claims(PICK)
    assert unanswered(PICK, PICK.parts[0], found) == ("exactly one right choice (2 fit)",)
    none = tuple(c for c in found if not isinstance(c, Matches))
    assert unanswered(PICK, PICK.parts[0], none) == ("choice 1", "choice 7")


def differs(**changes: object) -> tuple[Ground, str]:
    found = claims(PICK)
    k = next(i for i, c in enumerate(found) if isinstance(c, Differs) and c.witness)
    verdict = with_changes(PICK, found, k, **changes)
    return verdict.ground, verdict.method


def test_a_witness_that_does_not_separate() -> None:
    found = claims(PICK)
    honest = next(c for c in found if isinstance(c, Differs) and c.witness)
    w = honest.witness
    assert w is not None and differs()[0] is Ground.PROVED
    zero = replace(w, values=tuple((n, tuple(tuple(Rational(0) for _ in row) for row in rows)) for n, rows in w.values))
    assert differs(witness=zero) == (Ground.REFUTED, "the witness does not separate the choice from the derivative")


@pytest.mark.parametrize(("changes", "message"), [
    ({"sizes": ()}, "the witness gives no size from 1 to 20 for n"), ({"sizes": (("n", 0), ("d", 2))}, "gives no size"),
    ({"sizes": (("n", 2), ("d", 10**6))}, "gives no size"), ({"values": ()}, "gives no value"), ({"entry": (9, 9)}, "has no entry (9, 9)"),
    ({"entry": (0, 1)}, "has no entry (0, 1)"), ({"values": (("q", ((Rational(1),),)),)}, "does not have"),
    ({"values": (("b", ((Rational(1),),)),)}, "b is no variable"),
    ({"values": (("x", ((Rational(1),), (Rational(2),), (Rational(3),))),)}, "x has another size at the point: it is 2 x 1"),
])
def test_a_witness_that_is_none(changes: dict[str, object], message: str) -> None:
    found = claims(PICK)
    w = next(c.witness for c in found if isinstance(c, Differs) and c.witness)
    assert isinstance(w, Witness)
    ground, method = differs(witness=replace(w, **changes))  # type: ignore[arg-type]
    assert ground is Ground.REFUTED and message in method, method


def test_parts_and_numbers_of_choices() -> None:
    for changes in ({"part": 1}, {"part": -1}, {"choice": ()}, {"wrt": ("A", "x")}):
        assert differs(**changes) == (Ground.REFUTED, "a choice has one expression for each derivative in question")
    found = claims(PICK)
    k = pick(found, Matches)
    refused(PICK, found, k, "a choice has one expression for each derivative in question", wrt=(), choice=())
    refused(PICK, found, k, "x_bar was not derived", wrt=("x",))
    refused(PICK, found, k, "A_bar was not derived", of="b")


def test_a_witness_at_a_kink_shows_nothing() -> None:
    """|x|' at 0 does not exist, so a choice cannot differ from it there."""
    p = choose("y = abs(x)\nL = 3*y", "x = {}", "L", "x", ["3*sign(x)", "3*step(x)"])
    found = claims(p)
    derived = tuple(c for c in found if not isinstance(c, Matches | Differs))
    ask = p.parts[0].ask
    assert isinstance(ask, Choose)
    at_zero = Witness((), (("x", ((Rational(0),),)),))
    below = Witness((), (("x", ((Rational(-1),),)),))
    said = verdicts(p, (*derived, Differs("L", ("x",), ask.choices[1], 0, at_zero), Differs("L", ("x",), ask.choices[1], 0, below)))[len(derived):]
    assert [x.ground for x in said] == [Ground.REFUTED, Ground.PROVED]


# ---- names -----------------------------------------------------------------------------------------------------------


def test_a_variable_that_looks_like_an_adjoint() -> None:
    """A problem made without the reader that calls a variable h_bar: no adjoint of h can be told from it."""
    graph = Graph((Variable("x", (N, Integer(1))), Variable("h_bar", (N, Integer(1)))),
                  (Node("h", MatMul(2, MatrixSymbol("x", N, 1))),
                   Node("L", v.as_scalar(MatMul(Transpose(MatrixSymbol("h", N, 1)), MatrixSymbol("h_bar", N, 1))))))
    p = Problem("p", "t", graph, ())
    one = Adjoint("L", "L", Integer(1), (Line(F.Just(Integer(1))),))
    h_bar = MatrixSymbol("h_bar", N, 1)
    (_, said) = verdicts(p, (one, Adjoint("L", "h", h_bar, (Line(F.Pullback("L", "h")), Line(F.Just(h_bar))))))
    assert (said.ground, said.method) == (Ground.REFUTED, "h_bar is a name of the problem and cannot stand for the adjoint of h too")


def test_names_travel_as_names() -> None:
    """A certificate cannot bring a variable of its own shape."""
    decoded = Decoder(MLP.graph)._expr(["name", "W1"], 0)
    assert decoded == MatrixSymbol("W1", K, N)


@pytest.mark.parametrize("let", ["p = softmax(z)\nL = -t.T @ log(p)", "h = g(z)\np = softmax(z)\nL = sum(h) + t.T @ p", "h = norm(z)\nL = h^3"])
def test_slopes_written_with_the_output_are_proved(let: str) -> None:
    """z_bar = p o p_bar - (p^T p_bar) p with p = softmax(z), for every size."""
    symbols = "\n".join(f'{n} = {{ shape = "{s}" }}' for n, s in (("W", "K, N"), ("x", "N"), ("t", "K")))
    text = (f'format = 1\nid = "s"\ntitle = "S"\n[symbols]\n{symbols}\n[model]\nlet = """\nz = W @ x\n{let}\n"""\n'
            '[[part]]\nlabel = "a"\nask = "backward"\nof = "L"\nwrt = ["x", "W"]\n')
    asked, _ = read_text(text, "s.toml")
    checker = Checker(asked)
    assert {checker.check(s.claim).ground for s in derive(asked, asked.parts[0]).all_steps()} == {Ground.PROVED}


def test_what_rests_on_an_undecided_adjoint_is_undecided_and_not_refuted() -> None:
    """(1/N sum c^2)^(3/2) has no proof for all N; a claim that uses its adjoint is not false for that."""
    model = symgrad.parse("c = x - mean(x)\nL = mean(c^3) / mean(c^2)^1.5", {"x": "N"})
    solution = model.backward("L", "x")
    assert [s.verdict.ground for s in solution.steps] == [Ground.PROVED, Ground.UNDECIDED, Ground.UNDECIDED]
    assert solution.steps[-1].verdict.method == "x_bar rests on c_bar, which is not decided"
    assert not solution.proved

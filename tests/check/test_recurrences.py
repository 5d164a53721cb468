"""Recurrence claims: right ones hold, and each corrupted one is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Expr, Integer

from symgrad.check.checker import Checker, unanswered
from symgrad.language import forms as F
from symgrad.language import sequence as Q
from symgrad.language import vectors as v
from symgrad.language.claims import Adjoint, Claim, Line, Recurrence
from symgrad.language.errors import Unsupported
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.wire import certificate_from_json, certificate_to_json
from symgrad.pipeline import solve
from symgrad.reader.read import read_text
from tests.families import text
from tests.sequences import LSTM, MEAN, MIXED, RNN


class Case:
    """A problem with its claims, and the verdict on a claim put after them."""

    def __init__(self, text: str) -> None:
        self.problem: Problem = read_text(text, "sequence.toml")[0]
        self.result = solve(self.problem)
        self.claims: list[Claim] = [e.claim for e in self.result.certificate.entries]
        assert self.result.parts[0].derivation is not None, self.result.parts[0].failure

    def claim(self, node: str, when: str) -> Recurrence:
        (found,) = [c for c in self.claims if isinstance(c, Recurrence) and (c.node, c.when) == (node, when)]
        return found

    def verdict(self, claim: Claim, rest: list[Claim] | None = None) -> Verdict:
        checker = Checker(self.problem)
        for c in self.claims if rest is None else rest:
            if isinstance(c, Adjoint):
                assert checker.check(c).ground is Ground.PROVED
        return checker.check(claim)

    def symbol(self, name: str) -> Expr:
        return v.variable(name, self.problem.graph.shape(name.removesuffix("_bar")))


@pytest.fixture(scope="module")
def rnn() -> Case:
    return Case(RNN)


@pytest.fixture(scope="module")
def mixed() -> Case:
    return Case(MIXED)


def with_expr(c: Recurrence, expr: Expr) -> Recurrence:
    """The claim with another result, its last line too."""
    return replace(c, expr=expr, lines=(c.lines[0], Line(F.Just(expr))))


def test_the_equations_of_a_recurrent_network_are_those_of_the_textbook(rnn: Case) -> None:
    W, V = rnn.symbol("W"), rnn.symbol("V")
    bar = {n: rnn.symbol(f"{n}_bar") for n in ("z_1", "z_2", "z_3", "h_2")}
    error = v.add(v.matmul(V, rnn.symbol("h_2")), v.negate(rnn.symbol("y_2")))
    textbook = v.add(v.matmul(v.transpose(V), error), v.matmul(v.transpose(W), bar["z_3"]))
    assert rnn.verdict(with_expr(rnn.claim("h_2", Q.EARLIER), textbook)).ground is Ground.PROVED
    assert rnn.claim("W", Q.SUM).expr == v.matmul(bar["z_2"], v.transpose(rnn.symbol("h_1")))
    assert rnn.claim("h0", Q.FIRST).expr == v.matmul(v.transpose(W), bar["z_1"])
    verdict = rnn.verdict(rnn.claim("h_2", Q.EARLIER))
    assert verdict.ground is Ground.PROVED and verdict.domain == "for all T, D, M, K"
    assert {(c.node, c.when) for c in rnn.claims if isinstance(c, Recurrence)} == {
        ("L", Q.ONCE), ("l_2", Q.EVERY), ("h_3", Q.LAST), ("h_2", Q.EARLIER), ("z_2", Q.EVERY), ("b", Q.SUM), ("V", Q.SUM), ("U", Q.SUM),
        ("W", Q.SUM), ("h0", Q.FIRST), ("x_2", Q.EVERY)}


def test_a_forgotten_term_is_refused(rnn: Case) -> None:
    c = rnn.claim("h_2", Q.EARLIER)
    last = rnn.claim("h_3", Q.LAST)
    assert rnn.problem.sequence is not None
    without = rnn.problem.sequence.moved(last, -1)
    for wrong in (with_expr(c, without.expr), replace(without, when=Q.EARLIER), replace(without, when=Q.EVERY)):
        assert rnn.verdict(wrong).ground is Ground.REFUTED
    assert "forgets what z_2 contributes" in rnn.verdict(replace(without, when=Q.EARLIER)).method


def test_a_wrong_step_is_refused(rnn: Case) -> None:
    c, sequence = rnn.claim("h_2", Q.EARLIER), rnn.problem.sequence
    assert sequence is not None
    for when in (Q.EVERY, Q.LAST, Q.FIRST, Q.SUM, Q.ONCE, "always"):
        assert rnn.verdict(replace(c, when=when)).ground is Ground.REFUTED
    z = rnn.claim("z_2", Q.EVERY)
    for when in (Q.LAST, Q.FIRST, Q.SUM, Q.ONCE):
        assert rnn.verdict(replace(z, when=when)).ground is Ground.REFUTED
    assert rnn.verdict(replace(z, when=Q.EARLIER)).ground is Ground.PROVED  # true, and says less
    for by in (-1, 1):
        assert rnn.verdict(sequence.moved(c, by)).ground is Ground.REFUTED
    W, bar = rnn.symbol("W"), rnn.symbol("z_3_bar")
    shifted = c.expr.xreplace({bar: rnn.symbol("z_2_bar")})
    assert shifted != c.expr and rnn.verdict(with_expr(c, shifted)).ground is Ground.REFUTED
    assert rnn.verdict(replace(rnn.claim("h0", Q.FIRST), when=Q.ONCE)).ground is Ground.REFUTED
    assert rnn.verdict(with_expr(rnn.claim("h0", Q.FIRST), v.matmul(v.transpose(W), rnn.symbol("z_2_bar")))).ground is Ground.REFUTED


def test_a_wrong_summand_is_refused(rnn: Case) -> None:
    c = rnn.claim("W", Q.SUM)
    bar, h = rnn.symbol("z_2_bar"), rnn.symbol("h_2")
    doubled = v.times(Integer(2), c.expr)
    for wrong in (v.matmul(bar, v.transpose(h)), v.matmul(rnn.symbol("z_1_bar"), v.transpose(rnn.symbol("h_1"))), doubled, v.transpose(c.expr)):
        assert rnn.verdict(with_expr(c, wrong)).ground is Ground.REFUTED
    assert rnn.verdict(replace(c, rest=None)).ground is Ground.REFUTED
    assert rnn.verdict(replace(c, rest=c.expr)).ground is Ground.REFUTED
    assert rnn.verdict(replace(c, lines=c.lines[1:])).ground is Ground.REFUTED
    assert rnn.verdict(replace(c, when=Q.FIRST, rest=None)).ground is Ground.REFUTED


def test_a_sum_that_is_right_in_all_and_wrong_at_each_step_is_refused(rnn: Case) -> None:
    """sum over t of z_bar[t] is also the sum of the average; at another T the average is another."""
    c = rnn.claim("b", Q.SUM)
    average = v.times(Integer(1) / 3, v.add(v.add(rnn.symbol("z_1_bar"), rnn.symbol("z_2_bar")), rnn.symbol("z_3_bar")))
    verdict = rnn.verdict(with_expr(c, average))
    assert verdict.ground is Ground.REFUTED and "another step" in verdict.method


def test_what_stands_beside_a_sum_is_part_of_it(mixed: Case) -> None:
    c = mixed.claim("W", Q.SUM)
    assert c.rest == v.times(Integer(1) / 2, mixed.symbol("W")) or mixed.verdict(c).ground is Ground.PROVED
    assert mixed.verdict(replace(c, rest=Integer(0))).ground is Ground.REFUTED
    assert mixed.claim("O", Q.LAST).when == Q.LAST
    assert mixed.verdict(replace(mixed.claim("O", Q.LAST), when=Q.ONCE)).ground is Ground.REFUTED


def test_the_number_of_steps_is_any_number_and_not_that_of_the_written_graph() -> None:
    case = Case(MEAN)
    at = case.symbol("T")
    for node, when in (("L_sum1", Q.ONCE), ("h_3", Q.LAST), ("h_2", Q.EARLIER), ("W", Q.SUM), ("x_2", Q.EVERY)):
        c = case.claim(node, when)
        three = c.expr.xreplace({at: Integer(3)})
        assert case.verdict(c).ground is Ground.PROVED
        assert three == c.expr or case.verdict(with_expr(c, three)).ground is Ground.REFUTED
    assert case.verdict(with_expr(case.claim("L_sum1", Q.ONCE), Integer(1) / 3)).ground is Ground.REFUTED
    verdict = case.verdict(replace(case.claim("W", Q.SUM), node="T"))
    assert verdict.ground is Ground.REFUTED and "number of steps" in verdict.method


def test_it_rests_on_adjoints_that_were_verified(rnn: Case) -> None:
    assert rnn.verdict(rnn.claim("h_2", Q.EARLIER), []).ground is Ground.REFUTED


def test_a_problem_without_a_symbolic_length_has_no_recurrences(rnn: Case) -> None:
    problem, _ = read_text(RNN.replace('length = "T"', "length = 3").replace('"x"]', '"x[1]"]'), "sequence.toml")
    assert problem.graph == rnn.problem.graph
    checker = Checker(problem)
    for c in rnn.claims:
        assert (checker.check(c).ground is Ground.PROVED) == isinstance(c, Adjoint)


def test_the_equations_of_all_steps_answer_the_question(rnn: Case) -> None:
    (part,) = rnn.problem.parts
    assert unanswered(rnn.problem, part, tuple(rnn.claims)) == ()
    for node, when in (("W", Q.SUM), ("x_2", Q.EVERY), ("h0", Q.FIRST)):
        assert unanswered(rnn.problem, part, tuple(c for c in rnn.claims if c != rnn.claim(node, when))) == (f"{node}_bar",)


def test_the_graph_is_held_to_one_definition_for_all_steps(rnn: Case) -> None:
    sequence, graph = rnn.problem.sequence, rnn.problem.graph
    assert sequence is not None
    sequence.require(graph, "L")
    nodes = tuple(replace(n, expr=v.negate(n.expr)) if n.name == "h_2" else n for n in graph.nodes)
    with pytest.raises(Unsupported, match="h has not the same definition at every step"):
        sequence.require(replace(graph, nodes=nodes), "L")


@pytest.mark.parametrize("text", [RNN, LSTM, MIXED, MEAN])
def test_certificates_travel(text: str) -> None:
    case = Case(text)
    data = certificate_to_json(case.result.certificate)
    assert certificate_from_json(data, case.problem.graph) == case.result.certificate


CHANCE = """format = 1
id = "chance"
title = "Two adjoints whose sum is 4 at two steps, and 8 at the next"
[sequence]
length = "T"
[symbols]
x = { role = "input", each = true }
a0 = {}
b0 = {}
d0 = {}
[model]
let = '''
a[t] = x[t]
b[t] = -3 * b[t-1] + d[t-1] + a[t-1]
d[t] = b[t-1] + d[t-1] + a[t-1]
L = b[last] + 3 * d[last] + 4 * a[last]
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["x"]
"""


def test_numbers_of_other_steps_are_not_put_in() -> None:
    """a_bar is 4 at steps 3, 2, 1 of the written graph, and 8 at the first of four: b_bar + d_bar is 4 by chance."""
    case = Case(CHANCE)
    bars = {"b": 1, "d": 3}, {"b": 0, "d": 4}, {"b": 4, "d": 4}
    assert [x["b"] + x["d"] for x in bars] == [4, 4, 8]
    a, b, d = (case.symbol(f"{n}_3_bar") for n in "abd")
    honest = case.claim("a_2", Q.EARLIER)
    assert case.verdict(honest).ground is Ground.PROVED and set(honest.expr.free_symbols) == {b, d}
    assert a not in honest.expr.free_symbols
    assert case.verdict(with_expr(honest, Integer(4))).ground is not Ground.PROVED
    values = {"L": 1, **{f"{n}_{3 - k}": x for k, row in enumerate(bars) for n, x in row.items()}, **{f"{n}_{k}": 4 for n in "ax" for k in (1, 2, 3)}}
    numbered: list[Claim] = [replace(c, expr=Integer(values[c.node])) for c in case.claims if isinstance(c, Adjoint)]
    assert case.verdict(with_expr(honest, Integer(4)), numbered).ground is not Ground.PROVED
    x = case.claim("x_2", Q.EVERY)
    assert case.verdict(x).ground is Ground.PROVED
    assert case.verdict(with_expr(x, Integer(4)), numbered).ground is not Ground.PROVED


def test_the_number_of_written_steps_is_put_in_for_no_adjoint() -> None:
    """c = c0^2 in every one of T steps: c_bar is 3 in the written graph and T in general, so c0_bar is 2 c0 c_bar, and not 6 c0."""
    text = CHANCE[:CHANCE.index("[symbols]")] + """[symbols]
x = { role = "input", each = true }
c0 = {}
[model]
let = '''
c = c0^2
g[t] = c + x[t]
L = sum(g[t])
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["c0"]
"""
    case = Case(text)
    honest, c0 = case.claim("c0", Q.ONCE), case.symbol("c0")
    assert case.verdict(honest).ground is Ground.PROVED and case.symbol("c_bar") in honest.expr.free_symbols
    numbered: list[Claim] = [replace(c, expr=Integer(3)) if c.node == "c" else c for c in case.claims if isinstance(c, Adjoint)]
    assert case.verdict(honest, numbered).ground is Ground.PROVED
    assert case.verdict(with_expr(honest, 6 * c0), numbered).ground is Ground.REFUTED


@pytest.mark.parametrize(("step", "loss", "want"), [
    ("g[t] = 1/2 * g[t-1] + x[t]", "g[last]", {"g_bar[T]": "1", "g_bar[t]": "1/2 * g_bar[t+1]"}),
    ("g[t] = w * g[t-1] + x[t]", "g[last]", {"g_bar[T]": "1", "g_bar[t]": "w * g_bar[t+1]"}),
    ("g[t] = g[t-1] + x[t]", "g[last]", {"g_bar[T]": "1", "g_bar[t]": "g_bar[t+1]"}),
    ("g[t] = 1/2 * g[t-1] + x[t]", "sum(g[t])", {"g_bar[T]": "1", "g_bar[t]": "1 + 1/2 * g_bar[t+1]"})])
def test_linear_recursions_of_numbers(step: str, loss: str, want: dict[str, str]) -> None:
    """Adjoints that are numbers in the graph of three steps stay names where another step makes them."""
    text = CHANCE[:CHANCE.index("[symbols]")] + f"""[symbols]
x = {{ role = "input", each = true }}
g0 = {{}}
w = {{}}
[model]
let = '''
{step}
L = {loss}
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["x", "g0"]
[expected]
"""
    text += "\n".join(f'"a.{k}" = "{e}"' for k, e in want.items())
    problem, expected = read_text(text, "sequence.toml")
    result = solve(problem, expected)
    assert not result.parts[0].failure and all(agrees for _, agrees in result.parts[0].expected)
    assert all(e.verdict.ground is Ground.PROVED for e in result.certificate.entries)


# ---- families: an index without recursion ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heads() -> Case:
    return Case(text("attention", "H"))


def test_the_equations_of_a_family_are_those_of_every_index(heads: Case) -> None:
    assert {c.when for c in heads.claims if isinstance(c, Recurrence)} == {Q.ONCE, Q.EVERY}
    c = heads.claim("Wq_2", Q.EVERY)
    X, bar = heads.symbol("X"), heads.symbol("q_2_bar")
    assert c.expr == v.matmul(v.transpose(X), bar)
    verdict = heads.verdict(c)
    assert verdict.ground is Ground.PROVED and verdict.domain.startswith("for all H, ")
    assert "the equation at each i of a graph with H = 3, and that of any other is the same but for the names" in verdict.method


def test_another_member_is_refused(heads: Case) -> None:
    """One head's equation with the weights or the adjoint of another, and the equation of another member."""
    c, sequence = heads.claim("O_2", Q.EVERY), heads.problem.sequence
    assert sequence is not None and heads.verdict(c).ground is Ground.PROVED
    for node in ("Wq_2", "Wo_2", "A_2", "v_2"):
        c = heads.claim(node, Q.EVERY)
        swapped = c.expr.xreplace({heads.symbol(n): heads.symbol(f"{n[:-1]}1") if n.endswith("_2") else heads.symbol(n.replace("_2_", "_1_"))
                                   for n in v.names_in(c.expr) if "_2" in n})
        assert swapped != c.expr
        for wrong in (with_expr(c, swapped), sequence.moved(c, 1), sequence.moved(c, -1), with_expr(c, v.times(Integer(2), c.expr))):
            assert heads.verdict(wrong).ground is Ground.REFUTED
        for when in (Q.LAST, Q.FIRST, Q.SUM, Q.ONCE):
            assert heads.verdict(replace(c, when=when)).ground is Ground.REFUTED


def test_a_sum_over_a_family_has_a_term_for_every_member() -> None:
    case = Case(text("attention", "H").replace('wrt = "parameters"', 'wrt = ["X"]'))
    c = case.claim("X", Q.SUM)
    assert case.verdict(c).ground is Ground.PROVED
    terms = c.expr.args
    assert len(terms) == 3
    for forgotten in terms:
        assert case.verdict(with_expr(c, v.add(*(t for t in terms if t is not forgotten)))).ground is Ground.REFUTED
    assert case.verdict(replace(c, when=Q.ONCE, rest=None)).ground is Ground.REFUTED
    assert case.verdict(replace(c, rest=c.expr)).ground is Ground.REFUTED
    other = case.problem.sequence
    assert other is not None and case.verdict(with_expr(c, other.moved(c.expr, 1))).ground is Ground.REFUTED

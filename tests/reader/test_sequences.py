"""[sequence]: written out it is the model that one writes out by hand, with the right derivatives; wrong use is an error on its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad
from symgrad.language.errors import SpecErrors
from symgrad.reader.read import read_text
from symgrad.reader.sequence import step_latex
from tests.sequences import DEEP, Loss, Values, assert_gradients, sigmoid

RNN = """format = 1
id = "rnn"
title = "RNN"
[sequence]
length = 3
[symbols]
x = { shape = "D", each = true, role = "input" }
y = { shape = "K", each = true, role = "given" }
h0 = "K"
W = "K, K"
U = { shape = "K, D" }
b = "K"
[model]
let = '''
z[t] = W @ h[t-1] + U @ x[t] + b
h[t] = tanh(z[t])
l[t] = 1/2 * norm(h[t] - y[t])^2
L = sum(l[t])
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["W", "U", "b", "h0", "x[1]"]
"""
LSTM = """format = 1
id = "lstm"
title = "LSTM"
[sequence]
index = "s"
length = 2
[symbols]
x = { shape = "D", each = true, role = "input" }
y = { shape = "K", role = "given" }
h0 = "K"
c0 = "K"
A = "K, K"
B = "K, K"
C = "K, K"
E = "K, K"
F = "K, D"
G = "K, D"
[model]
let = '''
i[s] = sigmoid(A @ h[s-1] + F @ x[s])
f[s] = sigmoid(B @ h[s-1] + G @ x[s])
o[s] = sigmoid(C @ h[s-1] + F @ x[s])
g[s] = tanh(E @ h[s-1] + G @ x[s])
c[s] = f[s] * c[s-1] + i[s] * g[s]
h[s] = o[s] * tanh(c[s])
L = 1/2 * norm(h[last] - y)^2
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["A", "B", "C", "E", "F", "G", "h0", "c0", "x[1]"]
"""


def lstm(v: Values, length: int, m: Any) -> Any:
    h, c = v["h0"], v["c0"]
    for s in range(1, length + 1):
        x = v[f"x_{s}"]
        i, f = sigmoid(m, v["A"] @ h + v["F"] @ x), sigmoid(m, v["B"] @ h + v["G"] @ x)
        o, g = sigmoid(m, v["C"] @ h + v["F"] @ x), m.tanh(v["E"] @ h + v["G"] @ x)
        c = f * c + i * g
        h = o * m.tanh(c)
    return ((h - v["y"]) ** 2).sum() / 2


def rnn(v: Values, length: int, m: Any) -> Any:
    h, loss = v["h0"], 0.0
    for t in range(1, length + 1):
        h = m.tanh(v["W"] @ h + v["U"] @ v[f"x_{t}"] + v["b"])
        loss = loss + ((h - v[f"y_{t}"]) ** 2).sum() / 2
    return loss


@pytest.mark.parametrize("length", [1, 2, 4])
@pytest.mark.parametrize(("text", "loss"), [(RNN, rnn), (LSTM, lstm)])
def test_the_gradients_are_right(text: str, loss: Loss, length: int, tmp_path: Path) -> None:
    name = "rnn" if loss is rnn else "lstm"
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace("length = 3", f"length = {length}").replace("length = 2", f"length = {length}"), "utf-8")
    problem, _ = read_text(path.read_text("utf-8"), path.name, name)
    solution = symgrad.solve(path)
    assert solution.proved
    sizes = {"K": 3, "D": 2}
    random = np.random.default_rng(length)
    values = {x.name: random.normal(size=[sizes[str(d)] for d in x.shape if d != 1]) for x in problem.graph.variables}
    asked = problem.parts[0].ask.wrt  # type: ignore[union-attr]
    assert "x_1" in asked and "h0" in asked
    found = solution.lambdify(*(f"{n}_bar" for n in asked))(**values)
    assert_gradients(loss, values, length, {n: found[f"{n}_bar"] for n in asked})


BY_HAND = RNN.replace("[sequence]\nlength = 3\n", "").replace('x = { shape = "D", each = true, role = "input" }', """
x_1 = { shape = "D", role = "input" }
x_2 = { shape = "D", role = "input" }""").replace('y = { shape = "K", each = true, role = "given" }', """
y_1 = { shape = "K", role = "given" }
y_2 = { shape = "K", role = "given" }""").replace("""z[t] = W @ h[t-1] + U @ x[t] + b
h[t] = tanh(z[t])
l[t] = 1/2 * norm(h[t] - y[t])^2
L = sum(l[t])
""", """z_1 = W @ h0 + U @ x_1 + b
h_1 = tanh(z_1)
l_1 = 1/2 * norm(h_1 - y_1)^2
z_2 = W @ h_1 + U @ x_2 + b
h_2 = tanh(z_2)
l_2 = 1/2 * norm(h_2 - y_2)^2
L = l_1 + l_2
""").replace("x[1]", "x_1")


def test_it_is_the_model_written_by_hand() -> None:
    one, _ = read_text(RNN.replace("length = 3", "length = 2"), "rnn.toml")
    other, _ = read_text(BY_HAND, "rnn.toml")
    assert one.graph == other.graph and one.parts == other.parts


def test_what_stands_between_steps_goes_before_or_after_them() -> None:
    model = RNN.replace("L = sum(l[t])", "s = 1/4 * sum(l[t] * norm(h[t-1]))\nm[t] = l[t] / s\nc = norm(b)\nL = sum(m[t] - c) * h[2][1] + s^2")
    problem, _ = read_text(model, "rnn.toml")
    names = [n.name for n in problem.graph.nodes]
    assert names == [*(f"{n}_{t}" for t in (1, 2, 3) for n in "zhl"), "s", "c", "m_1", "m_2", "m_3", "L"] or \
        names == ["c", *(f"{n}_{t}" for t in (1, 2, 3) for n in "zhl"), "s", "m_1", "m_2", "m_3", "L"]
    at = lambda n, t: problem.graph.symbol(f"{n}_{t}")  # noqa: E731
    assert problem.graph.node("m_3").expr == at("l", 3) / problem.graph.symbol("s")
    assert problem.graph.node("s").expr.has(problem.graph.symbol("h0")) and not problem.graph.node("s").expr.has(at("h", 3))


def test_expected_answers_and_values_are_written_with_steps() -> None:
    text = RNN + '[values]\n"x[2]" = [1, 2]\n[sizes]\nK = 2\n[expected]\n"a.h[2]_bar" = "W.T @ z_bar[3] + h[last] - y[last]"\n"a.h_bar[1]" = "h0"\n'
    problem, expected = read_text(text, "rnn.toml")
    assert [v.name for v in problem.values] == ["x_2"]
    assert [(e.label, e.value) for e in expected] == [("h_2_bar", "W.T @ z_3_bar + h_3 - y_3"), ("h_1_bar", "h0")]
    assert expected[0].place.line == text.splitlines().index('"a.h[2]_bar" = "W.T @ z_bar[3] + h[last] - y[last]"') + 1


def test_steps_are_printed_as_indices() -> None:
    text = RNN.replace('U = { shape = "K, D" }', 'U = { shape = "K, D", each = true, latex = "U^{a}" }').replace("U @", "U[t] @").replace(
        '"U", "b"', '"b"').replace("L = sum(l[t])\n'''", "L = sum(l[t])\n'''\nlatex = { l = '\\ell_{c}' }")
    problem, _ = read_text(text, "rnn.toml")
    assert problem.graph["U_2"].latex == "U^{a}_{2}" and problem.graph["l_3"].latex == r"\ell_{c}^{(3)}"
    assert step_latex("W_a^b", 2) == "{W_a^b}_{2}" and step_latex("", 2) == ""


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ("W @ h[t-1]", "W @ h[t-2]", 15, "unsupported: h[t-2]: a step uses the values of its own step and of the one before, [t] and [t-1]"),
    ("W @ h[t-1]", "W @ h[t+1]", 15, "unsupported: h[t+1]: a step uses"),
    ("W @ h[t-1]", "W @ h[2*t]", 15, "unsupported: h[2*t]: a step uses"),
    ("W @ h[t-1]", "t * W @ h[t-1]", 15, "t counts the steps and stands in brackets only"),
    ("W @ h[t-1]", "W @ h", 15, "h has one value for every step; write h[t]"),
    ("W @ h[t-1]", "W @ h[t-1, 1]", 15, "unsupported: h[t-1,1]"),
    ("W @ h[t-1]", "W @ h[q]", 15, "h[q]: a step is [t], [t-1], a number from 1 to 3 or [last]; an entry comes after it, h[t][1]"),
    ("W @ h[t-1]", "W @ h[t]", 15, "z[1] uses h[1], which is defined in line 16, not above it"),
    ("W @ h[t-1]", "U @ h[t-1]", 15, "U @ h0"),
    ("h0 = \"K\"\n", "", 14, "h[0], the value before the first step, is not declared; it is the symbol h0 in [symbols]"),
    ("L = sum(l[t])", "L = l[t]", 18, "l[t] stands outside a definition for every step; write l[last], l[2] or sum(...) over all steps"),
    ("L = sum(l[t])", "L = l[4]", 18, "l[4]: there are 3 steps"),
    ("L = sum(l[t])", "L = sum(l[t] * sum(l[t]))", 18, "unsupported: a sum inside a sum over the steps"),
    ("L = sum(l[t])", "L = sum(norm(sum(h[t], 0)), l[t])", 18, "unsupported: a sum"),
    ("L = sum(l[t])", "L = sum(l[t", 18, "cannot read"),
    ("l[t] =", "l[2] =", 17, "unsupported: l[2] on the left of '='; a definition for every step is l[t] = ..."),
    ("l[t] =", "l[t-1] =", 17, "unsupported: l[t-1] on the left of '='"),
    ("b = \"K\"", "b = \"K\"\nz_2 = \"K\"", 16, "z_2 is the name of z[2]; call one of them something else"),
    ("b = \"K\"", "b = \"K\"\nt = \"K\"", 4, "the step index t is the name of something else"),
    ("b = \"K\"", "b = \"t\"", 12, "t counts the steps and cannot be a dimension"),
    ("b = \"K\"", "b = \"K\"\nz = \"K\"", 16, "the name z is bound twice"),
    ("x = { shape", "x = { value = [1, 2], shape", 7, "x has one value for every step; state them in [values]"),
    ("length = 3", "length = 201", 5, "sequence.length: 201 is not between 1 and 200"),
    ("length = 3", "length = 0", 5, "sequence.length: 0 is not between 1 and 200"),
    ("length = 3", "lenght = 3", 5, "unknown key sequence.lenght; did you mean length?"),
    ("\"x[1]\"]", "\"x[t]\"]", 24, "x[t] stands outside a definition for every step"),
    ("\"x[1]\"]", "\"x\"]", 24, "x has one value for every step; write x[2] or x[last]"),
    ("\"x[1]\"]", "\"x[7]\"]", 24, "x[7]: there are 3 steps"),
])
def test_wrong_use_is_an_error_on_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in RNN
    with pytest.raises(SpecErrors) as caught:
        read_text(RNN.replace(old, new, 1), "rnn.toml")
    first = [e for e in caught.value.errors if said in e.message]
    assert [e.place.line for e in first if e.place] == [line], [(str(e)) for e in caught.value.errors]
    assert len(caught.value.errors) == 1 or "lenght" in new


def test_all_steps_are_joined() -> None:
    """Attention over the states of a recurrent network, and one vector of all losses; the number of steps picks an entry."""
    text = RNN.replace("L = sum(l[t])", "S = hstack(h0, h[t])\n"
                       "a = softmax(S.T @ b)\nl2[t] = a[t] * l[t]\nd = concat(l2[t])\nL = norm(S @ a) + sum(d)")
    by_hand = BY_HAND.replace("L = l_1 + l_2", "S = hstack(h0, h_1, h_2)\na = softmax(S.T @ b)\nl2_1 = a[1] * l_1\nl2_2 = a[2] * l_2\n"
                              "d = concat(l2_1, l2_2)\nL = norm(S @ a) + sum(d)")
    assert read_text(text.replace("length = 3", "length = 2"), "rnn.toml")[0].graph == read_text(by_hand, "rnn.toml")[0].graph
    with pytest.raises(SpecErrors, match="unsupported: a concat inside a sum over the steps; give the inner one a definition of its own"):
        read_text(text.replace("sum(d)", "sum(concat(l2[t]))"), "rnn.toml")
    with pytest.raises(SpecErrors, match="unsupported: hstack of all T values, T a name; a product with what is joined is a sum"):
        read_text(text.replace("length = 3", 'length = "T"'), "rnn.toml")


ANY = RNN.replace("length = 3", 'length = "T"').replace('"x[1]"]', '"x"]')


def test_a_name_for_the_length_writes_three_steps_and_says_what_they_stand_for() -> None:
    given, _ = read_text(RNN.replace('"x[1]"]', '"x[2]"]'), "rnn.toml")
    text = ANY + '[expected]\n"a.h_bar[t]" = "W.T @ z_bar[t+1] + h[T-1] * h[T] - y[last]"\n"a.W_bar" = "sum(z_bar[t] @ h[t-1].T)"\n'
    problem, expected = read_text(text, "rnn.toml")
    assert problem.graph == given.graph and problem.parts == given.parts and given.sequence is None
    assert problem.sequence is not None and problem.sequence.length == "T" and problem.sequence.steps == ("h", "l", "x", "y", "z")
    assert [(e.label, e.value) for e in expected] == [("h_2_bar", "W.T @ z_3_bar + h_2 * h_3 - y_3"),
                                                      ("W_bar", "(z_1_bar @ h0.T + z_2_bar @ h_1.T + z_3_bar @ h_2.T)")]


def test_a_part_may_have_the_label_of_a_sequence() -> None:
    text = ANY.replace('label = "a"', 'label = "h"') + '[expected]\n"h.h_bar[T]" = "h[T] - y[T]"\n"h.W_bar" = "W"\n'
    _, expected = read_text(text, "rnn.toml")
    assert [(e.part, e.label) for e in expected] == [("h", "h_3_bar"), ("h", "W_bar")]


def test_parameters_of_all_steps_are_asked_for_once() -> None:
    problem, _ = read_text(re.sub(r"wrt = .*", 'wrt = "parameters"', DEEP), "sequence.toml")
    assert problem.parts[0].ask.wrt == ("W_2", "b_2")  # type: ignore[union-attr]


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ('wrt = ["W"', 'wrt = ["T", "W"', 24, "there is no T"),
    ("L = sum(l[t])", "L = l[3]", 18, "unsupported: l[3] of a sequence of T steps; outside of a definition for every step there are l[last]"),
    ("L = sum(l[t])", "L = l[t]", 18, "unsupported: l[t] of a sequence of T steps"),
    ("h[t-1]", "h[1]", 15, "unsupported: h[1] of a sequence of T steps; a step uses the values of its own step and of the one before"),
    ("h[t-1]", "h[t-2]", 15, "unsupported: h[t-2] of a sequence of T steps; a step uses"),
    ('"x"]', '"x[3]"]', 24, "unsupported: x[3] of a sequence of T steps"),
    ('b = "K"', 'b = "K"\nz_7 = "K"', 16, "z_7 is the name of z[7]; call one of them something else"),
    ('b = "K"', 'b = "K"\nT = "K"', 5, "T, the number of steps, is the name of something else"),
    ('b = "K"', 'b = "T"', 12, "unsupported: T, the number of steps, as a dimension"),
    ('length = "T"', 'length = "t"', 5, "t, the number of steps, is the name of something else"),
    ('length = "T"', 'length = "2T"', 5, "'2T' is not a name"),
    ('b = "K"', 'b = { shape = "K", value = [1, 2] }', 1, "unsupported: numbers for a problem with a symbolic number of steps"),
    ('ask = "backward"', 'ask = "jacobian"', 22, 'unsupported: ask = "jacobian" with a symbolic number of steps; there is ask = "backward"'),
])
def test_what_needs_a_number_of_steps_is_an_error_on_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in ANY
    text = ANY.replace(old, new, 1)
    if "jacobian" in new:
        text = text.replace('of = "L"', 'of = "z[t]"')
    with pytest.raises(SpecErrors) as caught:
        read_text(text, "rnn.toml")
    assert [e.place.line for e in caught.value.errors if said in e.message and e.place] == [line], list(map(str, caught.value.errors))


def test_a_step_defined_with_no_sequence_is_told_to_declare_it() -> None:
    text = RNN.replace("[sequence]\nlength = 3\n", "").replace(", each = true", "")
    with pytest.raises(SpecErrors) as caught:
        read_text(text, "rnn.toml")
    first = caught.value.errors[0]
    with pytest.raises(SpecErrors, match="each = true is one symbol for every step of a sequence; declare it") as also:
        read_text(RNN.replace("[sequence]\nlength = 3\n", ""), "rnn.toml")
    assert [e.place.line for e in also.value.errors if e.place] == [5, 6]
    assert first.message.startswith("unsupported: z[t] on the left of '='") and "[sequence] length = 3" in first.message
    assert first.place is not None and first.place.line == 13


def test_a_sequence_needs_steps_and_a_model() -> None:
    plain = BY_HAND.replace("[symbols]", "[sequence]\nlength = 3\n[symbols]", 1)
    with pytest.raises(SpecErrors, match="nothing has steps"):
        read_text(plain, "rnn.toml")
    net = 'format = 1\nid = "n"\ntitle = "n"\n[sequence]\nlength = 2\n[network]\nlayers = [1, 1]\n[[part]]\nlabel = "a"\nask = "forward"\n'
    with pytest.raises(SpecErrors, match=r"\[sequence\] goes with \[model\]"):
        read_text(net, "n.toml")


@pytest.mark.parametrize(("key", "value"), [("index", "(t"), ("index", "t["), ("length", "T+"), ("length", "(T"), ("index", "\\")])
def test_an_index_that_is_no_name_is_an_error_on_its_line(key: str, value: str) -> None:
    """It goes into patterns and into TeX, so it is looked at before anything else."""
    with pytest.raises(SpecErrors, match=rf"sequence\.{key}: .* is not a name"):
        read_text(RNN.replace("length = 3", ("length = 3\n" if key == "index" else "") + f"{key} = '{value}'"), "p.toml", "rnn")

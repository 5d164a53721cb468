"""[indices]: written out it is the model that one writes out by hand; wrong use, and what is not clear, is an error on its line."""

from __future__ import annotations

import pytest
from sympy import MatAdd, Rational

from symgrad.language.errors import SpecErrors
from symgrad.reader.families import indexed
from symgrad.reader.read import read_text

LAYER = """format = 1
id = "layer"
title = "Channels"
[indices]
o = 2
c = 3
[symbols]
X = { shape = "N", each = "c", role = "input" }
K = { shape = "M", each = "o, c", latex = "k" }
b = { shape = "", each = "o" }
w = "2"
[model]
let = '''
Y[o] = sum(conv(X[c], K[o, c])) + b[o]
h[o] = tanh(Y[o])
s[o] = sum(h[o])
z = concat(s[o])
L = dot(w, z)^2 + sum(w[o] * norm(K[o, c])^2) + mean(b[o]^2, o) * sum(norm(X[c])^2, c)
'''
latex = { h = "h^{a}" }
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["K", "b", "X[2]"]
[expected]
"a.s_bar[2]" = "z_bar[2]"
"a.K[2, 3]_bar" = "conv(X[3], Y_bar[2]) + 2 * w[2] * K[2, last]"
"""
BY_HAND = """format = 1
id = "layer"
title = "Channels"
[symbols]
X_1 = { shape = "N", role = "input" }
X_2 = { shape = "N", role = "input" }
X_3 = { shape = "N", role = "input" }
K_1_1 = { shape = "M", latex = "k_{1, 1}" }
K_1_2 = { shape = "M", latex = "k_{1, 2}" }
K_1_3 = { shape = "M", latex = "k_{1, 3}" }
K_2_1 = { shape = "M", latex = "k_{2, 1}" }
K_2_2 = { shape = "M", latex = "k_{2, 2}" }
K_2_3 = { shape = "M", latex = "k_{2, 3}" }
b_1 = ""
b_2 = ""
w = "2"
[model]
let = '''
Y_1 = conv(X_1, K_1_1) + conv(X_2, K_1_2) + conv(X_3, K_1_3) + b_1
Y_2 = conv(X_1, K_2_1) + conv(X_2, K_2_2) + conv(X_3, K_2_3) + b_2
h_1 = tanh(Y_1)
h_2 = tanh(Y_2)
s_1 = sum(h_1)
s_2 = sum(h_2)
z = concat(s_1, s_2)
q1 = w[1] * norm(K_1_1)^2 + w[1] * norm(K_1_2)^2 + w[1] * norm(K_1_3)^2
q = q1 + w[2] * norm(K_2_1)^2 + w[2] * norm(K_2_2)^2 + w[2] * norm(K_2_3)^2
L = dot(w, z)^2 + q + 1/2 * (b_1^2 + b_2^2) * (norm(X_1)^2 + norm(X_2)^2 + norm(X_3)^2)
'''
latex = { h_1 = "h^{a}_{1}", h_2 = "h^{a}_{2}" }
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["K_1_1", "K_1_2", "K_1_3", "K_2_1", "K_2_2", "K_2_3", "b_1", "b_2", "X_2"]
"""


def test_it_is_the_model_written_by_hand() -> None:
    one, expected = read_text(LAYER, "layer.toml")
    other, _ = read_text(BY_HAND, "layer.toml")
    assert one.graph.variables == other.graph.variables and one.parts == other.parts
    split = {"q1", "q", "L"}
    assert [n for n in one.graph.nodes if n.name not in split] == [n for n in other.graph.nodes if n.name not in split]
    table = {other.graph.symbol("q"): other.graph.node("q").expr, other.graph.symbol("q1"): other.graph.node("q1").expr}
    assert one.graph.node("L").expr.expand() == other.graph.node("L").expr.xreplace(table).xreplace(table).expand()
    assert [(e.label, e.value) for e in expected] == [("s_2_bar", "z_bar[2]"), ("K_2_3_bar", "conv(X_3, Y_2_bar) + 2 * w[2] * K_2_3")]


def test_one_index_needs_no_name_at_its_symbols() -> None:
    text = LAYER.replace("c = 3\n", "").replace('each = "c"', "each = true").replace('each = "o, c"', 'each = "o"').replace("K[o, c]", "K[o]")
    text = text.replace("X[c]", "X[o]").replace(", c)", ", o)").replace('"X[2]"', '"X[2]"').replace("sum(conv(X[o], K[o]))", "conv(X[o], K[o])")
    problem, _ = read_text(text.partition("[expected]")[0], "layer.toml")
    assert [x.name for x in problem.graph.variables] == ["X_1", "X_2", "K_1", "K_2", "b_1", "b_2", "w"]


def test_a_name_for_a_length_is_left_as_a_sequence() -> None:
    text = LAYER.replace("o = 2\nc = 3", 'c = 3\no = "H"').replace('each = "o, c"', 'each = "c, o"').replace("[o, c]", "[c, o]")
    text = text.replace("z = concat(s[o])\n", "").replace("dot(w, z)^2 + sum(w[o] * norm", "sum(s[o])^2 + sum(norm")
    problem, _ = read_text(text.partition("[expected]")[0].replace('"b", ', ""), "layer.toml")
    assert problem.sequence is not None and (problem.sequence.index, problem.sequence.length) == ("o", "H")
    assert problem.sequence.steps == ("K_1", "K_2", "K_3", "L_term2", "L_term3", "Y", "b", "h", "s")
    assert not problem.sequence.recurs(problem.graph) and problem.parts[0].ask.wrt == ("K_1_2", "K_2_2", "K_3_2", "X_2")  # type: ignore[union-attr]
    Y, at = problem.graph.node("Y_2"), problem.graph.symbol
    assert Y.expr.has(at("K_3_2")) and Y.expr.has(at("X_3")) and not Y.expr.has(at("K_3_1"))


def test_definitions_with_a_colon_and_numbers_with_an_exponent() -> None:
    """The e of 1e-3 is no index and no member."""
    text = ANY.replace('i = "H"', "e = 2").replace('each = "i"', 'each = "e"').replace("[i]", "[e]").replace('p = "H"\n', "")
    problem, _ = read_text(text.replace("Q[e] = ", "Q[e] := 1e-3 * ").replace("L = ", "L := 2.e1 * ").replace('"W"', '"W[2]"'), "heads.toml")
    assert [n.name for n in problem.graph.nodes] == ["Q_1", "Q_2", "L"]
    assert problem.graph.node("Q_2").expr.args[0] == Rational(1, 1000) and problem.graph.node("L").expr.args[0] == 20
    text = ANY.replace("Q[i] = ", "e[i] = 1e-3 * ").replace("Q[i]", "e[i]").replace('p = "H"\n', "")
    assert read_text(text, "heads.toml")[0].graph.node("e_2").expr.args[0] == Rational(1, 1000)


def test_heads_in_layers() -> None:
    """An index beside the steps of a sequence, of any length and of two."""
    text = ANY.replace('i = "H"', 'i = 2\n[sequence]\nindex = "l"\nlength = "M"').replace("X = {", "X0 = {").replace('each = "i"', 'each = "i, l"')
    text = text.replace("Q[i] = tanh(X @ W[i])", "Q[i, l] = tanh(X[l-1] @ W[i, l])\nX[l] = X[l-1] + sum(Q[i, l])").replace('p = "H"\n', "")
    text = text.replace("L = norm(sum(Q[i]))^2", "L = norm(X[last])^2 + sum(norm(W[i, l])^2)").replace('"X"', '"X0"')
    problem, _ = read_text(text, "heads.toml")
    assert problem.sequence is not None and problem.sequence.recurs(problem.graph)
    assert problem.sequence.steps == ("L_term1", "Q_1", "Q_2", "W_1", "W_2", "X") and problem.parts[0].ask.wrt[:2] == ("W_1_2", "W_2_2")  # type: ignore[union-attr]
    at = problem.graph.symbol
    assert problem.graph.node("X_2").expr == MatAdd(at("X_1"), at("Q_1_2"), at("Q_2_2"))
    two, _ = read_text(text.replace('length = "M"', "length = 2").replace('["W", ', '["W[1, 2]", '), "heads.toml")
    assert two.graph.node("X_2") == problem.graph.node("X_2") and "X_3" not in two.graph


def test_members_are_printed_with_their_indices() -> None:
    assert indexed("W^Q", {"i": 2}) == "W^Q_{2}" and indexed("k_a", {"o": 1, "c": 2}) == "k_a^{(1, 2)}"
    assert indexed("k_a^b", {"o": 1}) == "{k_a^b}_{1}" and indexed("", {"o": 1}) == ""


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ("o = 2", "o = 0", 5, "indices.o: 0 is not between 1 and 200"),
    ("o = 2", "w = 2", 5, "the index w is the name of something else"),
    ("o = 2", "N = 2\no = 2", 5, "the index N cannot be a dimension"),
    ("o = 2", 'o = 2\nk = "A"\nl = "B"', 7, "unsupported: a name for the length of l beside k; one length may be a name"),
    ("c = 3", 'c = 3\nk = "A"\n[sequence]\nlength = 3', 7, "a name for the length of k beside [sequence]"),
    ('each = "o, c"', "each = true", 9, 'each = true with several indices; say which: each = "o, c"'),
    ('each = "o, c"', 'each = "o, d"', 9, "each of K: the indices are o, c, each at most once; found 'o, d'"),
    ('each = "o, c"', 'each = "o, o"', 9, "each at most once"),
    ("K[o, c])) +", "K[o])) +", 14, "K[o]: K has the indices o, c; an entry comes after them, K[o, c][1]"),
    ("K[o, c])) +", "K[c, o])) +", 14, "K[c]: c goes to 3, o to 2"),
    ("K[o, c])) +", "K[o, 4])) +", 14, "K[4]: an index is c, a number from 1 to 3 or last"),
    ("K[o, c])) +", "K[o, c-1])) +", 14, "its values have no order, a recursion is a [sequence]"),
    ("sum(conv(X[c], K[o, c]))", "conv(X[c], K[o, c])", 14, "c has no value here; it has one in a definition for every c"),
    ("sum(conv(X[c], K[o, c]))", "sum(conv(X[c], K[o, c]), o)", 14, "sum over o, which has a value already"),
    ("mean(b[o]^2, o)", "mean(b[o]^2, o, o)", 18, "mean over o, which has a value already"),
    ("Y[o] = ", "Y = ", 14, "o has no value here"),
    ("Y[o] = ", "Y[o, 1] = ", 14, "Y[o, 1] on the left of '=': the indices are o, c"),
    ("Y[o] = ", "X[o] = ", 14, "the name X is bound twice; it is a symbol"),
    ("h[o] = tanh(Y[o])", "h[o] = tanh(Y)", 15, "Y has one value for every o; write Y[o]"),
    ("s[o] = sum(h[o])", "s[o] = sum(h[o]) + o * b", 16, "b has one value for every o; write b[o]"),
    ("concat(s[o])", "sum(h[o], 0)", 17, "unsupported: sum over an index with a second argument"),
    ("concat(s[o])", "concat(sum(h[o]))", 17, "sum in another sum, with o; say over what each runs: sum(..., o) is over o"),
    ("mean(b[o]^2, o)", "mean(b[o] * sum(K[o, c]), o) * sum(norm(sum(K[o, c])))", 18, "sum in another sum, with o"),
    ("sum(h[o])", "sum(" * 25 + "h[o]" + ")" * 25, 16, "nested more than 20 deep"),
    ('"X[2]"]', '"X[4]"]', 25, "X[4]: an index is c, a number from 1 to 3 or last"),
    ('"X[2]"]', '"Y[o]"]', 25, "o has no value here"),
    ('of = "L"', 'of = "Y"', 24, "Y has one value for every o; write Y[o]"),
    ('b = { shape = ""', 'b = { value = 2', 10, 'b has one value for every o; state them in [values]: "b[1]" = ...'),
    ('w = "2"', 'w = "2"\nK_2_3 = "M"', 9, "K_2_3 is the name of K[2, 3]; call one of them something else"),
    ("tanh(Y[o])", "tanh(Y[o]) @ Y[o]", 15, "Y[1]"),
    ("o = 2\nc = 3", "o = 2\nc = 3\nd = 200\ne = 200", 14, "d, e: 40000 values together; at most 1000 are written out"),
])
def test_wrong_use_is_an_error_on_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in LAYER
    text = LAYER.partition("[expected]")[0].replace(old, new, 1)
    if "e = 200" in new:
        line, text = 16, text.replace("+ b[o]", "+ b[o] + sum(d * e, d, e)")
    with pytest.raises(SpecErrors) as caught:
        read_text(text, "layer.toml")
    first = [e for e in caught.value.errors if said in e.message]
    assert [e.place.line for e in first if e.place] == [line], list(map(str, caught.value.errors))


ANY = """format = 1
id = "heads"
title = "Heads"
[indices]
i = "H"
[symbols]
X = { shape = "N, D", role = "input" }
W = { shape = "D, D", each = "i" }
p = "H"
[model]
let = '''
Q[i] = tanh(X @ W[i])
L = norm(sum(Q[i]))^2
'''
[[part]]
label = "a"
ask = "backward"
of = "L"
wrt = ["W", "X"]
"""


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ('p = "H"\n', 'p = "H"\n', 9, "unsupported: H, the number of steps, as a dimension"),
    ("sum(Q[i])", "hstack(Q[i])", 12, "unsupported: hstack of all H values, H a name; a product with what is joined is a sum"),
    ("sum(Q[i])", "concat(norm(Q[i]))", 12, "W @ concat(h[i]) = sum(W[i] @ h[i])"),
    ("X @ W[i]", "X @ W[i-1]", 11, "the values of i are in no order; a recursion from one to the next is a [sequence]"),
    ("X @ W[i]", "X[i] @ W[i]", 11, "unsupported: X[i]: X is one vector or matrix, and has no i"),
    ("X @ W[i]", "i * X @ W[i]", 11, "i counts the steps and stands in brackets only"),
    ("X @ W[i]", "X @ W", 11, "W has one value for every step; write W[i]"),
])
def test_what_needs_a_number_for_the_length_is_an_error_on_its_line(old: str, new: str, line: int, said: str) -> None:
    text = ANY.replace(old, new) if old == new else ANY.replace('p = "H"\n', "").replace(old, new)
    with pytest.raises(SpecErrors) as caught:
        read_text(text, "heads.toml")
    assert [e.place.line for e in caught.value.errors if said in e.message and e.place] == [line], list(map(str, caught.value.errors))


def test_an_answer_for_the_general_index_has_sums_over_entries() -> None:
    """Where the answer is one for all, a sum is over the index."""
    rest = '[expected]\n"a.W_bar[i]" = "sum(Q_bar[i]) * W[i]"\n"a.X_bar" = "sum(Q_bar[i] @ W[i].T)"\n'
    _, expected = read_text(ANY.replace('p = "H"\n', "") + rest, "heads.toml")
    assert [(e.label, e.value) for e in expected] == [("W_2_bar", "sum(Q_2_bar) * W_2"),
                                                      ("X_bar", "(Q_1_bar @ W_1.T + Q_2_bar @ W_2.T + Q_3_bar @ W_3.T)")]


def test_without_a_table_of_indices_it_is_named() -> None:
    with pytest.raises(SpecErrors, match=r"\[sequence\] length = 3, or \[indices\] i = 3"):
        read_text(ANY.replace('[indices]\ni = "H"\n', ""), "heads.toml")
    with pytest.raises(SpecErrors, match="nothing has an index: write h\\[i\\] ="):
        read_text(ANY.replace(', each = "i"', "").replace("[i]", "").replace('p = "H"\n', "").replace("sum(Q)", "Q"), "heads.toml")
    with pytest.raises(SpecErrors, match="each = 'i': the steps are counted by t; other indices are declared in"):
        read_text(ANY.replace('[indices]\ni = "H"\n', "[sequence]\nlength = 2\n").replace('p = "H"\n', "").replace("[i]", "[t]"), "heads.toml")

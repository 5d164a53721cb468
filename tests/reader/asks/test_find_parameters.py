"""Reading of find_parameters: fields and defaults, and every slip with its line and what to do."""

from __future__ import annotations

import time

import pytest

from symgrad.language.errors import SpecErrors
from symgrad.language.problem import FindParameters
from symgrad.pipeline import solve, summary
from symgrad.reader.read import read_text
from tests.equivalents import LAYERS, MLP, Case, mlp, other

GOOD = Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS)


def ask_of(case: Case) -> FindParameters:
    ask = case.problem().parts[0].ask
    assert isinstance(ask, FindParameters)
    return ask


def test_defaults() -> None:
    ask = ask_of(GOOD)
    assert (ask.of, ask.output, ask.unknowns) == ("y", "y", ("V1", "v1", "V2", "v2"))
    assert ask.matrix and ask.index and not ask.fixed and not ask.permutations and not ask.sizes
    assert [x.name for x in ask.template.variables] == ["x", "V1", "v1", "V2", "v2"]


def test_every_field() -> None:
    extra = ('output = "q"\ngiven = { v1 = "1/2 * b1" }\nsizes = { D = 3, M = 2, K = 1 }\nform = "index"\nlatex = { h = \'\\mathbf{g}\' }')
    ask = ask_of(Case(MLP, mlp("sigmoid(z)"), other("tanh(z)") + "\nq = y", LAYERS, extra=extra))
    assert ask.output == "q" and ask.sizes == (("D", 3), ("M", 2), ("K", 1)) and not ask.matrix and ask.index
    assert [n for n, _ in ask.fixed] == ["v1"] and ask.template.node("h").latex == "\\mathbf{g}"


def test_the_last_line_is_the_output_where_none_is_called_like_it() -> None:
    assert ask_of(Case(MLP, mlp("sigmoid(z)"), other("tanh(z)").replace("y =", "out ="), LAYERS)).output == "out"


def test_an_unknown_with_latex() -> None:
    text = GOOD.text().replace('v2 = "K" }', "v2 = { shape = \"K\", latex = '\\mathbf{c}^{*}' } }")
    ask = read_text(text, "pair.toml")[0].parts[0].ask
    assert isinstance(ask, FindParameters) and ask.template["v2"].latex == "\\mathbf{c}^{*}"


WRONG: dict[str, tuple[Case, tuple[str, ...]]] = {
    "a name of the first network": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), {"W1": "M, D"}), ("W1 is a name of the first network",)),
    "an unknown name": (Case(MLP, mlp("sigmoid(z)"), other("tanh(zz)"), LAYERS), ("template, line 2: unknown name zz; did you mean z?",)),
    "a new dimension": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), {**LAYERS, "v1": "H"}), ("v1 has the dimension H, which the first",)),
    "shapes": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), {**LAYERS, "V1": "D, M"}), ("the inner dimensions M and D differ",)),
    "no such output": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='output = "q"'), ("the template defines no q",)),
    "another shape": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='output = "h"'), ("h of the template is (M), y is (K)",)),
    "unused": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), {**LAYERS, "v9": "K"}), ("the template does not use v9",)),
    "no such node": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, of="yy"), ("of: there is no yy; did you mean y?",)),
    "given: no unknown": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='given = { v3 = "b2" }'), ("v3 is no unknown",)),
    "given: of the input": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='given = { v2 = "b2 + W2 @ W1 @ x" }'), ("unknown name x",)),
    "given: shape": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='given = { v2 = "b1" }'), ("v2 is (K), 'b1' is (M)",)),
    "permutation": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='permutations = ["W1", "Q"]'),
                    ("W1 is (M, D); a permutation matrix is square", "there is no symbol Q")),
    "signs": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='signs = ["W1"]'), ("signs are a vector",)),
    "sizes": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra="sizes = { Q = 3 }"), ("there is no dimension Q",)),
    "an unknown key": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra="sizs = { D = 3 }"),
                       ("unknown key part.0.sizs; did you mean sizes?",)),
    "form": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra='form = "words"'), ('"matrix", "index" or "both"',)),
    "empty": (Case(MLP, mlp("sigmoid(z)"), "# nothing", LAYERS), ("the let-list of the second network is empty",)),
    "bound twice": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)") + "\nh = z", LAYERS), ("the name h is bound twice",)),
    "code": (Case(MLP, mlp("sigmoid(z)"), "y = __import__('os')", LAYERS), ("'os' is not a number",)),
    "a large power": (Case(MLP, mlp("sigmoid(z)"), "y = V2 @ tanh(V1 @ x + v1) + v2 + 9**9**9", LAYERS), ("the exponent 387420489 is out of range",)),
    "latex": (Case(MLP, mlp("sigmoid(z)"), other("tanh(z)"), LAYERS, extra="latex = { g = 'g' }"), ("latex: the template defines no g",)),
}


@pytest.mark.parametrize("name", WRONG)
def test_slips(name: str) -> None:
    case, words = WRONG[name]
    start = time.perf_counter()
    with pytest.raises(SpecErrors) as errors:
        read_text(case.text(), "pair.toml")
    assert time.perf_counter() - start < 2
    said = str(errors.value)
    assert all(w in said for w in words), said
    assert all(line.startswith("pair.toml:") and line.split(":")[1].isdigit() for line in said.splitlines())
    assert len(errors.value.errors) == len(words)  # the cause, not what follows from it


def test_no_input() -> None:
    with pytest.raises(SpecErrors, match="no symbol is an input; mark what the two networks take in"):
        read_text(GOOD.text().replace('role = "input"', 'role = "parameter"'), "pair.toml")


def test_numbers_that_are_no_permutation() -> None:
    case = Case({"x": "D", "W1": "3, D", "b1": "3", "W2": "K, 3", "P": "3, 3"}, "y = W2 @ relu(W1 @ x + b1)", "y = V @ relu(P @ (W1 @ x + b1))",
                {"V": "K, 3"}, extra='permutations = ["P"]', given={"P": "[[0, 1, 0], [0, 0, 1], [1, 1, 0]]"})
    (row,) = summary(solve(case.problem()))
    assert "the numbers of P are not those of a permutation matrix" in row.failure and not row.good

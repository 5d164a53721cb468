from __future__ import annotations

import pytest

from symgrad.sheet.terminal import WIDTH, maths, render

from .sample import evil, rich


@pytest.mark.parametrize(
    ("tex", "line"),
    [
        (r"\frac{\partial L}{\partial w_{1}}", "∂L/∂w_1"),
        (r"\frac{a + b}{2}", "(a + b)/2"),
        (r"0.5 \cdot \left(-2\right)", "0.5 · (−2)"),
        (r"a - b", "a − b"),
        (r"W_{2} h", "W_2 h"),
        (r"W^{(1)}_{11}", "W_11^(1)"),
        (r"\left\lVert x \right\rVert_{2}^{2}", "‖x‖_2^2"),
        (r"W^{\top}", "Wᵀ"),
        (r"x_1 \leq -1", "x_1 ≤ −1"),
        (r"\left[\begin{matrix} a & b \\ c & d \end{matrix}\right]", "[a, b; c, d]"),
        (r"\overline{\text{Loss}}", "bar(Loss)"),
        (r"\tanh\left(z\right)", "tanh (z)"),
    ],
)
def test_formulas_on_one_line(tex: str, line: str) -> None:
    assert maths(tex) == line


def test_a_sheet() -> None:
    text = render(rich())
    for words in (
        "Backpropagation through a residual MLP (marking)",
        "1. x̄: sum over consumers",
        "[3 marks]",
        "[proved] for all N, K",
        ">>> ∂Loss/∂w_11^(1) ≈ 0.0142",
    ):
        assert words in text
    tables = [line for line in text.splitlines() if len(line) > WIDTH and not line.startswith(("a ", "long words", "x|y"))]
    assert all("∂L/∂w_1," in line for line in tables)


def test_no_control_characters() -> None:
    from symgrad.sheet import document as D

    assert "\x1b" not in render(
        D.Document("\x1b[31m", "\x07", (D.Paragraph(("\x1b]0;x\x07", D.Code("\x1b\n\x1b"))), D.Stamp("\x1b", ("\x9b",))))
    )
    assert render(evil())

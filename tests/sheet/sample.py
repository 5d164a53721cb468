"""A document with every block, long formulas, and strings that must be escaped."""

from __future__ import annotations

from dataclasses import replace

from symgrad.sheet import document as D
from symgrad.sheet.chart import Area, Axis, Chart, Spot
from symgrad.sheet.layout import Box, Edge, Layout

EVIL = '<script>alert(1)</script> & "q" \' `c` _u_ *s* $5 50% #1 {b} \\x ~ ^ | Ω ≥ é 中'
"""Every character that some format treats as its own."""


def ratio(of: str, wrt: str) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {wrt}}}"


def path(*names: str) -> str:
    return r" \cdot ".join(ratio(a, b) for a, b in zip(names, names[1:], strict=False))


LOSS = r"\text{Loss}"
ONE_PATH = path(LOSS, "H^{(3)}", "Z^{(3)}", "H^{(2)}_{1}", "Z^{(2)}_{1}", "H^{(1)}_{1}", "Z^{(1)}_{1}", "w^{(1)}_{11}")
TWO_PATHS = ONE_PATH + " + " + path(LOSS, "H^{(3)}", "Z^{(3)}", "H^{(2)}_{2}", "Z^{(2)}_{2}", "H^{(1)}_{1}", "Z^{(1)}_{1}", "w^{(1)}_{11}")
FACTORED = (
    path(LOSS, "H^{(3)}", "Z^{(3)}")
    + r" \cdot \left("
    + path("Z^{(3)}", "H^{(2)}_{1}", "Z^{(2)}_{1}", "H^{(1)}_{1}")
    + " + "
    + path("Z^{(3)}", "H^{(2)}_{2}", "Z^{(2)}_{2}", "H^{(1)}_{1}")
    + r"\right) \cdot "
    + path("H^{(1)}_{1}", "Z^{(1)}_{1}", "w^{(1)}_{11}")
)
MATRIX = (
    r"{\left[\begin{matrix} \frac{\partial L}{\partial x_{1}} & \cdots & 0 \\ \vdots & \ddots & \vdots \\"
    r" 0 & \cdots & \frac{\partial L}{\partial x_{N}} \end{matrix}\right]}"
)
NUMBERS = " + ".join(rf"0.{k}25 \cdot \left(-1.{k}\right) \cdot 2" for k in range(1, 10))
RESIDUAL = (
    r"\mathbf{W}_{1}^{\top} \left(\left(\mathbf{W}_{2}^{\top} \bar{\mathbf{y}} + \mathbf{r}\right)"
    r" \circ \sigma'\left(\mathbf{z}\right)\right) + \bar{\mathbf{y}}"
)
FORMULAS = (
    ONE_PATH,
    TWO_PATHS,
    FACTORED,
    MATRIX,
    NUMBERS,
    RESIDUAL,
    r"\left\lVert \mathbf{y} - \mathbf{s} \right\rVert_{2}^{2}",
    r"\sum\limits_{j=1}^{K} w_{j} \tanh\left(z_{j}\right)",
    r"\frac{1}{1 + e^{-z}}",
    r"\left[x > 0\right]",
    r"\begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\mathrm{softmax}\left(\mathbf{z}\right)",
    r"\overline{\text{Loss}}",
    r"\bar{w}_{12}",
    r"\sqrt{x_{1}^{2} + 1}",
    r"\nabla_{\mathbf{x}} L",
    r"\left|x\right|",
    r"\boldsymbol{\theta}",
    r"\mathcal{L}",
    r"\mathbb{R}^{N \times K}",
    r"\underbrace{a + b}_{c}",
    r"x_{1} \leq -1 \implies h = 0",
)

LAYOUT = Layout(
    (
        Box("x", "x", "x", "variable", 0, 0),
        Box("w", "w", "w", "variable", 0, 1),
        Box("z", "z", "z", "node", 1, 0.5),
        Box("L", "L", "L", "node", 2, 0.5),
    ),
    (Edge("x", "z", ((0, 0), (1, 0.5))), Edge("w", "z", ((0, 1), (1, 0.5))), Edge("z", "L", ((1, 0.5), (2, 0.5)))),
    2,
    1,
)

CHART = Chart(
    Axis("x_{1}", "x1", -2, 2, ((-2, "−2"), (0, "0"), (2, "2"))),
    Axis("x_{2}", "x2", -1, 3, ((-1, "−1"), (1, "1"), (3, "3"))),
    (Spot((1, 1), "cross"), Spot((-1, 0), "dot", True), Spot((0.5, 2), "square"), Spot((-1.5, 2), "triangle")),
    (("cross", "in"), ("dot", "out"), ("square", "third"), ("triangle", "fourth")),
    (Area(((1, 1), (2, 1), (2, 2), (1, 2)), (1.5, 1.5), "cross"),),
    (((0, -1), (2, -1), (2, 3), (0, 3)),),
    (((0, -1), (0, 3)),),
    True,
)


def _m(tex: str) -> D.Maths:
    return D.Maths(tex)


def _steps() -> D.Steps:
    proved = D.Stamp("proved", ("proved for all N, K: index normal form",))
    local = D.StepBlock(
        "p1-2-1",
        "2.1",
        ("Local partial of ", _m("H^{(3)}"), " in ", _m("Z^{(3)}")),
        (
            D.Chain(
                _m(ratio("H^{(3)}", "Z^{(3)}")),
                (
                    D.Row("=", _m(r"\frac{\partial}{\partial Z^{(3)}} \left[\sigma\left(Z^{(3)}\right)\right]")),
                    D.Row("=", _m(r"H^{(3)} \left(1 - H^{(3)}\right)"), ("derivative of the sigmoid",)),
                    D.Row(r"\approx", _m("0.2090"), ("rounded to four places, as the problem asks",)),
                ),
            ),
        ),
        D.Stamp("tested", ("tested at 3 exact points: rational points, exp by balls",)),
        None,
        (
            D.StepBlock(
                "p1-2-1-1",
                "2.1.1",
                ("Value of ", _m("H^{(3)}")),
                (D.Chain(_m("H^{(3)}"), (D.Row(r"\approx", _m("0.7026")),)),),
                D.Stamp("given", ("given: stated by the problem",)),
            ),
        ),
    )
    return D.Steps(
        (
            D.StepBlock(
                "p1-1",
                "1",
                (_m(r"\bar{\mathbf{x}}"), ": sum over consumers (from step 2)"),
                (
                    D.Chain(
                        _m(r"\bar{\mathbf{x}}"),
                        (
                            D.Row("=", _m(ratio("L", r"\mathbf{x}"))),
                            D.Row("=", _m(MATRIX + r"^{\top} \bar{\mathbf{y}}"), ("transposed Jacobian",)),
                            D.Row(
                                "=",
                                _m(RESIDUAL),
                                (
                                    "because ",
                                    _m("x"),
                                    " reaches ",
                                    _m("y"),
                                    " directly and through ",
                                    _m(r"\mathbf{h} = \sigma(\mathbf{z})"),
                                    ", two terms",
                                ),
                            ),
                        ),
                    ),
                ),
                proved,
                D.Mark("3"),
            ),
            D.StepBlock(
                "p1-2",
                "2",
                (_m(ratio(LOSS, "w^{(1)}_{11}")), ": sum over two paths"),
                (
                    D.Chain(
                        _m(ratio(LOSS, "w^{(1)}_{11}")),
                        (
                            D.Row("=", _m(TWO_PATHS), ("chain rule along both paths",)),
                            D.Row("=", _m(FACTORED)),
                            D.Row("=", _m(NUMBERS)),
                            D.Row(r"\approx", _m("0.0142")),
                        ),
                    ),
                    D.Paragraph(("The sum is ", _m(ONE_PATH), " and one more.")),
                ),
                D.Stamp("refuted", ("refuted: the two sides differ at ", _m(r"x = \frac{1}{2}"))),
                D.Mark("1"),
                (local,),
            ),
            D.StepBlock(
                "p1-3",
                "3",
                ("Wide left",),
                (
                    D.Chain(
                        _m(r"\left(" + ", ".join(ratio("L", f"w_{{{k}}}") for k in range(1, 12)) + r"\right)"),
                        (D.Row(r"\neq", _m(r"\left(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1\right)")),),
                    ),
                ),
                D.Stamp("undecided", ("undecided: the solver gave up",)),
            ),
        )
    )


def _forward() -> D.Table:
    rows = []
    for k in range(1, 18):
        z = rf"z_{{{k}}}"
        rows.append(
            (
                (_m(z),),
                (_m(rf"w_{{{k}1}} x_{{1}} + w_{{{k}2}} x_{{2}} + b_{{{k}}}"),),
                (
                    _m(
                        r"0.25 \cdot 3 + \left(-0.5\right) \cdot \left(-2\right) + 0.125"
                        + (r" + 1.5 \cdot 2.25 \cdot 3.125 + 7" if k == 5 else "")
                    ),
                ),
                (_m(rf"1.{k:02d}"),),
            )
        )
    return D.Table((("Node",), ("Formula",), ("Values put in",), ("Value",)), tuple(rows), ("Forward pass",))


def rich(picture: bool = True) -> D.Document:
    """All blocks."""
    statement: tuple[D.Block, ...] = (
        D.Paragraph(
            (
                "Consider the residual network ",
                _m(r"\mathbf{y} = \mathbf{x} + \mathbf{W}_{2} \mathbf{h} + \mathbf{b}_{2}"),
                " with ",
                D.Emphasis("symbolic dimensions"),
                " and ",
                D.Emphasis("one", strong=True),
                " hidden layer, in code ",
                D.Code("h = sigmoid(z)"),
                ". Everything below is derived step by step, and checked by a program that shares no code with the derivation.",
            )
        ),
        D.Display(_m(r"L = \frac{1}{2} \left\lVert \mathbf{y} - \mathbf{s} \right\rVert_{2}^{2} + \mathbf{r}^{\top} \mathbf{h}")),
        D.Display(_m(TWO_PATHS)),
        D.Listing(
            (
                (D.Paragraph(("the loss ", _m("L"), ";")),),
                (D.Paragraph(("a list in it:",)), D.Listing(((D.Paragraph(("first",)),), (D.Paragraph(("second",)),)), True)),
            )
        ),
        D.Paragraph((D.Code("z = W1 @ x + b1\nh = sigmoid(z)   # 50% & more"),)),
    )
    drawn: tuple[D.Block, ...] = (
        (D.Picture(LAYOUT, "Computation graph: z from x, w; L from z.", ("Computation graph",)),) if picture else ()
    )
    return D.Document(
        "Backpropagation through a residual MLP",
        "marking",
        (
            *statement,
            D.Heading(("The model",), 2, "model"),
            *drawn,
            D.Plot(CHART, "Plot of the data: in at (1, 1).", ("Data and ", _m(r"f > 0"))),
            _forward(),
            D.Heading(("Part (a)",), 2, "part-1"),
            D.Heading(("Details of ", _m("L")), 3),
            _steps(),
            D.Boxed(_m(ratio(LOSS, "w^{(1)}_{11}")), r"\approx", _m("0.0142")),
            D.Boxed(_m(r"\bar{\mathbf{x}}"), "=", _m(TWO_PATHS)),
            D.Stamp("proved", ("answer: agrees",)),
            D.Display(_m(r"\begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}")),
            D.Table(
                ((D.Emphasis("a", strong=True),), ("b",)),
                (((D.Code("x|y"),), (_m(r"\left|x\right| + " + MATRIX),)), (("long words " * 30,), ("short",))),
            ),
            D.Paragraph((D.Emphasis("Source: "), "notes, § 2 — “quoted”.")),
        ),
    )


def evil() -> D.Document:
    """The hostile string in every field that takes text."""
    t: D.Text = (EVIL, D.Emphasis(EVIL), D.Emphasis(EVIL, True), D.Code(EVIL))
    box = Box(EVIL, "x", EVIL, "node", 0, 0)
    step = D.StepBlock(EVIL, EVIL, t, (D.Paragraph(t),), D.Stamp("proved", t), D.Mark(EVIL), (D.StepBlock("i", "1.1", t, ()),))
    return D.Document(
        EVIL,
        EVIL,
        (
            D.Heading(t, 2, EVIL),
            D.Paragraph(t),
            D.Paragraph((D.Code(EVIL + "\n" + EVIL),)),
            D.Listing(((D.Paragraph(t),),)),
            D.Table((t, t), ((t, t),), t),
            D.Chain(_m("x"), (D.Row("=", _m(r"\text{<script>alert(1)</script> é}"), t),)),
            D.Picture(Layout((box,), (), 1, 1), EVIL, t),
            D.Plot(replace(CHART, legend=(("cross", EVIL), ("dot", "\x1b[31m\x9b\ud800\x00"))), EVIL, t),
            D.Steps((step,)),
            D.Stamp(EVIL, t),
        ),
    )

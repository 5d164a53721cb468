"""The functions that a let-list may apply: one row each, read aloud like a table in a book.

A row is the *meaning* of a name, so the checker may read `definition`; `derivative` is only a claim, used by
`rules/` and proved from the definition in the tests.  To add an activation, add a row to KNOWN.
A definition is written in the primitives exp, log, sqrt, sin, cos, normcdf, normpdf, max, step, sign, abs and arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from sympy import AtomicExpr, Expr, Integer, Pow, Rational, Symbol


class Fn(AtomicExpr):
    """A function's name with the order of the partial derivative taken in each argument: sigma'' is ("sigmoid", (2,))."""

    name: str
    orders: tuple[int, ...]
    __slots__ = ("name", "orders")
    is_commutative = True

    def __new__(cls, name: str, orders: tuple[int, ...]) -> Fn:
        return _fn(name, tuple(orders))

    def _hashable_content(self) -> tuple[object, ...]:
        return (self.name, self.orders)

    def __getnewargs__(self) -> tuple[object, ...]:
        return (self.name, self.orders)

    def sort_key(self, order: object = None) -> object:  # SymPy sorts arguments by this
        return (2, self.name), (1, self.orders), Integer(1).sort_key(), Integer(1)

    def _sympystr(self, printer: object) -> str:
        if len(self.orders) == 1 or self.plain:
            return self.name + "'" * sum(self.orders)
        return f"{self.name}{list(self.orders)}"

    def derivative(self, slot: int) -> Fn:
        """The partial derivative in argument `slot` (counted from 0)."""
        return Fn(self.name, tuple(k + (i == slot) for i, k in enumerate(self.orders)))

    @property
    def plain(self) -> bool:
        """No derivative is taken."""
        return not any(self.orders)


@cache
def _fn(name: str, orders: tuple[int, ...]) -> Fn:
    self = AtomicExpr.__new__(Fn)
    self.name, self.orders = name, orders
    return self


class Call(Expr):
    """fn(arguments), a scalar; nothing is evaluated when it is built, so what the user wrote survives."""

    def __new__(cls, fn: Fn, *arguments: Expr) -> Call:
        return Expr.__new__(cls, fn, *arguments)

    @property
    def fn(self) -> Fn:
        return self.args[0]

    @property
    def arguments(self) -> tuple[Expr, ...]:
        return self.args[1:]

    is_commutative = True
    is_extended_real = True

    def _sympystr(self, printer) -> str:  # type: ignore[no-untyped-def]
        return f"{printer._print(self.fn)}({', '.join(printer._print(a) for a in self.arguments)})"


def call(name: str, *arguments: Expr) -> Call:
    """name(arguments), no derivative taken."""
    return Call(Fn(name, (0,) * len(arguments)), *arguments)


@dataclass(frozen=True, slots=True)
class Function:
    """One row: what a function means, how it is written, its derivative and where it has none.

    `definition` is None for a primitive (exp, log, max, ...) and for an unknown function; `derivative` takes the
    argument and the output, h = f(z), so that sigma' can be written h (1 - h).
    """

    name: str
    latex: str
    arity: int
    definition: Callable[..., Expr] | None = None
    derivative: Callable[[Expr, Expr], Expr] | None = None
    kink: str = ""  # where no derivative exists unless the problem fixes one, in words
    source: str = ""
    known: bool = True
    scalar_valued: bool = False  # an unknown function of whole vectors with a scalar value, such as a loss


def leaky_slope(arguments: tuple[Expr, ...]) -> Expr:
    """The slope of leaky relu for z < 0: its second argument, 1/100 if there is none."""
    return arguments[1] if len(arguments) > 1 else Rational(1, 100)


_CALCULUS = "Spivak, Calculus, 3rd ed., ch. 18"
_BISHOP = "Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.59 and 4.88"
_ROOT_2 = Pow(Integer(2), Rational(1, 2))
_NORMAL = "Abramowitz, Stegun, Handbook of Mathematical Functions (1964), 26.2.1 to 26.2.5 and 7.1.22"
_GOODFELLOW = "Goodfellow, Bengio, Courville, Deep Learning (2016), section 6.3"


def _row(name: str, latex: str, definition=None, derivative=None, kink="", source="", arity=1) -> Function:  # type: ignore[no-untyped-def]
    return Function(name, latex, arity, definition, derivative, kink, source)


KNOWN: dict[str, Function] = {
    row.name: row
    for row in (
        _row("exp", r"\exp", None, lambda z, h: h, "", _CALCULUS),
        _row("log", r"\log", None, lambda z, h: 1 / z, "", _CALCULUS),
        _row("sqrt", r"\sqrt", None, lambda z, h: 1 / (2 * h), "0", _CALCULUS),
        _row("sin", r"\sin", None, lambda z, h: call("cos", z), "", _CALCULUS),
        _row("cos", r"\cos", None, lambda z, h: -call("sin", z), "", _CALCULUS),
        _row("normpdf", r"\varphi", None, lambda z, h: -z * h, "", _NORMAL),  # exp(-z^2/2) / sqrt(2 pi)
        _row("normcdf", r"\Phi", None, lambda z, h: call("normpdf", z), "", _NORMAL),
        _row("max", r"\max", kink="a tie", source=_GOODFELLOW, arity=2),
        _row("step", r"\mathrm{step}", None, lambda z, h: Integer(0), "0", "Rosenblatt 1958; step(z) = 1 iff z >= 0"),
        _row("sign", r"\mathrm{sign}", None, lambda z, h: Integer(0), "0", _CALCULUS),
        _row("abs", r"\mathrm{abs}", None, lambda z, h: call("sign", z), "0", _CALCULUS),
        _row("min", r"\min", lambda a, b: -call("max", -a, -b), kink="a tie", source=_GOODFELLOW, arity=2),
        _row("sigmoid", r"\sigma", lambda z: 1 / (1 + call("exp", -z)), lambda z, h: h * (1 - h), "", _BISHOP),
        _row("tanh", r"\tanh",
             lambda z: (call("exp", z) - call("exp", -z)) / (call("exp", z) + call("exp", -z)),
             lambda z, h: 1 - h**2, "", _BISHOP),
        _row("softplus", r"\mathrm{softplus}", lambda z: call("log", 1 + call("exp", z)),
             lambda z, h: call("sigmoid", z), "", _GOODFELLOW),
        _row("tan", r"\tan", lambda z: call("sin", z) / call("cos", z), lambda z, h: 1 + h**2, "", _CALCULUS),
        _row("erf", r"\mathrm{erf}", lambda z: 2 * call("normcdf", _ROOT_2 * z) - 1,
             lambda z, h: 2 * _ROOT_2 * call("normpdf", _ROOT_2 * z), "", _NORMAL),
        _row("gelu", r"\mathrm{GELU}", lambda z: z * call("normcdf", z), lambda z, h: call("normcdf", z) + z * call("normpdf", z), "",
             "Hendrycks, Gimpel, Gaussian Error Linear Units (2016), section 2"),
        _row("relu", r"\mathrm{ReLU}", lambda z: call("max", z, Integer(0)), None, "0", _GOODFELLOW),
        _row("leaky_relu", r"\mathrm{LeakyReLU}",
             lambda z, slope=Rational(1, 100): slope * z + (1 - slope) * call("max", z, Integer(0)),
             None, "0", "Maas, Hannun, Ng 2013; slope 1/100 unless given as second argument"),
    )
}

VECTOR_FUNCTIONS = ("softmax", "logsumexp", "norm", "sum", "mean", "dot", "trace", "inv", "det", "outer", "ones", "eye", "zeros")
"""Functions of whole vectors and matrices, whose names are reserved; their meaning is in language/vectors.py and operations.py."""

MORE_VECTOR_FUNCTIONS = ("logdet", "diag", "transpose", "rowmax", "colmax", "argmax", "kron", "concat", "vstack", "hstack", "onehot", "unit",
                         "cumsum", "tril", "triu", "conv", "maxpool", "var", "std", "commutation", "solve", "vec", "reshape", "logsoftmax", "inner",
                         "silu", "logsigmoid", "log1p", "expm1", "sinh", "cosh", "square")
"""The same; a symbol, a node or a function of the problem may take the name."""


def unknown(name: str, arity: int, scalar_valued: bool = False, latex: str = "") -> Function:
    """A function of which nothing is known but its name and smoothness."""
    return Function(name, latex or name, arity, known=False, scalar_valued=scalar_valued)


def scalar(name: str) -> Symbol:
    """A real variable of that name."""
    return Symbol(name, real=True)


def dimension(name: str) -> Symbol:
    """A symbolic dimension: a positive integer."""
    return Symbol(name, integer=True, positive=True)

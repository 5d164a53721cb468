"""Expressions and forms to TeX, decided once: what has a bar, what is bold, where a product needs a dot.

The TeX stays inside the subset that `sheet/tex.py` admits; every format prints the same string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Rational,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from symgrad.language import forms as F
from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.entries import Indices, entry
from symgrad.language.functions import KNOWN, Call, Fn
from symgrad.language.graph import Graph
from symgrad.language.sequence import FIRST, LAST, ONCE, Sequence
from symgrad.language.tangents import Direction, is_jacobian, is_tangent, tangent_name
from symgrad.sheet.operations import ATOM, POWER, PRODUCT, SUM, one_norm, operation_tex, quotient, turned

_SIGNS = {F.Sign.EQUAL: "=", F.Sign.UNEQUAL: r"\neq", F.Sign.LESS: "<", F.Sign.AT_MOST: r"\leq", F.Sign.MORE: ">", F.Sign.AT_LEAST: r"\geq"}

GREEK = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho",
         "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"}
_SCRIPTS = re.compile(r"((?:[_^](?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[A-Za-z0-9*]))*)$")


def plain_name(name: str) -> tuple[str, str]:
    """Base and subscript of an identifier: w12 is w with 12, alpha is Greek, Loss is upright."""
    found = re.match(r"([A-Za-z\u0391-\u03c9]+?)_?(\d[\d_]*)?(?:_(.+))?$", name)
    base, digits, rest = found.groups() if found else (name, None, None)
    low = ", ".join(p for p in (*(digits or "").strip("_").split("_"), rest or "") if p)
    if base in GREEK:
        base = f"\\{base}"
    elif len(base) > 1:
        base = rf"\mathrm{{{base}}}" if base.isascii() else base
    return base, low.replace("_", ", ")


def split_scripts(tex: str) -> tuple[str, str]:
    """W^{(1)} into W and ^{(1)}."""
    scripts = _SCRIPTS.search(tex)
    cut = scripts.start() if scripts else len(tex)
    return (tex[:cut], tex[cut:]) if cut else (tex, "")


def decimal_text(value: Rational, digits: int | None = None) -> str | None:
    """A terminating decimal of at most six places (or of exactly `digits`), None where there is none."""
    if digits is not None:
        scaled = abs(value) * 10**digits
        whole = str(int(scaled)).rjust(digits + 1, "0")
        text = whole if digits == 0 else f"{whole[:-digits]}.{whole[-digits:]}"
        return f"-{text}" if value < 0 else text
    for places in range(7):
        if (value * 10**places).is_Integer:
            return decimal_text(value, places)
    return None


@dataclass(frozen=True, slots=True)
class Notation:
    """How one graph is written; `decimals` prints 0.18 where rounded values are in play, 9/50 otherwise."""

    graph: Graph
    decimals: bool = False
    sequence: Sequence | None = None
    steps: Mapping[str, str] = field(default_factory=dict)  # h_2 -> t, where steps of a written graph stand for those of any

    def at(self, when: str) -> Notation:
        """The same with the steps of the written graph printed as what they stand for: t - 1, t, t + 1, or T - 1, T."""
        if self.sequence is None:
            return self
        t, last = (plain_name(n)[0] for n in (self.sequence.index, self.sequence.length))
        shown = {LAST: {2: f"{last}-1", 3: last}, ONCE: {3: last}, FIRST: {}}.get(when, {1: f"{t}-1", 2: t, 3: f"{t}+1"})
        return replace(self, steps={f"{s}_{k}": i for s in self.sequence.steps for k, i in shown.items()})

    # ---- names -----------------------------------------------------------------------------------------------

    def name(self, name: str) -> str:
        """The TeX of a variable, node or adjoint."""
        base, scripts = self.parts(name)
        return base + scripts

    def parts(self, name: str) -> tuple[str, str]:
        if (cut := is_tangent(name, self.graph)) is not None and not (name in self.graph and self.graph[name].latex):
            return self._tangent(*cut)
        image = self.graph.behind(name.removesuffix("_bar"))
        if image is not None:  # a free matrix, or its adjoint, the gradient in the structured variable
            base, scripts = self.parts(image.name)
            return (self.gradient(self.of, image.name), "") if name.endswith("_bar") else (rf"\tilde{{{base}}}", scripts)
        if name not in self.graph or name.endswith("_bar"):
            if name.endswith("_bar"):
                base, scripts = self.parts(name[:-4])
                single = re.fullmatch(r"\\?\w+|\\mathbf\{\w\}|\\[a-z]+\{\w\}", base)
                return (rf"\bar{{{base}}}" if single else rf"\overline{{{base}}}"), scripts
            base, low = plain_name(name)
            return base, f"_{{{low}}}" if low else ""
        if name in self.steps:
            base, scripts = replace(self, steps={}).parts(name)
            head, _, tail = scripts.rpartition(name[-1])
            return base, head + self.steps[name] + tail
        found = self.graph[name]
        if found.latex:
            return split_scripts(found.latex)
        base, low = plain_name(name)
        if found.shape != v.SCALAR and re.fullmatch(r"[A-Za-z]", base):
            base = rf"\mathbf{{{base}}}"
        return base, f"_{{{low}}}" if low else ""

    def _tangent(self, node: str, wrt: str) -> tuple[str, str]:
        """u with a dot, or du/dw: with an upright d, for beside it stands the partial derivative with the other arguments fixed."""
        if wrt:
            return rf"\frac{{\mathrm{{d}} {self.name(node)}}}{{\mathrm{{d}} {self.name(wrt)}}}", ""
        base, scripts = self.parts(node)
        return rf"\dot{{{base}}}", scripts

    def gradient(self, of: str, name: str) -> str:
        """The gradient of `of` in the space of a structured variable."""
        return rf"\nabla_{{{self.name(name)}}} {self.name(of)}"

    @property
    def of(self) -> str:
        """What is differentiated: the node of which the adjoint is the number 1."""
        return next((n.name[:-4] for n in self.graph.nodes if n.name.endswith("_bar") and n.expr == 1), "")

    def entry_name(self, name: str, i: str, j: str | None) -> str:
        """x_i, W^{(1)}_{ij}; a name that has a subscript of its own is put in parentheses."""
        base, scripts = self.parts(name)
        if base.startswith(r"\nabla"):
            base = rf"({base})"
        base = re.sub(r"\\mathbf\{(\w)\}", r"\1", base)
        wide = any(len(x) > 1 for x in (i, j or ""))
        low = i if j is None else f"{i}, {j}" if wide else f"{i}{j}"
        return f"({base}{scripts})_{{{low}}}" if "_" in scripts else f"{base}{scripts}_{{{low}}}"

    def function(self, fn: Fn) -> str:
        row = KNOWN.get(fn.name)
        if row is not None:
            return row.latex
        declared = next((f.latex for f in self.graph.functions if f.name == fn.name and f.latex != f.name), "")
        if declared:
            return declared
        base, low = plain_name(fn.name)
        return base + (f"_{{{low}}}" if low else "")

    # ---- expressions -------------------------------------------------------------------------------------------

    def tex(self, e: Expr, level: int = SUM) -> str:
        """An expression, in parentheses where it binds looser than `level`."""
        text, binds = self._tex(e)
        return rf"\left({text}\right)" if binds < level else text

    def _tex(self, e: Expr) -> tuple[str, int]:
        match e:
            case Rational():
                return self.number(e), (ATOM if e >= 0 and (e.is_Integer or self.decimals) else SUM if e < 0 else POWER)
            case Symbol() | MatrixSymbol():
                if e.is_integer and not isinstance(e, MatrixSymbol):  # a dimension or an index
                    base, low = plain_name(str(e))
                    return base + (f"_{{{low}}}" if low else ""), ATOM
                return self.name(e.name), ATOM
            case Identity():
                return r"\mathbf{I}", ATOM
            case v.Unit(args=(_, i)):
                return rf"\mathbf{{e}}_{{{i}}}", ATOM
            case OneMatrix() | ZeroMatrix():
                row = e.shape[0] == 1 != e.shape[1]
                size = self.size(e.shape[::-1] if row else e.shape)
                return ("1" if isinstance(e, OneMatrix) else "0") + f"_{{{size}}}" + r"^{\top}" * row, ATOM
            case MatMul():
                return self._matmul(e)
            case Add() if e.args[0].is_Integer and (used := e.free_symbols) and all(s.is_integer for s in used):  # a size: N - K + 1
                return self.sum([self.tex(a, PRODUCT) if not self._negative(a) else self.tex(a) for a in (*e.args[1:], e.args[0])]), SUM
            case Add() | MatAdd():
                return self.sum([self.tex(a, PRODUCT) if not self._negative(a) else self.tex(a) for a in e.args]), SUM
            case HadamardProduct() if (divided := quotient(self, e.args)) is not None:
                return divided, PRODUCT
            case HadamardProduct():
                return r" \circ ".join(self.tex(a, PRODUCT if not isinstance(a, HadamardProduct) else POWER) for a in e.args), PRODUCT
            case Mul():
                return self._mul(e)
            case Pow():
                return self._pow(e)
            case v.Power(args=(base, n)):
                return rf"{self._foot(base)}^{{\circ {self.tex(n)}}}", POWER
            case Transpose() if (found := turned(self, e.args[0])) is not None:
                return found
            case Transpose(args=(Inverse() as inverse,)):
                return self._raise(inverse.arg, r"-\top"), POWER
            case Transpose():
                return self._raise(e.args[0], r"\top"), POWER
            case Inverse():
                return self._raise(e.args[0], "-1"), POWER
            case Call() | v.Elementwise() | v.UnknownScalar():
                return self._call(e.fn, e.arguments)
            case v.UnknownGradient(args=(fn, slot, *arguments)):
                return rf"\nabla_{{{self.tex(arguments[int(slot)])}}} {self.function(fn)}{self._arguments(arguments)}", POWER
            case v.UnknownHessian(args=(fn, row, column, *arguments)):
                below = " ".join(self.tex(arguments[int(k)]) for k in (row, column))
                return rf"\nabla^{{2}}_{{{below}}} {self.function(fn)}{self._arguments(arguments)}", POWER
            case v.Softmax():
                return rf"\mathrm{{softmax}}{self._arguments([e.arg])}", POWER
            case v.LogSumExp():
                return rf"\mathrm{{logsumexp}}{self._arguments([e.arg])}", POWER
            case v.Diag():
                return rf"\mathrm{{diag}}{self._arguments([e.arg])}", POWER
            case v.TraceOf():
                return rf"\mathrm{{tr}}{self._arguments([e.arg])}", POWER
            case v.DetOf():
                return rf"\det{self._arguments([e.arg])}", POWER
            case v.Norm():
                return rf"\left\lVert {self.tex(e.arg)} \right\rVert_{{{self._norm(e)}}}", ATOM
            case v.SumOf() if (norm := one_norm(self, e)) is not None:
                return norm, ATOM
            case v.SumOf():
                return rf"\mathrm{{sum}}{self._arguments([e.arg])}", POWER
            case v.AsScalar():
                return self._tex(e.arg)
            case Diff(args=(body, x)):
                d = "d" if len(v.names_in(body)) == 1 and isinstance(x, Symbol) else r"\partial"
                return rf"\frac{{{d}}}{{{d} {self.tex(x)}}} \left[{self.tex(body)}\right]", POWER
            case Grad(args=(body, x)):
                return rf"\nabla_{{{self.tex(x)}}} \left[{self.tex(body)}\right]", POWER
            case v.Entry(args=(matrix, i, j)):
                return self._entry(matrix, i, j)
            case v.IndexSum(args=(body, index, size)):
                sign = rf"\sum\limits_{{{self.tex(index)}=1}}^{{{self.tex(size)}}}"
                return f"{sign} {self.tex(body, PRODUCT)}", PRODUCT - 1 if isinstance(body, Add) else PRODUCT
        return operation_tex(self, e)

    def number(self, x: Rational) -> str:
        if x.is_Integer:
            return str(x)
        if self.decimals and (text := decimal_text(x)):
            return text
        sign = "-" if x < 0 else ""
        return rf"{sign}\frac{{{abs(x.p)}}}{{{x.q}}}"

    def sum(self, terms: list[str]) -> str:
        """Terms joined by + or by the minus that a term begins with."""
        text = terms[0]
        for t in terms[1:]:
            text += f" - {t[1:].lstrip()}" if t.startswith("-") else f" + {t}"
        return text

    @staticmethod
    def _negative(e: Expr) -> bool:
        while isinstance(e, Mul | MatMul):
            e = e.args[0]
        return bool(e.is_Number) and e < 0

    def _mul(self, e: Mul) -> tuple[str, int]:
        top = [a for a in e.args if not (isinstance(a, Pow) and a.exp.is_Rational and a.exp < 0)]
        bottom = [a for a in e.args if a not in top]
        sign = ""
        if top and top[0].is_Number and top[0] < 0:
            sign, top = "-", ([-top[0]] if top[0] != -1 or len(top) == 1 else []) + top[1:]
        if bottom:
            below = [Pow(a.base, -a.exp, evaluate=False) if a.exp != -1 else a.base for a in bottom]
            above = self.juxtapose(top) if len(top) > 1 else self.tex(top[0]) if top else "1"
            under = self.juxtapose(below) if len(below) > 1 else self.tex(below[0])
            whole = rf"\frac{{{above}}}{{{under}}}"
            return sign + whole, SUM if sign else POWER
        return sign + (self.juxtapose(top) if len(top) > 1 else self.tex(top[0], PRODUCT)), SUM if sign else PRODUCT

    def juxtapose(self, factors: list[Expr]) -> str:
        """a x_1, with a dot where two numbers meet."""
        text = ""
        for k, a in enumerate(factors):
            piece = self.tex(a, PRODUCT if len(factors) == 1 or (k == len(factors) - 1 and isinstance(a, v.IndexSum)) else POWER)
            dot = k and (a.is_Number or piece[0].isdigit() or piece.startswith(r"\frac") and factors[k - 1].is_Number)
            text += (r" \cdot " if dot else " " if k else "") + piece
        return text

    def _pow(self, e: Pow) -> tuple[str, int]:
        base, n = e.args
        if n.is_Rational and n < 0:
            return rf"\frac{{1}}{{{self.tex(base if n == -1 else Pow(base, -n, evaluate=False))}}}", PRODUCT
        if isinstance(base, v.Norm):
            return rf"\left\lVert {self.tex(base.arg)} \right\rVert_{{{self._norm(base)}}}^{{{self.tex(n)}}}", POWER
        if isinstance(base, Call) and base.fn.plain and base.fn.name in ("tanh", "log"):
            return rf"{self.function(base.fn)}^{{{self.tex(n)}}}{self._arguments(base.arguments)}", POWER
        return rf"{self._foot(base)}^{{{self.tex(n)}}}", POWER

    def _foot(self, base: Expr) -> str:
        """What carries an exponent; a name with a superscript of its own is put in parentheses, for TeX knows no second one."""
        text = self.tex(base, ATOM)
        return rf"\left({text}\right)" if "^" in split_scripts(text)[1] else text

    def _norm(self, e: v.Norm) -> str:
        return "2" if e.arg.shape[1] == 1 else "F"

    def _raise(self, a: Expr, power: str) -> str:
        if isinstance(a, MatrixSymbol):
            base, scripts = self.parts(a.name)
            if "^" in scripts:
                return rf"{{{base}{scripts}}}^{{{power}}}"
            return rf"{base}{scripts}^{{{power}}}"
        return rf"{self.tex(a, ATOM)}^{{{power}}}"

    def _matmul(self, e: MatMul) -> tuple[str, int]:
        factors, sign = list(e.args), ""
        if self._negative(e):
            sign, first = "-", factors[0].args if isinstance(factors[0], Mul) else factors[:1]
            factors = [*([-first[0]] if first[0] != -1 else []), *first[1:], *factors[1:]]
        scalars = v.merged(tuple(a for a in factors if v.is_scalar(a)))
        matrices = [a for a in factors if not v.is_scalar(a)]
        divides = isinstance(scalars, Mul | Pow | Rational)
        text = "" if scalars == 1 else self.tex(scalars, PRODUCT if divides and not self._negative(scalars) else POWER)
        level = PRODUCT if len(matrices) == 1 and not text and not isinstance(matrices[0], op.Kron) else POWER
        for piece in (self.tex(a, level) for a in matrices):
            text += (r" \, " if piece.startswith(r"\mathrm") else " ") * bool(text) + piece
        return sign + text, SUM if sign else PRODUCT

    def size(self, shape: v.Shape) -> str:
        """N, or N x M, in which a sum such as N - K + 1 is put in parentheses."""
        rows, columns = shape
        return self.tex(rows) if columns == 1 else rf"{self.tex(rows, PRODUCT)} \times {self.tex(columns, PRODUCT)}"

    def _arguments(self, arguments: tuple[Expr, ...] | list[Expr]) -> str:
        return rf"\left({', '.join(self.tex(a) for a in arguments)}\right)"

    def _call(self, fn: Fn, arguments: tuple[Expr, ...]) -> tuple[str, int]:
        a = arguments
        if fn.plain:
            match fn.name:
                case "exp":
                    return (rf"e^{{{self.tex(a[0])}}}", POWER) if v.is_scalar(a[0]) else (rf"\exp{self._arguments(a)}", POWER)
                case "sqrt":
                    return rf"\sqrt{{{self.tex(a[0])}}}", POWER
                case "abs":
                    return rf"\left|{self.tex(a[0])}\right|", ATOM
            return self.function(fn) + self._arguments(a), POWER
        if fn.name in ("max", "min") and sum(fn.orders) == 1:  # the Iverson bracket: 1 where true, 0 where false
            first, second = (a[0], a[1]) if fn.orders[0] else (a[1], a[0])
            return rf"\left[{self.tex(first)} {'>' if fn.name == 'max' else '<'} {self.tex(second)}\right]", ATOM
        if len(fn.orders) == 1 or fn.name in KNOWN:
            return self.function(fn) + "'" * fn.orders[0] + self._arguments(a), POWER
        under = [self.tex(x) if x.is_Symbol else str(i) for i, (x, n) in enumerate(zip(a, fn.orders, strict=True), 1) for _ in range(n)]
        above = r"\partial" + (f"^{{{sum(fn.orders)}}}" if sum(fn.orders) > 1 else "")
        below = " ".join(rf"\partial {u}" for u in under)
        return rf"\frac{{{above} {self.function(fn)}}}{{{below}}}{self._arguments(a)}", POWER

    def _entry(self, matrix: Expr, i: Expr, j: Expr) -> tuple[str, int]:
        column = matrix.shape[1] == 1
        if isinstance(matrix, MatrixSymbol):
            return self.entry_name(matrix.name, self.tex(i), None if column else self.tex(j)), ATOM
        row, place = self.tex(i), self.tex(j)
        low = row if column else f"{row}{place}" if len(row + place) == 2 else f"{row}, {place}"
        text = self.tex(matrix, ATOM) if not isinstance(matrix, v.Softmax) else self.tex(matrix)
        return rf"\left({text}\right)_{{{low}}}" if isinstance(matrix, v.Unit) else rf"{text}_{{{low}}}", POWER  # e_1 has an index already

    # ---- forms -------------------------------------------------------------------------------------------------

    def form(self, f: F.Form, level: int = SUM) -> str:
        """The TeX of a displayed form."""
        match f:
            case F.Just(expr):
                return self.tex(expr, level)
            case F.Decimal(value, digits):
                text = decimal_text(value, digits) or str(value)
                return rf"\left({text}\right)" if value < 0 and level > SUM else text
            case F.Product(factors):
                first, *rest = factors  # -2 z at the front keeps its sign as it is
                level = SUM if isinstance(first, F.Substituted) and not first.expr.is_Add else PRODUCT if not isinstance(first, F.Just) else POWER
                return r" \cdot ".join([self.form(first, level), *(self.form(x, PRODUCT if not isinstance(x, F.Just) else POWER) for x in rest)])
            case F.Sum(terms):
                text = self.sum([self.form(t) for t in terms])
                return rf"\left({text}\right)" if level > SUM else text
            case F.Substituted(expr, numbers):
                return self._substituted(expr, dict(numbers), level)
            case F.TotalOf(of, wrt) if (image := self.graph.behind(wrt)) is not None:
                return self.gradient(of, image.name)
            case F.PartialOf(of, wrt) | F.TotalOf(of, wrt):
                return rf"\frac{{\partial {self.name(of)}}}{{\partial {self.name(wrt)}}}"
            case F.Derivative(expr, wrt):
                return rf"\frac{{\partial}}{{\partial {self.name(wrt)}}} \left[{self.tex(expr)}\right]"
            case F.AdjointOf(node):
                return self.name(f"{node}_bar")
            case F.Component(node, indices):
                letters, shape = iter(map(self.tex, indices)), self.graph.shape(node)
                row, column = ("1" if d == 1 else next(letters) for d in shape)
                return self.entry_name(f"{node}_bar", row, None if shape[1] == 1 else column) if indices else self.name(f"{node}_bar")
            case F.Pullback(of, wrt):
                ratio = rf"\frac{{\partial {self.name(of)}}}{{\partial {self.name(wrt)}}}"
                vector = self.graph.shape(of) != v.SCALAR
                return (rf"\left({ratio}\right)^{{\top}}" if vector else ratio) + f" {self.name(f'{of}_bar')}"
            case F.JacobianTimes(layout, of, transposed):
                return self.form(layout) + (r"^{\top}" if transposed else "") + f" {self.name(f'{of}_bar')}"
            case F.Stacked(of, wrt):
                n = self.graph.shape(wrt)[0]
                below = [rf"\frac{{\partial {self.name(of)}}}{{\partial {self.entry_name(wrt, self.tex(i), None)}}}" for i in self._ends(n)]
                return self._grid([[x] for x in self._dotted(n, below, r"\vdots")])
            case F.Spread(expr):
                return self._spread(expr)
            case F.Diagonal(expr):
                n = expr.shape[0]
                ends = [self.entry(expr, i, Integer(1)) for i in self._ends(n)]
                if n.is_Integer and n <= 3:
                    return self._grid([[ends[i] if i == j else "0" for j in range(len(ends))] for i in range(len(ends))])
                return self._grid([[ends[0], "", "0"], ["", r"\ddots", ""], ["0", "", ends[1]]])
            case F.TangentOf(node, direction):
                return self.name(tangent_name(node, direction))
            case F.Pushforward(of, wrt, direction):
                return self._pushforward(of, wrt, direction)
            case F.SecondOf(of, row, column):
                return self._second(of, row, column)
            case F.Tuple(parts):
                return rf"\left({', '.join(map(self.form, parts))}\right)"
            case F.Array(rows):
                if len(rows) == len(rows[0]) == 1:
                    return self.form(rows[0][0])
                text = r" \\ ".join(" & ".join(map(self.form, row)) for row in rows)
                return rf"{{\left[\begin{{matrix}} {text} \end{{matrix}}\right]}}"
            case F.Comparison(before, relation, after):
                return f"{self.form(before)} {F.RELATIONS[relation]} {self.form(after)}"
            case F.Relation(left, sign, right):
                return f"{self.tex(left)} {_SIGNS[sign]} {self.tex(right)}"
        raise TypeError(type(f).__name__)

    def _pushforward(self, of: str, wrt: str, direction: Direction) -> str:
        ratio = rf"\frac{{\partial {self.name(of)}}}{{\partial {self.name(wrt)}}}"
        if not is_jacobian(direction):
            at = self.name(dict(direction)[wrt] if wrt in dict(direction) else tangent_name(wrt, direction))
            shape = self.graph.shape(wrt)
            return rf"{ratio} \left[{at}\right]" if 1 not in shape else f"{ratio} {at}"  # a linear map of a matrix is no product
        return ratio if wrt == direction[0][0] else rf"{ratio} {self.name(tangent_name(wrt, direction))}"

    def _second(self, of: str, row: str, column: str) -> str:
        """A row for each entry of `row`: the transposed differential stands for the columns."""
        above, a, b = rf"\partial^{{2}} {self.name(of)}", self.name(row), self.name(column)
        if self.graph.shape(row) == self.graph.shape(column) == v.SCALAR:
            below = rf"\partial {a}^{{2}}" if row == column and "^" not in a else rf"\partial {a} \, \partial {b}"
            return rf"\frac{{{above}}}{{{below}}}"
        first = rf"\mathrm{{vec}}\left({a}\right)" if 1 not in self.graph.shape(row) else a
        if self.graph.shape(column) == v.SCALAR:
            last = b
        elif 1 in self.graph.shape(column):
            last = self._raise(self.graph.symbol(column), r"\top")
        else:
            last = rf"\mathrm{{vec}}\left({b}\right)^{{\top}}"
        return rf"\frac{{{above}}}{{\partial {first} \, \partial {last}}}"

    def _substituted(self, expr: Expr, numbers: dict[str, Expr | F.Array], level: int) -> str:
        """The expression with numbers for names; every product gets its dots, negative numbers their parentheses."""
        return _Substituting(self.graph, self.decimals, numbers=tuple(numbers.items())).tex(expr, level)

    def entry(self, e: Expr, i: Expr, j: Expr) -> str:
        """Entry (i, j) of a matrix expression; the last index of a symbolic dimension is its own letter."""
        return self.tex(entry(e, i, j, Indices(frozenset((*self.graph.names, *(str(s) for s in i.free_symbols | j.free_symbols))))))

    @staticmethod
    def _ends(n: Expr) -> list[Expr]:
        return [Integer(k) for k in range(1, int(n) + 1)] if n.is_Integer and n <= 3 else [Integer(1), n]

    @staticmethod
    def _dotted(n: Expr, ends: list[str], dots: str) -> list[str]:
        return ends if n.is_Integer and n <= 3 else [ends[0], dots, ends[1]]

    def _spread(self, expr: Expr) -> str:
        n, m = expr.shape
        if isinstance(expr, Identity):
            return self._grid([["1", "", "0"], ["", r"\ddots", ""], ["0", "", "1"]])
        rows = [self._dotted(m, [self.entry(expr, i, j) for j in self._ends(m)], r"\cdots") for i in self._ends(n)]
        if not (n.is_Integer and n <= 3):
            middle = [r"\vdots"] if len(rows[0]) == 1 else self._dotted(m, [r"\vdots"] * len(self._ends(m)), r"\ddots")
            rows.insert(1, middle)
        return self._grid(rows)

    @staticmethod
    def _grid(rows: list[list[str]]) -> str:
        body = r" \\ ".join(" & ".join(row) for row in rows)
        return rf"{{\left[\begin{{matrix}} {body} \end{{matrix}}\right]}}"


@dataclass(frozen=True, slots=True)
class _Substituting(Notation):
    numbers: tuple[tuple[str, Expr | F.Array], ...] = ()

    def _tex(self, e: Expr) -> tuple[str, int]:
        if isinstance(e, Symbol | MatrixSymbol):
            for name, number in self.numbers:
                if name == e.name:
                    return self._number(F.Just(number) if isinstance(number, Expr) else number)
        return Notation._tex(self, e)

    def _raise(self, a: Expr, power: str) -> str:
        if isinstance(a, MatrixSymbol) and a.name in dict(self.numbers):
            return rf"{self.tex(a, ATOM)}^{{{power}}}"
        return Notation._raise(self, a, power)

    def _number(self, f: F.Form) -> tuple[str, int]:
        match f:
            case F.Just(expr):
                return Notation(self.graph, self.decimals)._tex(expr)  # dots stand between what is multiplied, not inside a value
            case F.Array(((only,),)):
                return self._number(only)
            case F.Decimal(value):
                return self.form(f), ATOM if value >= 0 else SUM
        return self.form(f), ATOM

    def _entry(self, matrix: Expr, i: Expr, j: Expr) -> tuple[str, int]:
        array = dict(self.numbers).get(matrix.name) if isinstance(matrix, MatrixSymbol) else None
        if isinstance(array, F.Array) and i.is_Integer and j.is_Integer:
            return self._number(array.rows[int(i) - 1][int(j) - 1])
        return Notation._entry(self, matrix, i, j)

    def juxtapose(self, factors: list[Expr]) -> str:
        return r" \cdot ".join(self.tex(a, POWER) for a in factors)

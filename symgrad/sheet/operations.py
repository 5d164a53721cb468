"""How the operations of language/operations.py are written.  To add one: a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Expr, Identity, Integer, Inverse, MatMul, MatrixSymbol, Transpose

from symgrad.language import operations as op
from symgrad.language import vectors as v

if TYPE_CHECKING:
    from symgrad.sheet.notation import Notation

SUM, PRODUCT, POWER, ATOM = range(4)
"""How tightly the outermost operation binds; what binds looser than its place asks gets parentheses."""


def operation_tex(n: Notation, e: Expr) -> tuple[str, int]:
    """The TeX of an operation and how tightly it binds."""

    def applied(word: str, *arguments: Expr) -> tuple[str, int]:
        return rf"{word}\left({', '.join(n.tex(a) for a in arguments)}\right)", POWER

    match e:
        case op.RowSoftmax(args=(a,)):
            return applied(r"\mathrm{softmax}_{\mathrm{rows}}", a)
        case op.RowLogSumExp(args=(a,)):
            return applied(r"\mathrm{logsumexp}_{\mathrm{rows}}", a)
        case op.RowMax(args=(Transpose() as a,)) if a.shape[0] != 1:
            return applied(r"\mathrm{max}_{\mathrm{columns}}", a.args[0])
        case op.RowMax(args=(a,)):
            return applied(r"\mathrm{max}_{\mathrm{rows}}", a)
        case op.ArgMax(args=(a,)):  # the Iverson bracket: 1 where true, 0 where false
            return rf"\left[{n.tex(a)} = \mathrm{{max}}_{{\mathrm{{rows}}}}\left({n.tex(a)}\right)\right]", ATOM
        case op.MaxOf(args=(a,)):
            return applied(r"\max", a)
        case op.Variance(args=(a,)):
            return applied(r"\mathrm{var}", a)
        case op.Diagonal(args=(a,)):
            return applied(r"\mathrm{diag}", a)
        case op.Tril(args=(a,)):
            return applied(r"\mathrm{tril}", a)
        case op.Vec(args=(a,)):
            return applied(r"\mathrm{vec}", a)
        case op.Unvec(args=(a, rows, columns)):
            return rf"\mathrm{{vec}}^{{-1}}_{{{n.tex(rows, PRODUCT)} \times {n.tex(columns, PRODUCT)}}}\left({n.tex(a)}\right)", POWER
        case op.Commutation(args=(rows, columns)):
            return rf"\mathbf{{K}}_{{{n.tex(rows)}, {n.tex(columns)}}}", ATOM
        case op.Kron(args=(a, b)):
            return rf"{n.tex(a, POWER)} \otimes {n.tex(b, POWER)}", PRODUCT
        case op.BlockInner(args=(k, b)):
            return rf"\left\langle {n.tex(k)}, {n.tex(b)} \right\rangle_{{\mathrm{{blocks}}}}", POWER
        case op.BlockSum(args=(k, a)):
            return rf"\sum\limits_{{i,j}} {n.tex(a, ATOM)}_{{ij}} {n.tex(k, ATOM)}^{{(ij)}}", PRODUCT
        case op.Correlate(args=(w, x)):
            return rf"{n.tex(w, POWER)} \star {n.tex(x, POWER)}", PRODUCT
        case op.Convolve(args=(w, g)):
            return rf"{n.tex(w, POWER)} \ast {n.tex(g, POWER)}", PRODUCT
        case op.Solve(args=(a, b)):
            return n._tex(MatMul(Inverse(a), b) if not v.is_scalar(b) else v.scale(b, Inverse(a)))
        case op.Block():
            return _part(n, e)
        case op.Stack():
            return n._grid([[n.tex(a)] for a in _stacked(e)]), ATOM
    return rf"\mathrm{{{type(e).__name__}}}", ATOM


def _part(n: Notation, e: Expr) -> tuple[str, int]:
    """A_{1:3, :}, x_{2:4}, A_{i, :}."""
    a, top, bottom, left, right = e.args
    if isinstance(a, Identity) and a.shape == e.shape:
        return n._tex(a)

    def span(low: Expr, high: Expr, size: Expr) -> str:
        return ":" if (low, high) == (Integer(1), size) else n.tex(low) if low == high else f"{n.tex(low)}:{n.tex(high)}"

    rows, columns = span(top, bottom, a.shape[0]), span(left, right, a.shape[1])
    low = rows if a.shape[1] == 1 else rf"{rows},\,{columns}"
    if isinstance(a, MatrixSymbol):
        base, scripts = n.parts(a.name)
        return (rf"{base}{scripts}_{{{low}}}" if "_" not in scripts else rf"\left({base}{scripts}\right)_{{{low}}}"), POWER
    return rf"{n.tex(a, ATOM)}_{{{low}}}", POWER


def _stacked(e: Expr) -> list[Expr]:
    return [*_stacked(e.args[0]), e.args[1]] if isinstance(e, op.Stack) else [e]


def turned(n: Notation, a: Expr) -> tuple[str, int] | None:
    """The transpose of A^T above B^T is [A B], of rows 1 to 3 of A^T columns 1 to 3 of A; of argmax(x^T), x a vector, it is [x = max(x)]."""
    match a:
        case op.Stack():
            return n._grid([[n.tex(v.transpose(part)) for part in _stacked(a)]]), ATOM
        case op.Block(args=(whole, top, bottom, left, right)) if 1 not in whole.shape:
            return _part(n, op.Block(v.transpose(whole), left, right, top, bottom))
        case op.ArgMax(args=(row,)) if row.shape[0] == 1:
            column = n.tex(v.transpose(row))
            return rf"\left[{column} = \max\left({column}\right)\right]", ATOM
        case op.Tril(args=(inner,)):
            return rf"\mathrm{{triu}}\left({n.tex(v.transpose(inner))}\right)", POWER
    return None


def quotient(n: Notation, factors: tuple[Expr, ...]) -> str | None:
    """a o b^(-1), entry by entry, as a divided by b; None if no factor divides."""
    below = [f for f in factors if isinstance(f, v.Power) and f.args[1].is_Rational and f.args[1] < 0]
    above = [f for f in factors if f not in below]
    if not below or not above:
        return None
    under = [v.power(f.args[0], -f.args[1]) for f in below]

    def product(parts: list[Expr]) -> str:
        return r" \circ ".join(n.tex(p, POWER) for p in parts)

    bottom = rf"\left({product(under)}\right)" if len(under) > 1 else product(under)
    return rf"{product(above)} \oslash {bottom}"


def one_norm(n: Notation, e: v.SumOf) -> str | None:
    """The 1-norm of a vector, which is the sum of its absolute entries."""
    a = e.arg
    if isinstance(a, v.Elementwise) and a.fn.name == "abs" and a.fn.plain and a.shape[1] == 1:
        return rf"\left\lVert {n.tex(a.arguments[0])} \right\rVert_{{1}}"
    return None


__all__ = ["ATOM", "POWER", "PRODUCT", "SUM", "one_norm", "operation_tex", "quotient", "turned"]

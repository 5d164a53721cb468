"""An expression as text in the let-list's own notation, so that what is printed can be read again.

Only a derivative of a function, `sigmoid'(z)`, and an index sum, `sum(W[j, i] * z_bar[j] for j in 1..K)`, have no text that
the reader knows.
"""

from __future__ import annotations

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
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

from symgrad.language import operations as op
from symgrad.language import vectors as v
from symgrad.language.functions import Call, Fn

SUM, PRODUCT, POWER, ATOM = range(4)
"""How tightly the outermost operation binds; what binds looser than its place asks gets parentheses."""

_NAMED = {
    v.Norm: "norm", v.SumOf: "sum", v.TraceOf: "trace", v.DetOf: "det", v.LogSumExp: "logsumexp", v.Softmax: "softmax", v.Diag: "diag",
    Inverse: "inv", Identity: "eye",
}


def written(e: Expr, level: int = SUM) -> str:
    """The text, in parentheses where it binds looser than `level`."""
    text, binds = _written(e)
    return f"({text})" if binds < level else text


def _written(e: Expr) -> tuple[str, int]:
    match e:
        case Rational():
            return str(e), SUM if e < 0 else ATOM if e.is_Integer else PRODUCT
        case Symbol() | MatrixSymbol():
            return e.name, ATOM
        case Add() | MatAdd():
            return _sum(e.args), SUM
        case Mul() | MatMul():
            return _product(e)
        case HadamardProduct():
            return " * ".join(written(a, POWER) for a in e.args), PRODUCT
        case Pow() | v.Power():
            base, exponent = e.args
            if exponent == -1:
                return f"1 / {written(base, POWER)}", PRODUCT
            return f"{written(base, ATOM)}^{written(exponent, ATOM)}", POWER
        case Transpose(args=(op.Stack() as stack,)):
            return f"hstack({_listed(tuple(map(v.transpose, _stacked(stack))))})", ATOM
        case Transpose(args=(op.Block(args=(a, top, bottom, left, right)),)) if 1 not in a.shape:
            return _operation(op.Block(v.transpose(a), left, right, top, bottom)), ATOM
        case Transpose():
            return f"{written(e.args[0], ATOM)}.T", ATOM
        case v.AsScalar():
            return _written(e.arg)
        case OneMatrix() | ZeroMatrix():
            sizes = e.shape[:1] if e.shape[1] == 1 else e.shape
            return f"{'ones' if isinstance(e, OneMatrix) else 'zeros'}({_listed(sizes)})", ATOM
        case v.Unit(args=(size, i)):
            return f"onehot({written(i)}, {written(size)})", ATOM
        case Call() | v.Elementwise() | v.UnknownScalar():
            return f"{function(e.fn)}({_listed(e.arguments)})", ATOM
        case v.UnknownGradient(args=(fn, slot, *arguments)):
            return f"{function(fn.derivative(int(slot)))}({_listed(tuple(arguments))})", ATOM
        case v.UnknownHessian(args=(fn, row, column, *arguments)):
            return f"{function(fn.derivative(int(row)).derivative(int(column)))}({_listed(tuple(arguments))})", ATOM
        case v.Entry(args=(matrix, i, j)):
            where = (i,) if matrix.shape[1] == 1 and j == 1 else (i, j)
            return f"{written(matrix, ATOM)}[{_listed(where)}]", ATOM
        case v.IndexSum(args=(body, index, size)):
            return f"sum({written(body)} for {index} in 1..{size})", ATOM
    if isinstance(e, op.Operation | op.MaxOf | op.Variance):
        return _operation(e), ATOM
    name = _NAMED.get(type(e))
    return (f"{name}({_listed(e.args[:1] if isinstance(e, Inverse) else e.args)})", ATOM) if name else (str(e), SUM)


def _operation(e: Expr) -> str:
    """softmax(A, 1), A[1:3, :], concat(a, b); an operation that stands in adjoints only is called by its word."""
    match e:
        case op.RowSoftmax(args=(a,)):
            return f"softmax({written(a)}, 1)"
        case op.RowLogSumExp(args=(a,)):
            return f"logsumexp({written(a)}, 1)"
        case op.Block(args=(a, top, bottom, left, right)):
            spans = [":" if (low, high) == (1, n) else f"{low}:{high}" for low, high, n in ((top, bottom, a.shape[0]), (left, right, a.shape[1]))]
            return f"{written(a, ATOM)}[{spans[0] if a.shape[1] == 1 else ', '.join(spans)}]"
        case op.Stack():
            return f"concat({_listed(tuple(_stacked(e)))})"
        case op.Correlate(args=(w, x)):
            return f"conv({written(x)}, {written(w)})"
        case op.Unvec(args=(a, rows, columns)):
            return f"reshape({written(a)}, {columns}, {rows}).T"
    words = {op.RowMax: "rowmax", op.MaxOf: "max", op.Diagonal: "diag", op.Variance: "var"}
    return f"{words.get(type(e), op.OPERATIONS_WORD[type(e)])}({_listed(e.args)})"


def _stacked(e: Expr) -> list[Expr]:
    """What stands in concat(concat(a, b), c), from top to bottom."""
    return [*_stacked(e.args[0]), *_stacked(e.args[1])] if isinstance(e, op.Stack) else [e]


def function(fn: Fn) -> str:
    """sigmoid, sigmoid', max[1, 0]."""
    if fn.plain:
        return fn.name
    return fn.name + ("'" * fn.orders[0] if len(fn.orders) == 1 else f"[{_listed(fn.orders)}]")


def _listed(items: tuple[object, ...]) -> str:
    return ", ".join(written(i) if isinstance(i, Expr) else str(i) for i in items)


def _sum(terms: tuple[Expr, ...]) -> str:
    found = ""
    for term in terms:
        text = written(term, SUM)
        if text.startswith("-"):
            found += f" - {text[1:]}" if found else text
        else:
            found += f" + {text}" if found else text
    return found


def _product(e: Expr) -> tuple[str, int]:
    factors = [f for a in e.args for f in (a.args if isinstance(a, Mul) else (a,))]
    sign = ""
    if factors[0] == -1 and len(factors) > 1:
        sign, factors = "-", factors[1:]
    text = ""
    for k, f in enumerate(factors):
        if k == 0:
            text = str(f) if f.is_Rational else written(f, POWER)
        elif isinstance(f, Pow) and f.args[1] == -1:
            text += f" / {written(f.args[0], POWER)}"
        else:
            text += f" {'*' if v.is_scalar(f) or v.is_scalar(factors[k - 1]) else '@'} {written(f, POWER)}"
    return sign + text, SUM if (sign + text).startswith("-") else PRODUCT


__all__ = ["function", "written"]

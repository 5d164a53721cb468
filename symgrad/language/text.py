"""Expressions as plain text, for messages: the way a let-list writes them, terms in the order in which they stand."""

from __future__ import annotations

from typing import Any

from sympy import Basic
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter


class _Text(StrPrinter):
    def _print_Entry(self, e: Any) -> str:
        matrix, i, j = e.args
        return f"{self._print(matrix)}[{i}]" if matrix.shape[1] == 1 else f"{self._print(matrix)}[{i}, {j}]"

    def _print_IndexSum(self, e: Any) -> str:
        body, index, size = e.args
        return f"sum({self._print(body)} for {index} = 1..{size})"

    def _print_AsScalar(self, e: Any) -> str:
        return str(self._print(e.arg))

    def _print_Diff(self, e: Any) -> str:
        return f"diff({self._print(e.args[0])}, {self._print(e.args[1])})"

    def _print_Grad(self, e: Any) -> str:
        return f"grad({self._print(e.args[0])}, {self._print(e.args[1])})"

    def _print_OneMatrix(self, e: Any) -> str:
        return f"ones({e.shape[0]})" if e.shape[1] == 1 else f"ones({e.shape[0]}, {e.shape[1]})"

    def _print_MatMul(self, e: Any) -> str:
        numbers = [self.parenthesize(a, PRECEDENCE["Mul"]) for a in e.args if not a.is_Matrix and a != -1]
        matrices = [self.parenthesize(a, PRECEDENCE["Mul"]) for a in e.args if a.is_Matrix]
        return "-" * (-1 in e.args) + " * ".join((*numbers, " @ ".join(matrices)))

    def _print_Inverse(self, e: Any) -> str:
        return f"inv({self._print(e.args[0])})"

    def _print_Identity(self, e: Any) -> str:
        return f"eye({e.shape[0]})"

    def _print_ZeroMatrix(self, e: Any) -> str:
        return "0"

    def _print_Call(self, e: Any) -> str:
        return f"{self._print(e.fn)}({', '.join(self._print(a) for a in e.arguments)})"

    def _named(self, e: Any) -> str:
        return f"{type(e).__name__.removesuffix('Of').lower()}({', '.join(map(self._print, e.args))})"

    _print_Elementwise = _print_UnknownScalar = _print_Call
    _print_Softmax = _print_Norm = _print_SumOf = _print_TraceOf = _print_DetOf = _print_LogSumExp = _print_Diag = _named


def text(e: Basic) -> str:
    """sum(x[k]**2 for k = 1..n) > 0 rather than the names of classes."""
    return str(_Text({"order": "none"}).doprint(e))

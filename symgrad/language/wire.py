"""Claims, verdicts and certificates to and from JSON: versioned, bounded, closed; nothing is evaluated as text.

Variables travel as names and are resolved in the graph of the problem file, so a certificate cannot bring its own.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import Enum
from typing import Any

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
from sympy.core.basic import Basic

from symgrad.language import claims as C
from symgrad.language import forms as F
from symgrad.language import steps as S
from symgrad.language import threshold as T
from symgrad.language import vectors as v
from symgrad.language import zeros as Z
from symgrad.language.bounds import within_degree
from symgrad.language.derivatives import Diff, Grad
from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import KNOWN, Call, Fn, dimension
from symgrad.language.graph import Graph
from symgrad.language.operations import OPERATIONS
from symgrad.language.tangents import entries, is_tangent

FORMAT = 1
MAX_DEPTH, MAX_NODES, MAX_DIGITS = 400, 2_000_000, 2000

_OPERATIONS: dict[str, type[Basic]] = {
    "add": Add, "mul": Mul, "pow": Pow, "matadd": MatAdd, "matmul": MatMul, "hadamard": HadamardProduct, "transpose": Transpose,
    "inverse": Inverse, "identity": Identity, "ones": OneMatrix, "zeros": ZeroMatrix, "call": Call, "elementwise": v.Elementwise,
    "softmax": v.Softmax, "diag": v.Diag, "power": v.Power, "unknown_gradient": v.UnknownGradient,
    "unknown_hessian": v.UnknownHessian, "as_scalar": v.AsScalar, "norm": v.Norm,
    "sum": v.SumOf, "trace": v.TraceOf, "det": v.DetOf, "logsumexp": v.LogSumExp, "unknown_scalar": v.UnknownScalar, "entry": v.Entry,
    "index_sum": v.IndexSum, "unit": v.Unit, "diff": Diff, "grad": Grad, **OPERATIONS,
}
_NAME_OF = {kind: name for name, kind in _OPERATIONS.items()}
_APPLIED = {"call": 0, "elementwise": 0, "unknown_scalar": 0, "unknown_gradient": 1, "unknown_hessian": 2}
"""A function first, then so many positions of arguments, then its arguments."""
_UNEVALUATED = {"add", "mul"}

_DATA: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        *typing.get_args(F.Form), *typing.get_args(C.Claim), C.Line, C.Witness, C.Weighted, *T.TRAVEL, S.Verdict, S.Certified, S.Certificate,
        Z.Fact, Z.Narrowed, Z.Combined, Z.Region, Z.Polynomial, Z.Assignment, Z.Factor)
}


def encode(value: Any) -> Any:
    """Frozen data of the language as JSON values.  Raises TypeError for anything else."""
    match value:
        case None | bool() | str() | int():
            return value
        case Enum():
            return value.value
        case tuple():
            return [encode(x) for x in value]
        case Basic():
            return {"expr": _encode_expr(value)}
    if type(value).__name__ in _DATA:
        fields = {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"kind": type(value).__name__, **fields}
    raise TypeError(f"{type(value).__name__} does not travel")


def _encode_expr(e: Basic) -> Any:
    match e:
        case Integer():
            return str(e)
        case Rational():
            return f"{e.p}/{e.q}"
        case MatrixSymbol():
            return ["name", e.name]
        case Symbol():
            return ["dimension", str(e)] if e.is_integer else ["name", str(e)]
        case Fn():
            return ["fn", e.name, list(e.orders)]
    name = _NAME_OF.get(type(e))
    if name is None:
        if isinstance(e, Rational):
            return f"{e.p}/{e.q}"
        raise TypeError(f"{type(e).__name__} does not travel")
    return [name, *(_encode_expr(a) for a in e.args)]


class Decoder:
    """JSON values back to data, names resolved in one graph.  Raises SpecError for anything that is not of the format."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.count = 0
        self.dimensions = {str(d) for d in graph.dimensions}

    def decode(self, value: Any, expected: Any, depth: int = 0) -> Any:
        """`value` as the annotated type `expected`."""
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise SpecError("the certificate is too large or nested too deeply")
        origin, arguments = typing.get_origin(expected), typing.get_args(expected)
        if origin in (typing.Union, types.UnionType):
            return self._union(value, arguments, depth)
        if origin is tuple:
            if not isinstance(value, list):
                raise SpecError("a list is expected")
            if len(arguments) == 2 and arguments[1] is ...:
                return tuple(self.decode(x, arguments[0], depth + 1) for x in value)
            if len(value) != len(arguments):
                raise SpecError(f"a list of {len(arguments)} is expected, found {len(value)}")
            return tuple(self.decode(x, a, depth + 1) for x, a in zip(value, arguments, strict=True))
        if isinstance(expected, type) and issubclass(expected, Enum):
            try:
                return expected(value)
            except ValueError:
                raise SpecError(f"{value!r} is not one of {[m.value for m in expected]}") from None
        if isinstance(expected, type) and issubclass(expected, Basic):
            return self._expr_of(value, expected)
        if dataclasses.is_dataclass(expected):
            return self._data(value, typing.cast(type, expected), depth)
        if expected in (str, int, bool) and type(value) is expected:
            return value
        raise SpecError(f"{str(value)[:60]!r} is not a {getattr(expected, '__name__', expected)}")

    def _union(self, value: Any, options: tuple[Any, ...], depth: int) -> Any:
        if value is None and type(None) in options:
            return None
        if isinstance(value, dict) and "kind" in value:
            for option in options:
                if getattr(option, "__name__", "") == value["kind"]:
                    return self.decode(value, option, depth + 1)
            raise SpecError(f"{str(value['kind'])[:40]!r} is not one of {[getattr(o, '__name__', o) for o in options]}")
        if isinstance(value, dict):
            for option in options:
                if isinstance(option, type) and issubclass(option, Basic):
                    return self._expr_of(value, option)
        for option in options:
            if option in (str, int, bool) and type(value) is option:
                return value
        raise SpecError(f"{str(value)[:60]!r} is none of {[getattr(o, '__name__', str(o)) for o in options]}")

    def _data(self, value: Any, cls: type, depth: int) -> Any:
        if not isinstance(value, dict) or value.get("kind") != cls.__name__:
            raise SpecError(f"a {cls.__name__} is expected")
        hints = _hints(cls)
        if set(value) - {"kind"} != set(hints):
            raise SpecError(f"{cls.__name__} has the fields {sorted(hints)}, found {sorted(set(value) - {'kind'})}")
        return cls(**{name: self.decode(value[name], hint, depth + 1) for name, hint in hints.items()})

    def _expr_of(self, value: Any, expected: type) -> Any:
        if not isinstance(value, dict) or set(value) != {"expr"}:
            raise SpecError("an expression is expected")
        try:
            found = within_degree(self._expr(value["expr"], 0))
        except Unsupported as error:
            raise SpecError(str(error)) from None
        if not isinstance(found, expected) or isinstance(found, Fn):
            raise SpecError(f"a {expected.__name__} is expected, found {type(found).__name__}")
        return found

    def _expr(self, value: Any, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            raise SpecError("an expression is too large or nested too deeply")
        if isinstance(value, str):
            return _number(value)
        if not isinstance(value, list) or not value or not isinstance(value[0], str):
            raise SpecError(f"{str(value)[:60]!r} is not an expression")
        head, *rest = value
        if head == "name" and len(rest) == 1 and isinstance(rest[0], str):
            return self._name(rest[0])
        if head == "dimension" and len(rest) == 1 and isinstance(rest[0], str) and len(rest[0]) <= 40:
            return dimension(rest[0])
        if head == "fn" and len(rest) == 2 and isinstance(rest[0], str) and isinstance(rest[1], list):
            if not all(type(k) is int and 0 <= k <= 8 for k in rest[1]) or len(rest[1]) > 5000:
                raise SpecError("derivative orders out of range")
            if rest[0] not in KNOWN and rest[0] not in {f.name for f in self.graph.functions}:
                raise SpecError(f"the problem applies no function {rest[0][:40]}")
            row = KNOWN.get(rest[0]) or self.graph.function(rest[0])
            if not row.arity <= len(rest[1]) <= row.arity + (row.name == "leaky_relu"):
                raise SpecError(f"{row.name} takes {row.arity} arguments, found {len(rest[1])}")
            return Fn(rest[0], tuple(rest[1]))
        if head not in _OPERATIONS:
            raise SpecError(f"unknown operation {head[:40]!r}")
        arguments = [self._expr(x, depth + 1) for x in rest]
        if head in _APPLIED:
            fn, given = arguments[0] if arguments else None, len(arguments) - 1 - _APPLIED[head]
            if not isinstance(fn, Fn) or len(fn.orders) != given:
                raise SpecError(f"{str(fn)[:40]} is not a function of {given} arguments")
        if any(isinstance(a, Fn) for a in arguments[head in _APPLIED:]):
            raise SpecError(f"a function without its arguments in {head}")
        if head == "pow" and (len(arguments) != 2 or not arguments[1].is_Rational or abs(arguments[1]) > 1000):
            raise SpecError("a power with an exponent out of range")
        if not arguments or (head == "transpose" and len(arguments) != 1):
            raise SpecError(f"{head} cannot be applied to {len(arguments)} arguments")
        try:
            if head in _UNEVALUATED:
                return _OPERATIONS[head]._from_args(arguments)
            if head == "pow":
                return Pow(*arguments, evaluate=False)
            return _OPERATIONS[head](*arguments)
        except Exception as error:  # a stranger wrote it, and what SymPy raises for nonsense is not one family
            raise SpecError(f"{head} cannot be applied: {str(error)[:80]}") from None

    def _name(self, name: str) -> Expr:
        if name == C.ARGUMENT.name:
            return C.ARGUMENT
        if name in self.graph:
            return self.graph.symbol(name)
        if name.endswith("_bar") and name[:-4] in self.graph:
            return v.variable(name, self.graph.shape(name[:-4]))
        found = self._tangent(name)
        if found is None:
            raise SpecError(f"the problem has no {name[:40]}")
        return found

    def _tangent(self, name: str) -> Expr | None:
        """u_dot, or u_wrt_w, u a name of the graph or an adjoint."""
        cut = is_tangent(name, self.graph)
        if cut is None:
            return None
        node, wrt = cut
        shape = self.graph.shape(node if node in self.graph else node.removesuffix("_bar"))
        return v.variable(name, (entries(shape), entries(self.graph.shape(wrt))) if wrt else shape)


def _number(text: str) -> Rational:
    top, _, bottom = text.partition("/")
    ascii = text.isascii() and len(text) <= MAX_DIGITS
    if not ascii or not top.removeprefix("-").isdigit() or not (bottom == "" or bottom.isdigit()) or bottom.strip("0") == "" != bottom:
        raise SpecError(f"{text[:40]!r} is not a number")
    return Rational(int(top), int(bottom or 1))


_HINTS: dict[type, dict[str, Any]] = {}


def _hints(cls: type) -> dict[str, Any]:
    if cls not in _HINTS:
        found = typing.get_type_hints(cls)
        _HINTS[cls] = {f.name: found[f.name] for f in dataclasses.fields(cls)}
    return _HINTS[cls]


def certificate_to_json(certificate: S.Certificate) -> dict[str, Any]:
    """The certificate, with the version of the format."""
    return {"format": FORMAT, **encode(certificate)}


def certificate_from_json(data: Any, graph: Graph) -> S.Certificate:
    """Raises SpecError for another version, unknown fields, names that the problem does not have."""
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise SpecError(f"not a symgrad certificate of format {FORMAT}")
    found = Decoder(graph).decode({k: x for k, x in data.items() if k != "format"}, S.Certificate)
    assert isinstance(found, S.Certificate)
    return found

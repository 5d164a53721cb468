"""Python text for one point of a scalar graph, straight from its definitions: names, numbers, arithmetic and functions of `math`.

Half of CPython's time to compile such a text goes into fetching and returning values one by one, so the inputs are taken out of
the dictionary together, and what only the caller sees is written into the returned tuple.  An expression of another kind makes
`float_text` give up, and the general way (`cases`, `source`) takes over.  To add a function: a row in CALLS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from sympy import Add, Expr, Mul, Pow, Rational, Symbol

from symgrad.language.functions import KNOWN, Call
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Conventions


class _Elsewhere(Exception):
    """There is an expression that this way does not write."""


def _relu(z: str, at_zero: Conventions) -> str:
    return f"0.0 if {z} <= 0.0 else {z}"


def _relu_slope(z: str, at_zero: Conventions) -> str:
    return f"1.0 if {z} > 0.0 else 0.0 if {z} < 0.0 else {float(at_zero.relu_at_zero or 0)!r}"


def _step(z: str, at_zero: Conventions) -> str:
    return f"1.0 if {z} > 0.0 else 0.0 if {z} < 0.0 else {float(at_zero.step_at_zero)!r}"


CALLS: dict[tuple[str, tuple[int, ...]], Callable[[str, Conventions], str]] = {
    ("sigmoid", (0,)): lambda z, _: f"1.0 / (1.0 + m_exp(-{z}))",
    ("exp", (0,)): lambda z, _: f"m_exp({z})",
    ("log", (0,)): lambda z, _: f"m_log({z})",
    ("sqrt", (0,)): lambda z, _: f"m_sqrt({z})",
    ("tanh", (0,)): lambda z, _: f"m_tanh({z})",
    ("relu", (0,)): _relu,
    ("relu", (1,)): _relu_slope,
    ("step", (0,)): _step,
}
ONCE = frozenset({"sigmoid", "exp", "log", "sqrt", "tanh"})  # their text has the argument once


class _Floats:
    """The statements so far, and the text that stands for each name: a local variable or a number."""

    def __init__(self, names: dict[str, str], graph: Graph, conventions: Conventions) -> None:
        self.names, self.conventions = names, conventions
        self.rows = {row.name: row for row in graph.functions}
        self.lines: list[str] = []
        self.known: dict[str, str] = {}  # text -> the local variable that has its value
        self.seen: dict[int, tuple[Expr, str]] = {}  # by identity, as parts are shared: what was written for a factor
        self.count = len(names)

    def named(self, text: str) -> str:
        """The local variable with the value of `text`."""
        found = self.known.get(text)
        if found is None:
            found = self.known[text] = f"v{self.count}"
            self.count += 1
            self.lines.append(f"{found} = {text}")
        return found

    def text(self, e: Expr) -> str:
        kind = type(e)
        if kind is Mul:
            args = e._args
            if len(args) == 2 and type(args[0]) is Symbol and type(args[1]) is Symbol:  # most definitions of a backward pass
                return f"{self.names[args[0].name]} * {self.names[args[1].name]}"
            return self.product(args)
        if kind is Symbol:
            return self.names[e.name]
        if kind is Add:
            return self.sum(e._args)
        if kind is Call:
            return self.call(e)
        if kind is Pow:
            return self.power(e)
        if isinstance(e, Rational):
            return _number(e)
        raise _Elsewhere

    def factor(self, e: Expr) -> str:
        """A text that may stand beside * and /, nested no deeper than one pair of parentheses."""
        found = self.seen.get(id(e))
        if found is None:
            text = self.text(e)
            if " " in text or text[0] == "-":
                text = self.named(text) if "(" in text or text in self.known else f"({text})"
            found = self.seen[id(e)] = (e, text)
        return found[1]

    def sum(self, terms: Iterable[Expr]) -> str:
        names, plus, minus = self.names, [], []
        for t in terms:
            kind = type(t)
            if kind is Symbol:
                plus.append(names[t.name])
            elif kind is Mul:
                args = t._args
                if len(args) == 2 and type(args[0]) is Symbol and type(args[1]) is Symbol:
                    plus.append(f"{names[args[0].name]} * {names[args[1].name]}")
                    continue
                text = self.product(args)
                if text[0] == "-":
                    minus.append(text[1:])
                else:
                    plus.append(text)
            else:
                plus.append(_number(t) if isinstance(t, Rational) else self.factor(t))
        first = " + ".join(plus)
        return f"{first}{' - ' if first else '-'}{' - '.join(minus)}" if minus else first

    def product(self, factors: tuple[Expr, ...]) -> str:
        number, above, below = 1.0, [], []
        for f in factors:
            kind = type(f)
            if kind is Symbol:
                above.append(self.names[f.name])
            elif kind is Add:
                above.append(self.factor(f))
            elif isinstance(f, Rational):
                number *= f.p / f.q
            elif kind is Pow and f._args[1].is_Integer and f._args[1] < 0:
                below.append(self.factor(f._args[0] if f._args[1] == -1 else Pow(f._args[0], -f._args[1], evaluate=False)))
            else:
                above.append(self.factor(f))
        if not number:
            raise _Elsewhere  # 0 times an infinity is 0 there
        if number not in (1.0, -1.0) or not above:
            above.insert(0, repr(abs(number)))
        text = " * ".join(above)
        if below:
            text = f"{text} / {below[0]}" if len(below) == 1 else f"{text} / ({' * '.join(below)})"
        return f"-{text}" if number < 0 else text

    def power(self, e: Expr) -> str:
        base, exponent = e._args
        if not isinstance(exponent, Rational) or exponent.q != 1 or not 2 <= abs(exponent.p) <= 4:
            if exponent == -1:
                return f"1.0 / {self.factor(base)}"
            raise _Elsewhere
        text = self.factor(base)
        if text[0] == "(":
            text = self.named(text[1:-1])
        return f"1.0 / ({' * '.join([text] * -exponent.p)})" if exponent.p < 0 else " * ".join([text] * exponent.p)

    def call(self, e: Call) -> str:
        fn = e.fn
        write = CALLS.get((fn.name, fn.orders))
        if write is None or len(e._args) != 2:
            raise _Elsewhere
        row = self.rows.get(fn.name, KNOWN[fn.name])
        if row is not KNOWN[fn.name] and row != KNOWN[fn.name]:
            raise _Elsewhere
        z = self.factor(e._args[1])
        return write(z if fn.name in ONCE or z[0] != "(" else self.named(z[1:-1]), self.conventions)


def _number(e: Rational, nonzero: bool = False) -> str:
    """As a float.  A definition that is 0 makes products 0 where the general way writes them: it is left to that."""
    value = e.p / e.q
    if not math.isfinite(value) or nonzero and not value:
        raise _Elsewhere
    return repr(value)


def float_text(graph: Graph, nodes: list[Node], variables: tuple[str, ...], outputs: tuple[str, ...], used: set[str],
               conventions: Conventions) -> str | None:
    """The text of f(d), which takes floats by name and returns the outputs by name; None where it cannot be written this way.

    f returns None unless `d` holds the variables, all of them floats, and nothing else.  `used` are the names that some node
    uses: an output that none uses has no statement of its own.  The text uses the names get and outputs (see `compiled`).
    """
    if not variables:
        return None
    asked = set(outputs)
    locals_ = [f"v{i}" for i in range(len(variables))]
    t = _Floats(dict(zip(variables, locals_, strict=True)), graph, conventions)
    names, text = t.names, t.text
    last: dict[str, str] = {}
    try:
        for node in nodes:
            name, e = node.name, node.expr
            if type(e) is Symbol:
                names[name] = names[e.name]
            elif name in used or name not in asked:
                names[name] = _number(e, nonzero=True) if isinstance(e, Rational) else t.named(text(e))
            else:
                last[name] = text(e)
        results = [last[name] if name in last else names[name] for name in outputs]
    except (_Elsewhere, KeyError, RecursionError, OverflowError):
        return None
    head = ", ".join(locals_)
    lines = [
        "def f(d):",
        "a = get(d)",
        f"if len(d) != {len(variables)} or {{*map(type, a)}} != floats:",
        "    return None",
        f"{head}, = a",
        *t.lines,
        f"return dict(zip(outputs, ({', '.join(results)},)))",
        "",
    ]
    return "\n    ".join(lines).rstrip(" ")


def float_namespace() -> dict[str, Any]:
    """The functions in such a text."""
    return {f"m_{name}": getattr(math, name) for name in ("exp", "log", "sqrt", "tanh")} | {"floats": {float}}


__all__ = ["float_namespace", "float_text"]

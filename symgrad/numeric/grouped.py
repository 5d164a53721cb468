"""One point of a large scalar graph in vector code: definitions alike are computed together, affine ones that share their inputs
as one product W @ h + b.

All values live in one array, the inputs first, then each group in one piece and a 1 behind it, so that a bias is one more column.
What a group reads is a view of that array where the positions are evenly spaced, and is gathered where they are not.  Two
definitions are alike if they differ only in names and stand at the same distance from the inputs; those that no other uses
come last, all together: the outer products of a whole backward pass are one multiplication.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sympy import Add, Expr, Mul, Pow, Rational, Symbol

from symgrad.language.functions import KNOWN, Call
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Conventions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LAST = 1 << 60  # the level of what no definition uses
Term = tuple[str, str]


class Elsewhere(Exception):
    """There is an expression that this way does not write."""


class _Group:
    """Definitions that are computed together, their names in order, and where their values begin."""

    def __init__(self, names: list[str], exprs: list[Expr], rows: list[list[Term]] | None, biases: list[str]) -> None:
        self.names, self.exprs = names, exprs
        self.rows, self.biases = rows, biases  # of affine ones: (weight, input) in the order of the inputs, and the terms alone


class _Layout:
    """Where each name has its value, and the constants among the values."""

    def __init__(self, variables: Sequence[str]) -> None:
        self.at = {name: i for i, name in enumerate(variables)}
        self.size = len(variables)
        self.constants: dict[int, float] = {}

    def number(self, value: float) -> int:
        self.constants[self.size] = value
        self.size += 1
        return self.size - 1

    def place(self, names: Sequence[str]) -> int:
        start = self.size
        for name in names:
            self.at[name] = self.size
            self.size += 1
        self.number(1.0)
        return start


def grouped(graph: Graph, nodes: Sequence[Node], variables: Sequence[str], outputs: Sequence[str], used: set[str],
            conventions: Conventions) -> tuple[str, Callable[[Array], Array]]:
    """The text of f(x) and f itself: from the variables to the outputs, both as one array.  Raises Elsewhere."""
    import numpy as np

    layout = _Layout(variables)
    groups, aliases = _groups(graph, nodes, variables, used, layout)
    for group in groups:
        _sort(group, layout, aliases)
        layout.place(group.names)
    writer = _Text(layout, aliases, conventions)
    for group in groups:
        writer.group(group)
    where = np.array([writer.position(name) for name in outputs], np.intp)
    text = "\n    ".join(["def f(x):", f"inputs[...] = x  # {len(variables)}", "with errstate(all='ignore'):",
                          *(f"    {line}" for line in writer.lines or ["pass"]), "return take(where)", ""]).rstrip(" ")
    names: dict[str, Any] = {**writer.names, "inputs": writer.values[:len(variables)], "where": where, "take": writer.values.take,
                             "errstate": np.errstate}
    names |= {n: getattr(np, n) for n in ("add", "subtract", "multiply", "divide", "negative", "exp", "log", "sqrt", "tanh", "maximum",
                                          "heaviside", "dot")}
    exec(compile(text, "<symgrad.numeric>", "exec"), names)  # noqa: S102  # text made here, every name in it made here
    return text, names.pop("f")


# ---- which definitions go together ---------------------------------------------------------------------------------


def _groups(graph: Graph, nodes: Sequence[Node], variables: Sequence[str], used: set[str],
            layout: _Layout) -> tuple[list[_Group], dict[str, str]]:
    """The groups in an order in which each reads only earlier ones; and the names that are other names for a value."""
    level = dict.fromkeys(variables, 0)
    aliases: dict[str, str] = {}
    alike: dict[tuple[int, object], list[Node]] = {}
    affine: dict[int, list[tuple[Node, list[Term], list[str]]]] = {}
    for node in nodes:
        e, name = node.expr, node.name
        if type(e) is Symbol:
            target = e.name
            aliases[name] = aliases.get(target, target)
            level[name] = level[target]
        elif isinstance(e, Rational):
            if name in used and not e:
                raise Elsewhere  # its products are 0, whatever the other factor
            layout.at[name] = layout.number(e.p / e.q)
            level[name] = 0
        else:
            here = 1 + max([level[a] for a in graph.arguments(name)], default=0)
            level[name] = here
            if name not in used:
                here = LAST
            if (terms := _affine(e)) is not None:
                affine.setdefault(here, []).append((node, *terms))
            else:
                alike.setdefault((here, _shape(e, [])), []).append(node)
    found = [(k, _Group([n.name for n in ns], [n.expr for n in ns], None, [])) for (k, _), ns in alike.items()]
    found += [(k, g) for k, members in affine.items() for g in _shared(members, frozenset(variables))]
    return [g for _, g in sorted(found, key=lambda pair: pair[0])], aliases


def _affine(e: Expr) -> tuple[list[Term], list[str]] | None:
    """The products of two names and the at most one name alone of a sum of nothing else, at least two products."""
    if type(e) is not Add:
        return None
    products: list[Term] = []
    alone: list[str] = []
    for t in e.args:
        if type(t) is Symbol:
            alone.append(t.name)
        elif type(t) is Mul and len(t.args) == 2 and type(t.args[0]) is Symbol and type(t.args[1]) is Symbol:
            products.append((t.args[0].name, t.args[1].name))
        else:
            return None
    return (products, alone) if len(products) > 1 and len(alone) < 2 else None


def _shared(members: list[tuple[Node, list[Term], list[str]]], variables: frozenset[str]) -> list[_Group]:
    """Affine definitions of one level, those with the same inputs together: of two factors the input is the one used more often."""
    uses: dict[str, int] = {}
    for _, products, _ in members:
        for name in {n for term in products for n in term}:
            uses[name] = uses.get(name, 0) + 1
    found: dict[tuple[object, ...], _Group] = {}
    for node, products, alone in members:
        row = [(a, b) if (uses[b], b not in variables) >= (uses[a], a not in variables) else (b, a) for a, b in products]
        row.sort(key=lambda term: term[1])
        group = found.setdefault((tuple(x for _, x in row), bool(alone)), _Group([], [], [], []))
        assert group.rows is not None
        group.names.append(node.name)
        group.exprs.append(node.expr)
        group.rows.append(row)
        group.biases += alone
    return list(found.values())


def _shape(e: Expr, slots: list[str]) -> object:
    """The definition with numbers for its names, in the order in which they are first read; `slots` becomes the names."""
    if type(e) is Symbol:
        if e.name not in slots:
            slots.append(e.name)
        return slots.index(e.name)
    if isinstance(e, Rational):
        return str(e)
    if type(e) not in (Add, Mul, Pow, Call):
        raise Elsewhere
    if type(e) is Call:
        return (e.fn.name, e.fn.orders, *(_shape(a, slots) for a in e.args[1:]))
    return (type(e).__name__, *(_shape(a, slots) for a in e.args))


def _slots(e: Expr) -> list[str]:
    found: list[str] = []
    _shape(e, found)
    return found


def _sort(group: _Group, layout: _Layout, aliases: dict[str, str]) -> None:
    """Members, and the terms of affine ones, by where their arguments stand: then most of what they read is evenly spaced."""

    def at(name: str) -> int:
        return layout.at[aliases.get(name, name)]

    if group.rows is not None:
        group.rows = [sorted(row, key=lambda term: at(term[1])) for row in group.rows]
        order = sorted(range(len(group.names)), key=lambda i: [at(w) for w, _ in group.rows[i]])  # type: ignore[index]
        group.rows = [group.rows[i] for i in order]
        group.biases = [group.biases[i] for i in order] if group.biases else []
    else:
        order = sorted(range(len(group.names)), key=lambda i: [at(n) for n in _slots(group.exprs[i])])
    group.names = [group.names[i] for i in order]
    group.exprs = [group.exprs[i] for i in order]


# ---- the text --------------------------------------------------------------------------------------------------------


class _Text:
    """The statements, and the arrays that they name: views of `values`, positions to gather, room for what is between."""

    def __init__(self, layout: _Layout, aliases: dict[str, str], conventions: Conventions) -> None:
        import numpy as np

        self.layout, self.aliases, self.conventions = layout, aliases, conventions
        self.values = np.zeros(layout.size)
        for position, number in layout.constants.items():
            self.values[position] = number
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._numbers: dict[float, str] = {}

    def position(self, name: str) -> int:
        return self.layout.at[self.aliases.get(name, name)]

    def bind(self, array: Any) -> str:
        name = f"p{len(self.names)}"
        self.names[name] = array
        return name

    def number(self, value: float) -> str:
        import numpy as np

        if value not in self._numbers:
            self._numbers[value] = self.bind(np.array(value))
        return self._numbers[value]

    def read(self, positions: Array) -> str:
        """The values at these positions: a view where they are evenly spaced, else gathered by a statement."""
        import numpy as np

        steps = [int(positions.take([1], axis).flat[0] - positions.flat[0]) if n > 1 else 1 for axis, n in enumerate(positions.shape)]
        if all(step > 0 for step in steps) or len(steps) == 1 and steps[0] == 0:
            even = positions.flat[0] + sum(step * np.arange(n).reshape([-1 if k == axis else 1 for k in range(len(steps))])
                                           for axis, (step, n) in enumerate(zip(steps, positions.shape, strict=True)))
            if np.array_equal(even, positions):
                if steps == [0]:
                    return self.bind(self.values[positions[:1].item():][:1])
                view = np.lib.stride_tricks.as_strided(self.values[int(positions.flat[0]):], positions.shape, [8 * step for step in steps])
                return self.bind(view)
        room = self.bind(np.empty(positions.shape))
        self.lines.append(f"take({self.bind(positions)}, None, {room}, 'clip')")
        return room

    def group(self, group: _Group) -> None:
        import numpy as np

        start = self.layout.at[group.names[0]]
        out = self.bind(self.values[start:start + len(group.names)])
        if group.rows is None:
            slots = [_slots(e) for e in group.exprs]
            columns = [np.array([self.position(row[k]) for row in slots], np.intp) for k in range(len(slots[0]))]
            operands = dict(zip(slots[0], map(self.read, columns), strict=True))
            _Entrywise(self, operands, len(group.names)).write(group.exprs[0], out)
            return
        weights = np.array([[self.position(w) for w, _ in row] for row in group.rows], np.intp)
        inputs = np.array([self.position(x) for _, x in group.rows[0]], np.intp)
        if group.biases:
            biases = np.array([self.position(b) for b in group.biases], np.intp)
            behind = int(inputs[-1]) + 1
            if self.layout.constants.get(behind) == 1:
                weights, inputs = np.column_stack([weights, biases]), np.append(inputs, behind)
            else:
                self.lines.append(f"dot({self.read(weights)}, {self.read(inputs)}, {out})")
                self.lines.append(f"add({out}, {self.read(biases)}, {out})")
                return
        self.lines.append(f"dot({self.read(weights)}, {self.read(inputs)}, {out})")


class _Entrywise:
    """The statements for one definition with arrays for its names, all of one length or of length 1."""

    def __init__(self, text: _Text, operands: dict[str, str], count: int) -> None:
        self.text, self.operands, self.count = text, operands, count

    def write(self, e: Expr, out: str) -> None:
        kind = type(e)
        if kind is Add:
            self.sum(e.args, out)
        elif kind is Mul:
            self.product(e.args, out)
        elif kind is Pow:
            self.power(e, out)
        else:
            self.call(e, out)

    def say(self, operation: str, *arguments: str) -> None:
        self.text.lines.append(f"{operation}({', '.join(arguments)})")

    def room(self) -> str:
        import numpy as np

        return self.text.bind(np.empty(self.count))

    def operand(self, e: Expr) -> str:
        if type(e) is Symbol:
            return self.operands[e.name]
        if isinstance(e, Rational):
            return self.text.number(e.p / e.q)
        room = self.room()
        self.write(e, room)
        return room

    def fold(self, operation: str, operands: list[str], out: str) -> None:
        """operands[0] op operands[1] op ... into `out`."""
        left = operands[0]
        for right in operands[1:]:
            self.say(operation, left, right, out)
            left = out

    def sum(self, terms: tuple[Expr, ...], out: str) -> None:
        plus = [self.operand(t) for t in terms if not _negative(t)]
        minus = [self.operand(Mul._from_args((-t.args[0], *t.args[1:])) if t.args[0] != -1 else _rest(t)) for t in terms if _negative(t)]
        self.fold("add", plus, out) if plus else self.say("negative", minus.pop(0), out)
        left = plus[0] if len(plus) == 1 else out
        for right in minus:
            self.say("subtract", left, right, out)
            left = out

    def product(self, factors: tuple[Expr, ...], out: str) -> None:
        number, above, below = 1.0, [], []
        for f in factors:
            if isinstance(f, Rational):
                number *= f.p / f.q
            elif type(f) is Pow and f.args[1] == -1:
                below.append(self.operand(f.args[0]))
            else:
                above.append(self.operand(f))
        if not number or not above:
            raise Elsewhere
        if number not in (1.0, -1.0):
            above.insert(0, self.text.number(number))
        if len(above) > 1:
            self.fold("multiply", above, out)
        left = above[0] if len(above) == 1 else out
        for b in below:
            self.say("divide", left, b, out)
            left = out
        if number == -1.0:
            self.say("negative", left, out)
        elif left is not out:
            raise Elsewhere

    def power(self, e: Expr, out: str) -> None:
        base, exponent = e.args
        if exponent == -1:
            self.say("divide", self.text.number(1.0), self.operand(base), out)
        elif exponent in (2, 3, 4):
            self.fold("multiply", [self.operand(base)] * int(exponent), out)
        else:
            raise Elsewhere

    def call(self, e: Expr, out: str) -> None:
        if type(e) is not Call or len(e.args) != 2:
            raise Elsewhere
        z, one, at_zero = self.operand(e.args[1]), self.text.number(1.0), self.text.conventions
        match e.fn.name, e.fn.orders:
            case "sigmoid", (0,):
                self.say("negative", z, out)
                self.say("exp", out, out)
                self.say("add", out, one, out)
                self.say("divide", one, out, out)
            case ("exp" | "log" | "sqrt" | "tanh") as name, (0,):
                self.say(name, z, out)
            case "relu", (0,):
                self.say("maximum", z, self.text.number(0.0), f"out={out}")
            case "relu", (1,):
                self.say("heaviside", z, self.text.number(float(at_zero.relu_at_zero or 0)), out)
            case "step", (0,):
                self.say("heaviside", z, self.text.number(float(at_zero.step_at_zero)), out)
            case _:
                raise Elsewhere


def _negative(t: Expr) -> bool:
    return type(t) is Mul and t.args[0].is_Rational and t.args[0] < 0 and len(t.args) > 1


def _rest(t: Expr) -> Expr:
    """-x without its sign."""
    return t.args[1] if len(t.args) == 2 else Mul._from_args(t.args[1:])


def known_rows(graph: Graph) -> bool:
    """No function of the graph has the name of a known one and another meaning."""
    return all(row.name not in KNOWN or row == KNOWN[row.name] for row in graph.functions)


__all__ = ["Elsewhere", "grouped", "known_rows"]

"""A problem: a graph, given numbers, and the questions asked.  It states questions, never answers."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Rational

from symgrad.language.graph import Graph


@dataclass(frozen=True, slots=True)
class Given:
    """A stated number, vector or matrix (entries row by row) for a name; `digits` is set where it is a rounded value of a node."""

    name: str
    entries: tuple[tuple[Rational, ...], ...]
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Conventions:
    """What the problem fixes where mathematics leaves a choice; None: unset, and a question that needs it is not answered."""

    relu_at_zero: Rational | None = None  # the derivative of relu (and of max at a tie, to its first argument) at 0
    abs_at_zero: Rational | None = None
    step_at_zero: Rational = Rational(1)  # the value step(0)


@dataclass(frozen=True, slots=True)
class Forward:
    """The table of node values in order; all nodes if `of` is empty."""

    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gradient:
    """d of / d wrt by the chain rule, as a sum over paths."""

    of: str
    wrt: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backward:
    """The backprop equations from the seed down to `wrt`, in bar notation."""

    of: str
    wrt: tuple[str, ...]
    components: tuple[str, ...] = ()
    closed_form: tuple[str, ...] = ()
    expand: bool = False  # write sigma'(z) as h o (1 - h)


@dataclass(frozen=True, slots=True)
class Choose:
    """Which choices equal d of / d wrt?  Each choice has one expression for every name in `wrt`."""

    of: str
    wrt: tuple[str, ...]
    choices: tuple[tuple[Expr, ...], ...]
    texts: tuple[str, ...] = ()
    several: bool = False


Ask = Forward | Gradient | Backward | Choose


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a problem, with its marks (by step label; "" is the whole part)."""

    label: str
    ask: Ask
    statement: str = ""
    marks: tuple[tuple[str, Rational], ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """A known answer, used only for checking after everything is derived: `key` is part.label."""

    part: str
    label: str
    value: Expr | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem file as read, without its [expected] table (see `reader`), tied to the file by the digest of its text."""

    id: str
    title: str
    graph: Graph
    parts: tuple[Part, ...]
    values: tuple[Given, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    conventions: Conventions = Conventions()
    statement: str = ""
    source: str = ""
    digits: int = 4
    digest: str = ""

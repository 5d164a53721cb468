"""Templates to fill for several test files, and an oracle that shares no code with symgrad: Python itself, on Fractions."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from symgrad.language.fill import Fill
from symgrad.language.problem import Problem
from symgrad.reader.read import read_text

FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "max": lambda *a: max(a), "min": lambda *a: min(a), "abs": abs, "relu": lambda z: max(z, Fraction(0)),
    "leaky_relu": lambda z: z if z > 0 else z / 100, "step": lambda z: Fraction(int(z >= 0)), "sign": lambda z: Fraction((z > 0) - (z < 0)),
}


@dataclass(frozen=True)
class Case:
    """One `fill` part: `points` are (x, label), labels "a" (asked for f >= 0) and "b"."""

    name: str
    template: str
    slots: dict[str, list[str]]
    points: list[tuple[tuple[str, ...], str]]
    regions: list[tuple[str, str]] = field(default_factory=list)
    decision: str = ">= 0"
    inputs: tuple[str, ...] = ("x1", "x2")

    def toml(self) -> str:
        """The problem file."""
        def entry(name: str, value: str) -> str:
            return f'{name} = "{value}"'

        points = ", ".join(f"{{ {', '.join(map(entry, self.inputs, at))}, label = \"{label}\" }}" for at, label in self.points)
        regions = ", ".join(f'{{ where = "{where}", label = "{label}" }}' for where, label in self.regions)
        slots = "\n".join(f"{name} = {choices!r}".replace("'", '"') for name, choices in self.slots.items())
        symbols = "\n".join(f'{x} = {{ role = "input" }}' for x in self.inputs)
        return (f'format = 1\nid = "case"\ntitle = "A case"\n[symbols]\n{symbols}\n[[part]]\nlabel = "a"\nask = "fill"\n'
                f'template = "{self.template}"\npositive = "a"\ndecision = "{self.decision}"\npoints = [{points}]\nregions = [{regions}]\n'
                f"[part.slots]\n{slots}\n")

    def problem(self) -> tuple[Problem, Fill]:
        problem, _ = read_text(self.toml(), "case.toml")
        ask = problem.parts[0].ask
        assert isinstance(ask, Fill)
        return problem, ask

    # ---- the oracle ----------------------------------------------------------------------------------------

    def value(self, combination: Sequence[int], at: Sequence[Fraction]) -> Fraction:
        """Python's own value of the template with the choices written into it."""
        put = {name: f"({choices[k]})" for (name, choices), k in zip(self.slots.items(), combination, strict=True)}
        text = self.template.format(**put).replace("^", "**")
        text = re.sub(r"(?<![\w.])(\d+)(?![\w.])", r"Fraction(\1)", text)
        text = re.sub(r"\*\*Fraction\((\d+)\)", r"**\1", text)
        return Fraction(eval(text, {"Fraction": Fraction, **FUNCTIONS}, dict(zip(self.inputs, at, strict=True))))

    def right(self, value: Fraction, label: str) -> bool:
        above = value > 0 if self.decision == "> 0" else value >= 0
        return above == (label == "a")

    def all(self) -> list[tuple[int, ...]]:
        return list(itertools.product(*(range(len(c)) for c in self.slots.values())))

    def valid(self) -> set[tuple[int, ...]]:
        """By trying everything at the points."""
        return {c for c in self.all() if all(self.right(self.value(c, tuple(map(Fraction, at))), label) for at, label in self.points)}

    def same(self, a: Sequence[int], b: Sequence[int], seed: int = 3) -> bool:
        """At many random points, ties among them; a difference is certain, sameness likely."""
        random = Random(seed)
        for k in range(80):
            pool = [Fraction(n, 1 if k % 2 else 7) for n in range(-9, 10)]
            at = [random.choice(pool) for _ in self.inputs]
            if k % 5 == 0:
                at = [at[0] * random.choice((1, -1)) for _ in at]
            if self.value(a, at) != self.value(b, at):
                return False
        return True


X, Y, S = ["x1", "-x1", "0"], ["x2", "-x2", "0"], ["1", "-1", "0"]
FIVE = {"i": X, "ii": Y, "iii": X, "iv": Y, "v": S}
FIRST = "max({i} + {ii}, {iii} + {iv}) + {v}"


def at(*pairs: tuple[str, str]) -> list[tuple[tuple[str, ...], str]]:
    """("2 1", "a") for the point (2, 1) with label a."""
    return [(tuple(place.split()), label) for place, label in pairs]


CASES = (
    Case("two of 243", FIRST, FIVE, at(("2 1", "a"), ("-2 2", "a"), ("1 0", "a"), ("-1 -2", "a"), ("0 2", "b"), ("1/2 1", "b"), ("0 -2", "b"))),
    Case("a strip", FIRST, FIVE, at(("0 1", "a"), ("0 -1", "a"), ("5 0", "b"), ("-5 0", "b"))),
    Case("strict on the border", FIRST, FIVE, at(("2 1", "a"), ("-2 2", "a"), ("1 0", "b"), ("0 2", "b"), ("0 -2", "b")), decision="> 0"),
    Case("no hole in a convex set", FIRST, FIVE, at(("0 0", "a"), ("2 0", "b"), ("-2 0", "b"), ("0 3", "b"))),
    Case("the same place twice", FIRST, FIVE, at(("1 1", "a"), ("1 1", "b"))),
    Case("one line", "{a} * x1 + {b} * x2 + {c}", {"a": ["1", "2", "-1"], "b": ["0", "1"], "c": ["0", "1", "-1/2"]},
         at(("1 1", "a"), ("-1 0", "b"), ("0 -3", "b"))),
    Case("a circle", "{r} - {p}^2 - {q}^2", {"r": ["1", "4", "9"], "p": ["x1", "2 * x1", "x1 - x2"], "q": ["x2", "x1 + x2"]},
         at(("0 0", "a"), ("1 1", "a"), ("3 0", "b"), ("0 3", "b"))),
    Case("relu and abs", "relu({g}) - abs({h}) + {k}", {"g": ["x1", "x2", "x1 + x2"], "h": ["x1", "x2", "x1 - x2"], "k": ["0", "1/2", "-1/2"]},
         at(("1 1", "a"), ("2 2", "a"), ("-1 1", "b"), ("3 -3", "b"))),
    Case("min of three", "min({p}, {q}, {r}) + {s}", {"p": ["x1", "x2"], "q": ["x1", "x2", "3"], "r": ["x1 + x2", "1"], "s": ["0", "-1"]},
         at(("1 1", "a"), ("2 1/2", "b"), ("0 5", "b"))),
    Case("steps at their jumps", "step({p}) + step({q}) - {t}", {"p": ["x1", "-x1"], "q": ["x2", "-x2", "x1 - x2"], "t": ["1/2", "3/2", "5/2"]},
         at(("0 0", "a"), ("1 1", "a"), ("-1 -1", "b"), ("-1 1", "b"))),
    Case("a slot used twice", "{a} * {a} - {b}", {"a": ["x1", "x2", "x1 + x2"], "b": ["1", "2", "x1"]}, at(("2 2", "a"), ("1/2 1/2", "b"))),
    Case("three inputs", "max({a}, {b}) - {c}", {"a": ["x1", "x2", "x3"], "b": ["x1", "x2", "x3"], "c": ["x3", "1", "0"]},
         at(("1 0 -1", "a"), ("-1 -1 1", "b"), ("0 2 1", "a")), inputs=("x1", "x2", "x3")),
    Case("one input", "{a} * x + {b}", {"a": ["1", "-1", "x"], "b": ["0", "-1", "1"]}, at(("2", "a"), ("0", "b")), inputs=("x",)),
    Case("all of them", "{a}^2 + {b}", {"a": ["x1", "x2"], "b": ["1", "2"]}, at(("0 0", "a"), ("1 1", "a"))),
    Case("leaky", "leaky_relu({a}) + {b}", {"a": ["x1", "x2 - x1"], "b": ["0", "1/100", "1/50"]}, at(("-1 0", "a"), ("-2 -4", "b"))),
)

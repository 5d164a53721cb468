"""Numbers made of matrices as sums over indices: sum_ijk Y_ij P_ik Z_ik P_il ..., equal if one becomes the other by renaming indices.

What a sum of products (check/products.py) cannot turn round, a product of entries shows: diag, Hadamard products and sums along rows are
indices that stand in more than two places.  A network of letters and indices is brought to one naming as far as the letters around
each index tell it from the others; two that come out the same are the same, and hence equal at every size.  Two that come out different
may be the same all the same.  Source: Roman, Advanced Linear Algebra (2008), chapter 14.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from fractions import Fraction
from itertools import permutations, product
from math import factorial, prod
from typing import Any

from sympy import Expr, Integer

from symgrad.check.products import Products
from symgrad.check.ring import Factor, Factors, Terms

ROUNDS, MAX_WAYS, MAX_EDGES = 6, 720, 60
UNIT = 0  # the index of every axis of size 1
Edge = tuple[str, int, int]
Form = tuple[tuple[Edge, ...], tuple[str, ...], tuple[str, ...]]


class Network:
    """One product of entries, summed over all its indices."""

    def __init__(self, products: Products) -> None:
        self.say = products._say
        self.edges: list[tuple[str, int, int]] = []
        self.sizes: list[Expr] = [Integer(1)]
        self.same: dict[int, int] = {}
        self.numbers: list[str] = []

    def index(self, size: Expr) -> int:
        if size == 1:
            return UNIT
        self.sizes.append(size)
        return len(self.sizes) - 1

    def root(self, i: int) -> int:
        while i in self.same:
            i = self.same[i]
        return i

    def tie(self, i: int, j: int) -> None:
        i, j = self.root(i), self.root(j)
        if i != j:
            self.same[max(i, j)] = min(i, j)

    # ---- what is multiplied ----------------------------------------------------------------------------------

    def letter(self, x: Hashable, n: Fraction) -> None:
        """A letter for a number, to a power: opened where it is made of matrices and the power is a small whole number."""
        kind: Any
        content: Any
        kind, content = x if isinstance(x, tuple) and len(x) == 2 else ("", ())
        if n.denominator != 1 or not 0 < n <= 4 or kind not in ("product", "trace", "sum of", "size"):
            self.numbers.append(f"{self.say(x)}^{n}")
            return
        for _ in range(int(n)):
            match kind:
                case "product":
                    self.chain(content, UNIT, UNIT)
                case "trace":
                    i = self.index(content[0].rows)
                    self.chain(content, i, i)
                case "sum of":
                    self.entries(content, self.index(content[0][0][0].rows), UNIT)
                case "size":
                    self.index(content)

    def chain(self, factors: Factors, i: int, j: int) -> None:
        """Entry (i, j) of a product of matrices; of none, of the identity."""
        if not factors:
            self.tie(i, j)
        for k, f in enumerate(factors):
            after = j if k == len(factors) - 1 else self.index(f.columns)
            self.factor(f, *((after, i) if f.turned else (i, after)))
            i = after

    def factor(self, f: Factor, i: int, j: int) -> None:
        content: Any = f.content
        match f.kind:
            case "ones":
                pass
            case "diag":
                self.tie(i, j)
                self.chain(content, i, UNIT)
            case "hadamard":
                self.entries(content, i, j)
            case "diagonal":
                self.chain((content,), i, i)
            case "symmetric":
                self.edges.append((self.say((f.kind, f.content, f.rows)), min(i, j), max(i, j)))
            case _:
                self.edges.append((self.say((f.kind, f.content, f.columns if f.turned else f.rows, f.rows if f.turned else f.columns)), i, j))

    def entries(self, members: tuple[tuple[Factors, Fraction], ...], i: int, j: int) -> None:
        for m, n in members:
            if n.denominator == 1 and 0 < n <= 4:
                for _ in range(int(n)):
                    self.chain(m, i, j)
            else:
                self.edges.append((self.say(("power", m, n)), i, j))

    # ---- one naming ------------------------------------------------------------------------------------------

    def form(self) -> Form:
        """The network with its indices in an order that does not depend on how it was written, as far as their surroundings tell them apart."""
        edges = [(label, self.root(i), self.root(j)) for label, i, j in self.edges]
        used = {i for _, *ends in edges for i in ends} - {UNIT}
        every = {self.root(i) for i in range(1, len(self.sizes))} - {UNIT}
        alone = tuple(sorted(self.say(self.sizes[i]) for i in every - used))
        colour = {i: self.say(self.sizes[i]) for i in used} | {UNIT: ""}
        for _ in range(ROUNDS):
            around: dict[int, list[tuple[object, ...]]] = {i: [] for i in colour}
            for label, i, j in edges:
                around[i].append((label, 0, colour[j], i == j))
                around[j].append((label, 1, colour[i], i == j))
            ranked = {key: str(k) for k, key in enumerate(sorted({(colour[i], repr(sorted(around[i], key=repr))) for i in colour}))}
            colour = {i: ranked[colour[i], repr(sorted(around[i], key=repr))] for i in colour}
        found = min(tuple(sorted((label, at[i], at[j]) for label, i, j in edges)) for at in self.orders(used, colour))
        return found, alone, tuple(sorted(self.numbers))

    @staticmethod
    def orders(used: set[int], colour: dict[int, str]) -> Iterator[dict[int, int]]:
        """The namings that the colours leave open; one of them, where there are too many."""
        classes: dict[str, list[int]] = {}
        for i in sorted(used):
            classes.setdefault(colour[i], []).append(i)
        groups = [classes[c] for c in sorted(classes)]
        few = prod(factorial(len(g)) for g in groups) <= MAX_WAYS
        for choice in product(*(permutations(g) if few else [tuple(g)] for g in groups)):
            yield {UNIT: UNIT} | {i: k for k, i in enumerate((i for g in choice for i in g), 1)}


def same_sum(products: Products, a: Terms, b: Terms) -> bool:
    """Are two sums of numbers the same sum of networks?"""
    total: dict[Form, Fraction] = {}
    for terms, sign in ((a, 1), (b, -1)):
        for (scalars, factors), c in terms.items():
            if factors:
                return False
            network = Network(products)
            for letter, n in scalars:
                network.letter(letter, n)
            if len(network.edges) > MAX_EDGES:
                return False
            form = network.form()
            total[form] = total.get(form, Fraction(0)) + sign * c
    return not any(total.values())


__all__ = ["same_sum"]

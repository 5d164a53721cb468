"""Signs that can be seen: of sums of what is not negative, of products, of what is assumed, of e^a - 1."""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Expr, Integer, MatrixSymbol, Rational, Symbol

from symgrad.language.errors import Unsupported
from symgrad.language.forms import Relation, Sign
from symgrad.language.functions import Call
from symgrad.language.vectors import Entry, IndexSum, is_scalar, merged, negate, total
from symgrad.rules.algebra import Algebra
from symgrad.rules.polynomials import Mono, Poly, is_exponential

Set = frozenset[int]
ANY, POSITIVE, NEGATIVE, ZERO = frozenset((-1, 0, 1)), frozenset((1,)), frozenset((-1,)), frozenset((0,))
NOT_NEGATIVE, NOT_POSITIVE = frozenset((0, 1)), frozenset((0, -1))
OF: dict[Sign, Set] = {Sign.EQUAL: ZERO, Sign.UNEQUAL: POSITIVE | NEGATIVE, Sign.LESS: NEGATIVE, Sign.AT_MOST: NOT_POSITIVE,
                       Sign.MORE: POSITIVE, Sign.AT_LEAST: NOT_NEGATIVE}
ABOVE_ZERO = ("sigmoid", "softplus")


def difference(q: Relation) -> Expr:
    """left - right."""
    return q.left if q.right == 0 else total((q.left, negate(q.right)))


@dataclass
class Signs:
    """What is known under some relations between scalars."""

    relations: tuple[Relation, ...] = ()
    known: dict[Poly, Set] = field(default_factory=dict)
    memo: dict[Expr, Set] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.algebra = Algebra(positive=self.positive)
        self.vectors: dict[Expr, Set] = {}  # the signs of all entries of a vector or matrix
        for q in self.relations:
            if is_scalar(q.left) and is_scalar(q.right):
                self.assume(q)
            elif isinstance(q.left, MatrixSymbol) and q.right.is_Number:
                above = OF[q.sign] if q.right == 0 else POSITIVE if q.right > 0 and q.sign in (Sign.MORE, Sign.AT_LEAST) else ANY
                self.vectors[q.left] = self.vectors.get(q.left, ANY) & above

    def assume(self, q: Relation) -> None:
        try:
            (r,) = self.algebra.ratios(difference(q))
        except Unsupported:
            return
        if not r.num.terms or r.num.number is not None:
            return
        c, m, factors = self.algebra.factored(r.num)
        signs = OF[q.sign] if c > 0 else _times(NEGATIVE, OF[q.sign])
        rest = [(p, k) for p, k in (*self.single(m), *factors, *((p, -k) for p, k in r.den)) if not self.of_poly(p) <= POSITIVE]
        if len(rest) == 1 and rest[0][1] % 2:
            self.known[rest[0][0]] = self.known.get(rest[0][0], ANY) & signs
        elif rest:
            whole = self.algebra.show_poly(r.num.scaled(1 / c))
            self.memo[whole] = self.memo.get(whole, ANY) & signs

    @staticmethod
    def single(m: Mono) -> list[tuple[Poly, int]]:
        """The atoms of a power product, an exponential whatever its exponent."""
        return [(Poly((((((a, type(n)(1)),)), type(n)(1)),)), 1 if is_exponential(a) else int(n)) for a, n in m]

    def of(self, e: Expr) -> Set:
        """The signs that e may have."""
        try:
            (r,) = self.algebra.ratios(e)
        except Unsupported:
            return ANY
        if not r.num.terms:
            return ZERO
        c, m, factors = self.algebra.factored(r.num)
        whole = self.memo.get(self.algebra.show_poly(r.num.scaled(1 / c)), ANY) if not r.den else ANY
        result = POSITIVE
        for p, k in (*self.single(m), *factors, *r.den):
            signs = self.of_poly(p)
            result = _times(result, signs if k % 2 else frozenset(s * s for s in signs))
        return _times(POSITIVE if c > 0 else NEGATIVE, result & whole)

    def of_poly(self, p: Poly) -> Set:
        signs = self.known.get(p, ANY)
        if p.is_monomial:
            a = p.terms[0][0][0][0]
            return signs & self.of_atom(a)
        of_terms = [self.of_term(m, c) for m, c in p.terms]
        if all(s <= NOT_NEGATIVE for s in of_terms):
            signs &= POSITIVE if any(s == POSITIVE for s in of_terms) else NOT_NEGATIVE
        elif all(s <= NOT_POSITIVE for s in of_terms):
            signs &= NEGATIVE if any(s == NEGATIVE for s in of_terms) else NOT_POSITIVE
        elif len(p.terms) == 2 and p.terms[0][1] == -p.terms[1][1] and all(is_exponential(a) for m, _ in p.terms for a, _ in m):
            first, second = (total(tuple(_scaled(n, a.arguments[0]) for a, n in m)) if m else Integer(0) for m, _ in p.terms)
            signs &= _times(POSITIVE if p.terms[0][1] > 0 else NEGATIVE, self.of(total((first, negate(second)))))
        elif (pair := logarithms(p)) is not None and all(map(self.positive, pair)):
            signs &= self.of(total((pair[0], negate(pair[1]))))
        return signs

    def of_term(self, m: Mono, c: object) -> Set:
        result = POSITIVE if c > 0 else NEGATIVE  # type: ignore[operator]
        for a, n in m:
            signs = self.of_atom(a) & self.known.get(self.single(((a, n),))[0][0], ANY)
            result = _times(result, signs if is_exponential(a) or n % 2 else frozenset(s * s for s in signs))
        return result

    def of_atom(self, a: Expr) -> Set:
        if isinstance(a, Symbol) and a.is_integer:
            return POSITIVE
        if isinstance(a, Entry):
            return self.vectors.get(a.args[0], ANY)
        if isinstance(a, IndexSum):
            signs = self.of(a.args[0])
            return signs if signs in (POSITIVE, NEGATIVE, NOT_NEGATIVE, NOT_POSITIVE) else ANY
        if not isinstance(a, Call) or not a.fn.plain:
            return ANY
        if is_exponential(a) or a.fn.name in ABOVE_ZERO:
            return POSITIVE
        if a.fn.name == "sqrt":
            return NOT_NEGATIVE
        if a.fn.name == "log":
            return self.of(total((a.arguments[0], Integer(-1))))
        return ANY

    def positive(self, e: Expr) -> bool:
        return self.of(e) <= POSITIVE


def logarithms(p: Poly) -> tuple[Expr, Expr] | None:
    """a and b, where p is a positive multiple of log a - log b."""
    if len(p.terms) != 2 or p.terms[0][1] != -p.terms[1][1]:
        return None
    inside = []
    for m, _ in p.terms:
        if len(m) != 1 or m[0][1] != 1 or not isinstance(m[0][0], Call) or m[0][0].fn.name != "log":
            return None
        inside.append(m[0][0].arguments[0])
    return (inside[0], inside[1]) if p.terms[0][1] > 0 else (inside[1], inside[0])


def _times(a: Set, b: Set) -> Set:
    return frozenset(x * y for x in a for y in b)


def _scaled(n: object, e: Expr) -> Expr:
    return merged((Rational(n.numerator, n.denominator), e))  # type: ignore[attr-defined]

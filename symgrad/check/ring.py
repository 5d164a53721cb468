"""The laws by which sums of products of matrices are compared, without indices: what is equal here is equal at every size.

Used are the laws of a ring that is not commutative, and these, each of them an identity of entries at all sizes (a, b, c columns):

    (A B)^T = B^T A^T        (A + B) o C = A o C + B o C       1 = 1_n 1_m^T           diag(a) b = a o b
    a (b^T c) = (b^T c) a    a^T B c = c^T B^T a               (a b^T) o C = diag(a) C diag(b)
    tr(A B) = tr(B A) = tr(B^T A^T)       tr(a b^T) = b^T a    1^T (A o B) 1 = vec(A)^T vec(B) = tr(A^T B)
    f(A)^T = f(A^T)          (A^T)^-1 = (A^-1)^T               diag(A B) = (A o B^T) 1
    A above B is E A + F B   rows i to j of A are E^T A        E, F columns i to j of an identity

Which products an expression stands for says check/products.py; anything else is a letter, the same for the same expression.
Source: Magnus, Neudecker, Matrix Differential Calculus (2019), chapters 1 to 3.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from fractions import Fraction
from typing import NamedTuple

from sympy import Expr, Integer

from symgrad.check.errors import Undecided
from symgrad.language import vectors as v

MAX_TERMS = 400


class Factor(NamedTuple):
    """One letter of a product; `content` says which, `turned` that it is transposed, the shape is that with the transpose."""

    kind: str
    content: Hashable
    turned: bool
    rows: Expr
    columns: Expr

    @property
    def transposed(self) -> Factor:
        return self if self.kind in ("diag", "symmetric") else Factor(self.kind, self.content, not self.turned, self.columns, self.rows)


Factors = tuple[Factor, ...]
"""A product of matrices; none at all is an identity, or the number 1."""
Scalars = tuple[tuple[Hashable, Fraction], ...]
"""Letters for numbers with their exponents, in order."""
Terms = dict[tuple[Scalars, Factors], Fraction]
Key = tuple[tuple[tuple[Scalars, Factors], Fraction], ...]
ONE: Terms = {((), ()): Fraction(1)}


class Ring:
    """Sums of products of letters, in an order of their own.  Raises Undecided where there would be too many terms."""

    def __init__(self) -> None:
        self.said: dict[Hashable, str] = {}

    # ---- sums ----------------------------------------------------------------------------------------------------------

    def _say(self, x: Hashable) -> str:
        if x not in self.said:
            self.said[x] = repr(x)
        return self.said[x]

    def _key(self, terms: Terms) -> Key:
        return tuple(sorted(terms.items(), key=lambda t: self._say(t[0])))

    @staticmethod
    def _sum(parts: Iterable[Terms]) -> Terms:
        found: Terms = {}
        for part in parts:
            for term, c in part.items():
                found[term] = found.get(term, Fraction(0)) + c
        return {term: c for term, c in found.items() if c}

    def _each(self, parts: list[Terms], join: Callable[[list[Factors]], tuple[Scalars, Factors]]) -> Terms:
        """All ways to take one term of each part, their factors joined."""
        products: list[tuple[Scalars, Fraction, list[Factors]]] = [((), Fraction(1), [])]
        for part in parts:
            products = [(self._both(s, t), c * d, [*fs, g]) for s, c, fs in products for (t, g), d in part.items()]
            if len(products) > MAX_TERMS:
                raise Undecided(f"more than {MAX_TERMS} products")
        found = []
        for s, c, fs in products:
            t, g = join(fs)
            found.append({(self._both(s, t), g): c})
        return self._sum(found)

    def _both(self, a: Scalars, b: Scalars) -> Scalars:
        """The product of two, exponents of the same letter added."""
        if not a or not b:
            return a or b
        found = dict(a)
        for letter, n in b:
            found[letter] = found.get(letter, Fraction(0)) + n
        return tuple(sorted(((x, n) for x, n in found.items() if n), key=lambda t: self._say(t[0])))

    def _expanded(self, terms: Terms) -> Terms:
        """A letter that stands for a sum is that sum where its exponent is a positive integer."""
        for (scalars, factors), c in terms.items():
            for letter, n in scalars:
                if isinstance(letter, tuple) and letter[0] == "sum" and n.denominator == 1 and 0 < n <= 4:
                    rest: Terms = {(tuple(x for x in scalars if x[0] != letter), factors): c}
                    whole = self._each([rest, *[dict(letter[1])] * int(n)], lambda fs: ((), fs[0]))
                    return self._expanded(self._sum([{t: x for t, x in terms.items() if t != (scalars, factors)}, whole]))
        return terms

    def _transposed(self, terms: Terms) -> Terms:
        return {(s, turned_round(f)): c for (s, f), c in terms.items()}

    # ---- products ------------------------------------------------------------------------------------------------------

    def _product(self, factors: Iterable[Factor]) -> tuple[Scalars, Factors]:
        """diag(a) b = a o b, what is a number taken out."""
        found: list[Factor] = []
        for f in factors:
            found.append(f)
            while len(found) > 1 and (joined := self._joined(*found[-2:])) is not None:
                found[-2:] = joined
        cuts = [0, *(i + 1 for i, f in enumerate(found[:-1]) if f.columns == 1), len(found)]
        scalars: Scalars = ()
        kept: list[Factor] = []
        for low, high in zip(cuts, cuts[1:], strict=False):
            part = tuple(found[low:high])
            if len(part) > 1 and part[0].kind == "diag" and part[-1].columns == 1:  # diag(a) B c = a o (B c)
                part = self._hadamard([part[0].content, part[1:]])[1]  # type: ignore[list-item]
            if len(part) > 1 and part[-1].kind == "diag" and part[0].rows == 1:
                part = turned_round(self._hadamard([turned_round(part[:-1]), part[-1].content])[1])  # type: ignore[list-item]
            if part and part[0].rows == part[-1].columns == 1:
                scalars = self._both(scalars, self._number(part))
            else:
                kept += part
        return scalars, tuple(kept)

    def _joined(self, a: Factor, b: Factor) -> Factors | None:
        if a.kind == "diag" and b.kind == "diag":
            (_, column) = self._hadamard([a.content, b.content])  # type: ignore[list-item]
            return self._diagonal(column)
        if a.kind == "diag" and b.columns == 1:
            return self._hadamard([a.content, (b,)])[1]  # type: ignore[list-item]
        if b.kind == "diag" and a.rows == 1:
            return turned_round(self._hadamard([(a.transposed,), b.content])[1])  # type: ignore[list-item]
        return None

    @staticmethod
    def _diagonal(column: Factors) -> Factors:
        """diag(1) = I."""
        if len(column) == 1 and column[0].kind == "ones":
            return ()
        return (Factor("diag", column, False, column[0].rows, column[0].rows),)

    def _hadamard(self, members: list[Factors], exponents: list[Fraction] | None = None) -> tuple[Scalars, Factors]:
        """Products of one shape multiplied entry by entry; at least one of them is no identity."""
        left: list[Factors] = []
        right: list[Factors] = []
        inner: dict[Factors, Fraction] = {}
        stack = list(zip(members, exponents or [Fraction(1)] * len(members), strict=True))
        rows, columns = next((m[0].rows, m[-1].columns) for m in members if m)
        while stack:
            m, n = stack.pop()
            cut = next((i + 1 for i, f in enumerate(m[:-1]) if f.columns == 1), 0)
            if cut and n == 1:  # (a b^T) o C = diag(a) C diag(b)
                left.append(m[:cut])
                right.append(turned_round(m[cut:]))
            elif len(m) > 1 and m[0].kind == "diag" and n == 1 and columns != 1:
                left.append(m[0].content)  # type: ignore[arg-type]
                stack.append((m[1:], n))
            elif len(m) > 1 and m[-1].kind == "diag" and n == 1 and rows != 1:
                right.append(m[-1].content)  # type: ignore[arg-type]
                stack.append((m[:-1], n))
            elif len(m) == 1 and m[0].kind == "hadamard":
                stack += [(turned_round(x) if m[0].turned else x, k * n) for x, k in m[0].content]  # type: ignore[attr-defined]
            elif not (len(m) == 1 and m[0].kind == "ones"):
                inner[m] = inner.get(m, Fraction(0)) + n
        kept = [(m, n) for m, n in inner.items() if n]
        if not kept:  # only outer products: (a b^T) o (c d^T) = (a o c)(b o d)^T
            sides = [self._hadamard(side)[1] if side else self._ones(size, Integer(1)) for side, size in ((left, rows), (right, columns))]
            return (), (*sides[0], *turned_round(sides[1]))
        body: Factors = kept[0][0]
        if len(kept) > 1 or kept[0][1] != 1:
            straight, turned = (tuple(sorted(x, key=self._say)) for x in (kept, [(turned_round(m), n) for m, n in kept]))
            over = columns != 1 and (rows == 1 or self._say(turned) < self._say(straight))
            body = (Factor("hadamard", turned if over else straight, over, rows, columns),)
        return self._product(self._around(left, right, body)) if left or right else ((), body)

    def _around(self, left: list[Factors], right: list[Factors], body: Factors) -> Factors:
        sides = [self._diagonal(self._hadamard(side)[1]) if side else () for side in (left, right)]
        return (*sides[0], *body, *sides[1])

    @staticmethod
    def _ones(rows: Expr, columns: Expr) -> Factors:
        """1 = 1_n 1_m^T."""
        column = () if rows == 1 else (Factor("ones", rows, False, rows, Integer(1)),)
        row = () if columns == 1 else (Factor("ones", columns, True, Integer(1), columns),)
        return (*column, *row)

    def _entrywise(self, members: list[Factors]) -> tuple[Scalars, Factors]:
        if any(members):
            return self._hadamard(members)
        return (), ()  # I o I = I

    def _entry_powers(self, terms: Terms, n: Fraction, e: Expr) -> Terms:
        """Every entry to a power: of a product of letters as one, of a sum as a letter."""
        rows, columns = e.shape
        if n.denominator == 1 and 0 < n <= 4:
            return self._each([terms] * int(n), self._entrywise)
        if n == 0:
            return {((), self._ones(rows, columns)): Fraction(1)}
        if len(terms) == 1:
            (((scalars, factors), c),) = terms.items()
            plain = factors and not any(f.columns == 1 for f in factors[:-1]) and factors[0].kind != "diag"
            if c == 1 and not scalars and plain and (n.denominator == 1 or factors[0].kind != "hadamard"):  # (x^2)^(1/2) is not x
                return {self._hadamard([factors], [n]): Fraction(1)}
        straight, turned = self._key(terms), self._key(self._transposed(terms))
        over = self._say(turned) < self._say(straight) and rows != 1 != columns
        letter = Factor("entries", turned if over else straight, over, rows, columns)
        return {self._hadamard([(letter,)], [n]): Fraction(1)}

    def _applied(self, name: Hashable, arguments: list[Terms], matrices: list[bool], e: Expr) -> Terms:
        """A function of which f(A^T) = f(A)^T holds, in the one of both ways that comes first."""
        rows, columns = e.shape
        straight = tuple(map(self._key, arguments))
        turned = tuple(self._key(self._transposed(a) if matrix else a) for a, matrix in zip(arguments, matrices, strict=True))
        over = self._say(turned) < self._say(straight) and rows != 1 != columns
        kind = "symmetric" if straight == turned and rows == columns else "function"
        return {((), (Factor(kind, (name, turned if over else straight), over, rows, columns),)): Fraction(1)}

    def _diagonal_of(self, factors: Factors, n: Expr) -> tuple[Scalars, Factors]:
        if not factors:
            return (), self._ones(n, Integer(1))
        if len(factors) == 1 and factors[0].kind == "diag":
            return (), factors[0].content  # type: ignore[return-value]
        cut = next((i + 1 for i, f in enumerate(factors[:-1]) if f.columns == 1), 0)
        if cut:
            return self._hadamard([factors[:cut], turned_round(factors[cut:])])
        if len(factors) == 1:
            return (), (Factor("diagonal", min(factors[0], factors[0].transposed, key=self._say), False, n, Integer(1)),)
        scalars, body = self._hadamard([factors[:1], turned_round(factors[1:])])
        more, whole = self._product((*body, *self._ones(factors[0].columns, Integer(1))))
        return self._both(scalars, more), whole

    # ---- numbers -------------------------------------------------------------------------------------------------------

    def _number(self, factors: Factors) -> Scalars:
        """A row times matrices times a column, none of the products between being a number."""
        if len(factors) == 3 and factors[0].kind == factors[2].kind == "ones" and (pair := _pair(factors[1])):
            return self._trace(self._product((*turned_round(pair[0]), *pair[1]))[1], factors[2].rows)  # 1^T (A o B) 1 = tr(A^T B)
        if len(factors) == 2 and (vectors := _of_vec(factors[0].transposed, factors[1])) is not None:
            (a, b), size = vectors
            return self._traced((*turned_round(a), *b), size)[0]  # vec(A)^T vec(B) = tr(A^T B)
        candidates = []
        for way in (factors, turned_round(factors)) if len(factors) > 1 else ():
            if way[0].kind in ("hadamard", "ones"):
                candidates.append(self._sum_of((way[0].transposed,), way[1:]))
        return min(candidates, key=self._say) if candidates else self._one(factors)

    def _one(self, factors: Factors) -> Scalars:
        return ((("product", min(factors, turned_round(factors), key=self._say)), Fraction(1)),)

    def _sum_of(self, a: Factors, b: Factors) -> Scalars:
        """1^T (a o b) of two columns."""
        (_, column) = self._hadamard([a, b])
        if len(column) == 1 and column[0].kind == "ones":  # 1^T 1 = n
            return ((("size", column[0].rows), Fraction(1)),)
        if len(column) == 1 and (pair := _pair(column[0])):
            return self._number((*turned_round(pair[0]), *pair[1]))
        if len(column) == 1 and column[0].kind == "hadamard":
            return ((("sum of", column[0].content), Fraction(1)),)
        return self._one((*self._ones(Integer(1), column[0].rows), *column))

    def _trace(self, factors: Factors, size: Expr) -> Scalars:
        """The first of all ways to turn the product round; tr(A^T (B o C)) = 1^T (A o B o C) 1."""
        if not factors:
            return ((("size", size), Fraction(1)),)
        cut = next((i + 1 for i, f in enumerate(factors[:-1]) if f.columns == 1), 0)
        if cut:
            return self._product((*factors[cut:], *factors[:cut]))[0]
        ways = [(*way[i:], *way[:i]) for way in (factors, turned_round(factors)) for i in range(len(way))]
        several = [way for way in ways if len(way) > 1 and way[-1].kind == "hadamard"]
        bodies = [self._hadamard([turned_round(way[:-1]), way[-1:]])[1] for way in several]
        if bodies and all(bodies):
            ends = ((*self._ones(Integer(1), b[0].rows), *b, *self._ones(b[-1].columns, Integer(1))) for b in bodies)
            return min((self._product(way)[0] for way in ends), key=self._say)
        return ((("trace", min(ways, key=self._say)), Fraction(1)),)

    def _traced(self, factors: Factors, size: Expr) -> tuple[Scalars, Factors]:
        scalars, rest = self._product(factors)
        return self._both(scalars, self._trace(rest, size)), ()

    def _power(self, terms: Terms, n: Fraction) -> Terms:
        """A number to a power: of a product factor by factor where the exponent is an integer, of a sum as a letter."""
        if n.denominator == 1 and 0 <= n <= 4:
            return self._each([terms] * int(n), numbers) if n else ONE
        if not terms:
            raise Undecided("a power of zero")
        if terms == ONE:
            return ONE
        if len(terms) == 1:
            (((scalars, _), c),) = terms.items()
            if n.denominator == 1:
                return {(tuple((x, k * n) for x, k in scalars), ()): c ** int(n)}
            if c == 1 and len(scalars) == 1 and scalars[0][1] == 1:
                return {(((scalars[0][0], n),), ()): Fraction(1)}
        lead = self._key(terms)[0][1] if n.denominator == 1 else Fraction(1)
        whole = {t: c / lead for t, c in terms.items()}
        return {(((("sum", self._key(whole)), n),), ()): lead ** int(n) if lead != 1 else Fraction(1)}

    def _sum_terms(self, terms: Terms, shape: v.Shape) -> Terms:
        """1^T A 1."""
        left, right = self._ones(Integer(1), shape[0]), self._ones(shape[1], Integer(1))
        return self._each([terms], lambda fs: self._product((*left, *fs[0], *right)))


def numbers(parts: list[Factors]) -> tuple[Scalars, Factors]:
    """Of factors that are numbers.  Raises Undecided where one is a matrix."""
    if any(parts):
        raise Undecided("a product of matrices that is none of matrices")
    return (), ()


def _pair(f: Factor) -> list[Factors]:
    """A and B of A o B; else nothing."""
    content: tuple[tuple[Factors, Fraction], ...] = f.content if f.kind == "hadamard" else ()  # type: ignore[assignment]
    members = [turned_round(m) if f.turned else m for m, n in content if n == 1]
    return members if len(members) == len(content) == 2 else []


def _of_vec(a: Factor, b: Factor) -> tuple[tuple[Factors, Factors], Expr] | None:
    """A and B of vec(A) and vec(B), matrices of one shape, and their columns."""
    match a.content, b.content:
        case (("Vec", (n, m)), x), (("Vec", other), y) if a.kind == b.kind == "operation" and other == (n, m) and not (a.turned or b.turned):
            return (x, y), m  # type: ignore[return-value]
    return None


def kronecker(f: Factor) -> tuple[tuple[v.Shape, v.Shape], tuple[Factors, Factors]] | None:
    """The shapes and the factors of a Kronecker product."""
    match f.content:
        case (("Kron", a, b), x, y) if f.kind == "operation":
            return (a, b), (x, y)  # type: ignore[return-value]
    return None


def turned_round(factors: Factors) -> Factors:
    """(A B C)^T = C^T B^T A^T."""
    return tuple(f.transposed for f in reversed(factors))


__all__ = ["MAX_TERMS", "ONE", "Factor", "Factors", "Ring", "Scalars", "Terms", "kronecker", "numbers", "turned_round"]

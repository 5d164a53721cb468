"""Rewriting of scalar expressions towards a fraction in lowest terms, one named rule a line.

A rule looks at one place, whose parts are settled already, and returns what stands there next, with the reason read forwards and the
reason read backwards: a chain goes down the left side of an identity and up the right side.  To add a rule: a function under `@rule`
and its place in ORDER.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from symgrad.language.forms import Just, Prose
from symgrad.language.functions import KNOWN, Call, call
from symgrad.language.text import text
from symgrad.language.vectors import Entry, IndexSum, merged, total
from symgrad.rules.algebra import Algebra, Ratio, common
from symgrad.rules.polynomials import Poly, inverse, is_exponential
from symgrad.rules.registry import rule
from symgrad.rules.shape import calls, depends, distinct_indices, flat, fraction, look, mapped, minus, numbers, parts, put_together, replaced

STEWART = "Stewart, Redlin, Watson, Algebra and Trigonometry (2012), ch. P"
LOGS = "Stewart, Redlin, Watson, Algebra and Trigonometry (2012), section 4.4"
SUMS = "Graham, Knuth, Patashnik, Concrete Mathematics (1994), section 2.3"
MAX_ROUNDS = 30
SHORT = 60  # letters of two expressions that fit into a reason


@dataclass(frozen=True, slots=True)
class Move:
    """What stands in one place after a rule, and why, read forwards and backwards."""

    expr: Expr
    forwards: Prose
    backwards: Prose


@dataclass(frozen=True, slots=True)
class Written:
    """One line of a way down: the whole expression, the rule, and the reasons."""

    expr: Expr
    rule: str
    forwards: Prose
    backwards: Prose


# ---- definitions ---------------------------------------------------------------------------------------------------


def e_to(a: Expr) -> Expr:
    return call("exp", a)


DEFINITIONS: dict[str, Callable[..., Expr]] = {
    "sigmoid": lambda z: fraction(Integer(1), total((Integer(1), e_to(minus(z))))),
    "tanh": lambda z: fraction(total((e_to(z), minus(e_to(minus(z))))), total((e_to(z), e_to(minus(z))))),
    "softplus": lambda z: call("log", total((Integer(1), e_to(z)))),
}
"""How a definition is written; a function without a row here is written as its row in language/functions.py evaluates."""


@rule("definition", source="the table of functions, language/functions.py")
def definition(e: Expr) -> Move | None:
    """f(z) is what its row says, for every function without kinks that has a definition."""
    names: dict[str, None] = {}

    def unfold(x: Expr) -> Expr | None:
        if isinstance(x, Call) and x.fn.plain and (row := KNOWN.get(x.fn.name)) is not None and row.definition is not None and not row.kink:
            names[x.fn.name] = None
            return DEFINITIONS.get(x.fn.name, row.definition)(*x.arguments)
        return None

    new = mapped(e, unfold)
    said: Prose = (f"definition of {' and '.join(names)}",)
    return Move(new, said, said) if names else None


# ---- rules at one place --------------------------------------------------------------------------------------------


@rule("multiply above and below", source=STEWART + ", section P.7")
def multiply_above_and_below(a: Algebra, e: Expr) -> Move | None:
    """N / (1 + e^-x) = N e^x / (e^x + 1): negative powers below the line are cleared."""
    number, factors = parts(e)
    moved: list[tuple[Expr, Rational]] = []
    top = Ratio(Poly((((), Fraction(1)),)))
    for b, n in factors:
        r = a.ratio(b)
        lows = tuple((x, k) for x, k in _lowest(r.num) if k < 0) if n < 0 and isinstance(b, Add) and not r.den else ()
        if not lows:
            moved.append((b, n))
            continue
        lift = Poly(((inverse(lows), Fraction(1)),))
        moved.append((a.show_poly(r.num * lift), n))
        top = a.product(top, a.power(Ratio(lift), -int(n)))
    if top.num.number == 1:
        return None
    by = a.show(top)
    above = [(b, n) for b, n in moved if n > 0]
    numerator = a.show(a.product(reduce(a.product, (a.power(a.ratio(b), int(n)) for b, n in above), Ratio(Poly((((), Fraction(1)),)))), top))
    if isinstance(numerator, Add) or not above:
        new = put_together(number, [(numerator, Integer(1)), *((b, n) for b, n in moved if n < 0)])
    else:
        own, inner = parts(numerator)
        new = put_together(number * own, [*inner, *((b, n) for b, n in moved if n < 0)])
    return Move(new, ("multiply numerator and denominator by ", Just(by)), ("divide numerator and denominator by ", Just(by)))


def _lowest(p: Poly) -> tuple[tuple[Expr, Fraction], ...]:
    return tuple((x, min(dict(m).get(x, Fraction(0)) for m, _ in p.terms)) for x in sorted(p.atoms(), key=str))


@rule("fraction of fractions", source=STEWART + ", section P.7")
def flatten_fractions(a: Algebra, e: Expr) -> Move | None:
    """(a/b) (c/d) = ac / bd, (a/b)^n = a^n / b^n, a / (b/c) = ac / b."""
    number, factors = parts(e)
    found: list[tuple[Expr, Rational]] = []
    changed = False
    for b, n in factors:
        own, inner = parts(b)
        if n.is_Integer and isinstance(b, Mul | Pow) and (len(inner) > 1 or inner[0][1] != 1 or own != 1):
            number *= own ** int(n)
            found += [(c, k * n) for c, k in inner]
            changed = True
        else:
            found.append((b, n))
    new = put_together(number, found)
    if not changed or look(new) == look(e):
        return None
    return Move(new, ("one fraction",), ("write as a product or quotient of fractions",))


@rule("cancel a factor", source=STEWART + ", section P.7")
def cancel_factors(a: Algebra, e: Expr) -> Move | None:
    """a b / (b c) = a / c, for factors that stand there."""
    if not isinstance(e, Mul):
        return None
    number, factors = parts(e)
    above, below = numbers(e)
    table: dict[object, tuple[Expr, Rational]] = {}
    gone: list[Expr] = []
    for b, n in factors:
        key = look(b)
        old, m = table.get(key, (b, Integer(0)))
        if m * n < 0:
            gone.append(old)
        table[key] = (old, m + n)
    if below < 0 or gcd(above, below) > 1:
        gone.insert(0, Integer(gcd(above, below)))
    if len(table) == len(factors) and not gone:
        return None
    new = put_together(number, [(b, n) for b, n in table.values() if n != 0])
    if not gone:
        return Move(new, ("collect equal factors",), ("write the power as a product",))
    return Move(new, ("cancel ", Just(gone[0])), ("multiply numerator and denominator by ", Just(gone[0])))


@rule("common denominator", source=STEWART + ", section P.7")
def common_denominator(a: Algebra, e: Expr) -> Move | None:
    """a/b + c/d = (a d + b c) / (b d), with the least common denominator; numerators are not multiplied out yet."""
    if not isinstance(e, Add):
        return None
    terms = [_as_fraction(a, t) for t in flat(e)]
    if any(t is None for t in terms) or not any(t and t[2] for t in terms):
        return None
    fractions = [t for t in terms if t is not None]
    den = reduce(common, (d for _, _, d in fractions))
    below = lcm(*(n.denominator for n, _, _ in fractions))
    above = []
    for n, top, d in fractions:
        own = dict(d)
        lack = [(a.show_poly(p), Integer(k - own.get(p, 0))) for p, k in den if k > own.get(p, 0)]
        number = n * below
        if isinstance(top, Add) and (lack or number != 1):
            above.append(put_together(number, [(top, Integer(1)), *lack]))
        elif not lack and number == 1:
            above.append(top)
        else:
            own_number, inner = parts(top)
            above.append(put_together(number * own_number, [*inner, *lack]))
    bottom = [(a.show_poly(p), Integer(-k)) for p, k in den]
    numerator = Add._from_args(tuple(above)) if len(above) > 1 else above[0]
    new = put_together(Fraction(1, below), [(numerator, Integer(1)), *bottom])
    return Move(new, ("common denominator",), ("split the fraction",))


def _as_fraction(a: Algebra, t: Expr) -> tuple[Fraction, Expr, tuple[tuple[Poly, int], ...]] | None:
    """number, numerator as it stands, denominator; None unless the denominator stands there in lowest terms."""
    number, factors = parts(t)
    top = put_together(Fraction(1), [(b, n) for b, n in factors if n > 0 or not isinstance(b, Add)])
    if a.ratio(top).den or not all(n.is_Integer for _, n in factors):
        return None
    found: dict[Poly, int] = {}
    for b, n in factors:
        if n < 0 and isinstance(b, Add):
            r = a.ratio(b)
            c, m, pieces = a.factored(r.num)
            if r.den or c != 1 or m:
                return None
            for p, k in pieces:
                found[p] = found.get(p, 0) - k * int(n)
    den = a.ratio(t).den
    return (number, top, den) if found == dict(den) else None


@rule("expand", source=STEWART + ", section P.5")
def expand(a: Algebra, e: Expr) -> Move | None:
    """The numerator multiplied out, like terms collected."""
    number, factors = parts(e)
    above = [(b, n) for b, n in factors if n > 0]
    below = [(b, n) for b, n in factors if n < 0]
    if not below or not above:
        return None
    top = put_together(Fraction(1), above)
    whole = a.ratio(top)
    if whole.den or not whole.num.terms:
        return None
    new_top = a.show(whole)
    if look(new_top) == look(top):
        return None
    new = put_together(number, [(new_top, Integer(1)), *below]) if isinstance(new_top, Add) else put_together(
        number * parts(new_top)[0], [*parts(new_top)[1], *below])
    return Move(new, ("multiply out and collect",), ("regroup the numerator",))


@rule("lowest terms", source=STEWART + ", section P.7")
def lowest_terms(a: Algebra, e: Expr) -> Move | None:
    """The fraction reduced by all common factors."""
    r = a.ratio(e)
    new = a.show(r)
    if look(new) == look(e):
        return None
    kept, gone = dict(r.den), []
    for b, n in parts(e)[1]:
        if n < 0 and isinstance(b, Add) and not a.ratio(b).den:
            number, _, pieces = a.factored(a.ratio(b).num)
            gone += [a.show_poly(p) for p, _ in pieces if p not in kept] + ([] if number == 1 else [Rational(number.numerator, number.denominator)])
    if len(set(gone)) == 1:
        return Move(new, ("cancel ", Just(gone[0])), ("multiply numerator and denominator by ", Just(gone[0])))
    return Move(new, ("cancel common factors",), ("multiply numerator and denominator by the same",))


@rule("collect", source=STEWART + ", section P.5")
def collect(a: Algebra, e: Expr) -> Move | None:
    """A sum of power products: multiplied out, exponentials joined, like terms collected."""
    r = a.ratio(e)
    new = a.show(r)
    if r.den or look(new) == look(e) or (isinstance(e, Mul | Pow) and any(n < 0 and isinstance(b, Add) for b, n in parts(e)[1])):
        return None
    if isinstance(e, Call) and is_exponential(e):
        return Move(new, ("the power of a sum is a product of powers",), ("a product of powers is the power of a sum",))
    if isinstance(e, Mul) and not any(isinstance(b, Add) for b, _ in parts(e)[1]):
        return Move(new, ("multiply the powers",), ("write as a product of powers",))
    short = len(text(e)) + len(text(new)) < SHORT and not any(map(is_fraction, (e, new)))
    back: Prose = ("write ", Just(new), " as ", Just(e)) if short else ("regroup",)
    if any(isinstance(b, Add) for t in flat(e) if isinstance(t, Mul | Pow) for b, _ in parts(t)[1]):
        return Move(new, ("multiply out and collect",), back)
    return Move(new, ("collect terms",), back)


def is_fraction(e: Expr) -> bool:
    """Has the product something below the line?"""
    return any(n < 0 for t in flat(e) for _, n in parts(t)[1])


@rule("logarithm of a product", source=LOGS)
def split_logarithm(a: Algebra, e: Expr) -> Move | None:
    """log(a b) = log a + log b, log(a/b) = log a - log b, log(a^n) = n log a, log e^a = a, where all but one factor are positive by sight."""
    if not (isinstance(e, Call) and e.fn.name == "log" and e.fn.plain):
        return None
    inside = e.arguments[0]
    if is_exponential(inside):
        return Move(inside.arguments[0], ("log of an exponential",), ("log of an exponential",))
    number, factors = parts(inside)
    if len(factors) + (number != 1) < 2 and (not factors or factors[0][1] == 1):
        return None
    unknown = [(b, n) for b, n in factors if not a.positive(b)]
    if number <= 0 or len(unknown) > 1 or (unknown and unknown[0][1] != 1 and unknown[0][1] != -1):
        return None
    terms: list[Expr] = []
    for b, n in factors:
        log = b.arguments[0] if is_exponential(b) else call("log", b)
        terms.append(log if n == 1 else minus(log) if n == -1 else merged((n, log)))
    if number != 1:
        terms.append(call("log", Rational(number.numerator, number.denominator)))
    kind = "quotient" if any(n < 0 for _, n in factors) else "product" if len(factors) > 1 else "power"
    return Move(total(tuple(terms)), (f"logarithm of a {kind}",), (f"logarithm of a {kind}",))


@rule("factor inside the logarithm", source=LOGS)
def factor_inside(a: Algebra, e: Expr) -> Move | None:
    """log(1 + e^-x) = log(e^-x (e^x + 1)), so that the logarithm can be split."""
    if not (isinstance(e, Call) and e.fn.name == "log" and e.fn.plain):
        return None
    whole = a.ratio(e.arguments[0])
    if not whole.num.terms or whole.num.number is not None:
        return None
    c, found = a.pieces(whole)
    new = call("log", put_together(c, [(p if not is_exponential(p) else a.show_mono(((p, k),), Fraction(1)),
                                        Integer(1) if is_exponential(p) else Integer(int(k))) for p, k in found]))
    return None if look(new) == look(e) else Move(new, ("factor the argument",), ("multiply out the argument",))


@rule("sum over an index", source=SUMS)
def index_sum(a: Algebra, e: Expr) -> Move | None:
    """sum_k (c a_k + b_k) = c sum_k a_k + sum_k b_k; what does not depend on k goes in front."""
    if not isinstance(e, IndexSum):
        return None
    body, k, size = e.args
    number, factors = parts(body)
    outer = [(b, n) for b, n in factors if not depends(b, k)]
    if outer or number != 1:
        inner = put_together(Fraction(1), [(b, n) for b, n in factors if depends(b, k)])
        new = put_together(number, [*outer, (IndexSum(inner, k, size) if inner != 1 else size, Integer(1))])
    else:
        new = a.show(a.ratio(e))
    if look(new) == look(e):
        return None
    if isinstance(new, Add):
        return Move(new, ("sum term by term",), ("one sum",))
    return Move(new, ("what does not depend on the index goes in front of the sum",), ("into the sum",))


@rule("exponential of a logarithm", source=LOGS)
def function_of_inverse(a: Algebra, e: Expr) -> Move | None:
    """e^(n log a) = a^n, sqrt(a^2 b) = a sqrt(b), log 6 = log 2 + log 3."""
    if not (isinstance(e, Call) and e.fn.plain and e.fn.name in ("exp", "sqrt", "log")):
        return None
    if is_exponential(e) and not any(c.fn.name == "log" for c in calls(e.arguments[0])):
        return None
    new = a.show(a.ratio(e))
    if look(new) == look(e):
        return None
    said: Prose = {"exp": ("e to a logarithm",), "sqrt": ("a root of squares",), "log": ("logarithm of a product",)}[e.fn.name]
    return Move(new, said, said)


ORDER: tuple[Callable[[Algebra, Expr], Move | None], ...] = (
    split_logarithm, multiply_above_and_below, flatten_fractions, cancel_factors, common_denominator, expand, factor_inside, index_sum,
    function_of_inverse, collect, lowest_terms)
"""The first rule that applies anywhere is used everywhere where it applies."""


# ---- the way down --------------------------------------------------------------------------------------------------


def places(a: Algebra, e: Expr) -> list[Expr]:
    """Where the next rule may apply: the innermost parts that are not settled."""
    if look(a.show(a.ratio(e))) == look(e):
        return []
    if isinstance(e, Call) and split_logarithm(a, e) is not None:
        return [e]
    if _is_sum_of_products(e) or common_denominator(a, e) is not None or _cancels(e):
        return [e]
    inner = [p for part in _operands(e) for p in places(a, part)]
    return inner or [e]


def _cancels(e: Expr) -> bool:
    """Does a factor stand above and below the line?"""
    if not isinstance(e, Mul):
        return False
    signs: dict[object, set[bool]] = {}
    for b, n in parts(e)[1]:
        signs.setdefault(look(b), set()).add(n > 0)
    return any(len(s) == 2 for s in signs.values())


def _is_sum_of_products(e: Expr) -> bool:
    """No fraction with a sum below, no function but exponentials of such."""
    match e:
        case Add() | Mul():
            return all(map(_is_sum_of_products, e.args))
        case Pow(base=base, exp=n):
            return n.is_Integer and _is_sum_of_products(base) and (n > 0 or not isinstance(base, Add))
        case Call():
            return is_exponential(e) and _is_sum_of_products(e.arguments[0])
    return isinstance(e, Rational | Symbol | Entry)


def _operands(e: Expr) -> list[Expr]:
    match e:
        case Add():
            return flat(e)
        case Mul() if any(isinstance(f, Mul) and is_fraction(f) for f in e.args):
            return list(e.args)
        case Mul() | Pow():
            return [b for b, _ in parts(e)[1]] if parts(e)[1] != [(e, 1)] else []
        case Call():
            return list(e.arguments)
        case IndexSum():
            return [e.args[0]]
    return []


def way_down(a: Algebra, e: Expr) -> list[Written]:
    """The lines from e to the fraction in lowest terms; e itself is not among them."""
    lines: list[Written] = []
    for _ in range(MAX_ROUNDS):
        here = list(dict.fromkeys(places(a, e)))
        if not here:
            break
        for f in ORDER:
            moves = {p: m for p in here if (m := f(a, p)) is not None}
            if moves:
                new = distinct_indices(replaced(e, {p: m.expr for p, m in moves.items()}))
                first = next(iter(moves.values()))
                alike = all(m.forwards == first.forwards for m in moves.values())
                forwards, backwards = (first.forwards, first.backwards) if alike else (_general(first.forwards), _general(first.backwards))
                lines.append(Written(new, f.rule_name, forwards, backwards))  # type: ignore[attr-defined]
                e = new
                break
        else:
            break
    final = distinct_indices(a.show(a.ratio(e)))
    if look(final) != look(e):
        lines.append(Written(final, "lowest terms", ("in lowest terms",), ("the same fraction",)))
    return lines


def _general(said: Prose) -> Prose:
    """The reason without its formula, where the formula differs from place to place."""
    words = tuple(w for w in said if isinstance(w, str))
    text = "".join(words).strip()
    return (f"{text} a suitable power" if text.endswith(" by") else text.removesuffix(" "),) if len(words) != len(said) else said

"""Why one activation is a combination of others, in lines that a person can follow.

Quotients of exponentials are brought to the denominator of the other function and split; piecewise linear functions are
compared piece by piece.  Anything else gets its two ends, and the checker says whether they are equal.
"""

from __future__ import annotations

from sympy import Add, Expr, Integer, Mul, Pow, Rational

from symgrad.language import vectors as v
from symgrad.language.claims import ARGUMENT, Line
from symgrad.language.forms import Just
from symgrad.language.functions import KNOWN, Call, call
from symgrad.rules.registry import rule

Polynomial = dict[Rational, Rational]  # exponent k -> coefficient of exp(k u)
Quotient = tuple[Polynomial, Polynomial]
Pieces = tuple[list[Rational], list[tuple[Rational, Rational]]]  # breaks; slope and constant left of, between and right of them
MOST_PIECES = 12


def argument(a: Rational, b: Rational) -> Expr:
    """a u + b."""
    scaled = v.merged((a, ARGUMENT))
    return scaled if b == 0 else v.total((scaled, b))


def at(g: Expr, a: Rational, b: Rational) -> Expr:
    """g(a u + b)."""
    inner = argument(a, b)

    def put(e: Expr) -> Expr:
        if e == ARGUMENT:
            return inner
        if not e.has(ARGUMENT):
            return e
        args = tuple(map(put, e.args))
        return v.merged(args) if isinstance(e, Mul) else v.total(args) if isinstance(e, Add) else (
            Pow(*args, evaluate=False) if isinstance(e, Pow) else e.func(*args))

    return put(g)


def combination(terms: list[tuple[Rational, Expr]], slope: Rational, shift: Rational) -> Expr:
    """c_1 g_1 + ... + e u + d."""
    parts = [v.merged((c, g)) for c, g in terms]
    parts += [v.merged((slope, ARGUMENT))] if slope != 0 else []
    if shift != 0:
        parts.insert(0 if shift > 0 and all(c < 0 for c, _ in terms) else len(parts), shift)
    return v.total(tuple(parts))


@rule("relation between activations", source="Bishop, Pattern Recognition and Machine Learning (2006), exercises 3.1 and 5.1")
def relation_lines(f: Expr, terms: list[tuple[Rational, Expr]], slope: Rational, shift: Rational) -> tuple[Line, ...]:
    """f(u) = ... = c_1 g_1 + ... + e u + d; `terms` are (c, g(a u + b))."""
    last = combination(terms, slope, shift)
    if len(terms) == 1 and slope == 0 and (lines := _exponential(f, *terms[0], shift, last)):
        return lines
    first = [Line(Just(f))]
    if isinstance(f, Call) and (row := KNOWN.get(f.fn.name)) is not None and row.definition is not None:
        first.append(Line(Just(row.definition(*f.arguments)), ("definition",)))
    return (*first, Line(Just(last), _why(f, terms)))


# ---- quotients of exponentials ------------------------------------------------------------------------------------


def _exponential(f: Expr, c: Rational, g: Expr, d: Rational, last: Expr) -> tuple[Line, ...]:
    """f = N / D = N' / Q = (c P + d Q) / Q = c P / Q + d, where g = P / Q and Q is D times one exponential."""
    left, right = _quotient(f), _quotient(g)
    if left is None or right is None:
        return ()
    (n, den), (p, q) = left, right
    k, factor = max(q) - max(den), q[max(q)] / den[max(den)]
    if _times(den, {k: factor}) != q:
        return ()
    top = _times(n, {k: factor})
    if top != _plus(_times(p, {Integer(0): c}), _times(q, {Integer(0): d})):
        return ()
    split = [_kept(c, _written(p)), _kept(d, _written(q))]
    lines = [Line(Just(f)), Line(Just(_fraction(_written(n), den)), ("definition",))]
    if k != 0:
        lines.append(Line(Just(_fraction(_written(top), q)), ("numerator and denominator times ", Just(_power(k)))))
    if d != 0:
        one = v.merged((c, _fraction(_written(p), q)))
        order = -1 if c < 0 < d else 1  # a minus does not come first
        lines.append(Line(Just(_fraction(Add._from_args(tuple(split[::order])), q)), ("split the numerator into two parts",)))
        lines.append(Line(Just(v.total((one, d)[::order])), ("one fraction each",)))
    elif c != 1:
        lines.append(Line(Just(v.merged((c, _fraction(_written(p), q))))))
    lines.append(Line(Just(last), ("definition",)))
    return tuple(lines)


def _kept(c: Rational, e: Expr) -> Expr:
    """c (e), a sum not multiplied out."""
    return e if c == 1 else v.merged((c, e))


def _quotient(e: Expr) -> Quotient | None:
    """e as a quotient of sums of exponentials of multiples of u with rational coefficients."""
    match e:
        case Rational():
            return {Integer(0): e}, {Integer(0): Integer(1)}
        case Add():
            parts = [_quotient(a) for a in e.args]
            return None if None in parts else _sum([p for p in parts if p is not None])
        case Mul():
            found: Quotient = ({Integer(0): Integer(1)}, {Integer(0): Integer(1)})
            for a in e.args:
                part = _quotient(a)
                if part is None:
                    return None
                found = (_times(found[0], part[0]), _times(found[1], part[1]))
            return found
        case Pow(base=base, exp=n) if n.is_Integer and abs(n) <= 4:
            inner = _quotient(base)
            if inner is None or (n < 0 and not inner[0]):
                return None
            result = ({Integer(0): Integer(1)}, {Integer(0): Integer(1)})
            for _ in range(abs(int(n))):
                result = (_times(result[0], inner[int(n) < 0]), _times(result[1], inner[int(n) >= 0]))
            return result
        case Call() if e.fn.plain and e.fn.name == "exp":
            k = _multiple(e.arguments[0])
            return None if k is None else ({k: Integer(1)}, {Integer(0): Integer(1)})
        case Call() if e.fn.plain and (row := KNOWN.get(e.fn.name)) is not None and row.definition is not None:
            return _quotient(row.definition(*e.arguments))
    return None


def _sum(parts: list[Quotient]) -> Quotient:
    top, bottom = parts[0]
    for n, d in parts[1:]:
        top, bottom = (_plus(top, n), bottom) if d == bottom else (_plus(_times(top, d), _times(n, bottom)), _times(bottom, d))
    return top, bottom


def _multiple(e: Expr) -> Rational | None:
    """k for k u."""
    coefficient = e.coeff(ARGUMENT) if e.has(ARGUMENT) else Integer(0)
    return coefficient if coefficient.is_Rational and (e - coefficient * ARGUMENT).expand() == 0 else None


def _plus(a: Polynomial, b: Polynomial) -> Polynomial:
    found = {k: a.get(k, Integer(0)) + b.get(k, Integer(0)) for k in (*a, *b)}
    return {k: c for k, c in found.items() if c != 0}


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    found: Polynomial = {}
    for k, c in a.items():
        for m, d in b.items():
            found[k + m] = found.get(k + m, Integer(0)) + c * d
    return {k: c for k, c in found.items() if c != 0}


def _power(k: Rational) -> Expr:
    return Integer(1) if k == 0 else call("exp", v.merged((k, ARGUMENT)))


def _written(p: Polynomial) -> Expr:
    return v.total(tuple(v.merged((p[k], _power(k))) for k in sorted(p, reverse=True)))


def _fraction(top: Expr, bottom: Polynomial) -> Expr:
    if bottom == {Integer(0): Integer(1)}:
        return top
    below = Pow(_written(bottom), -1, evaluate=False)
    return below if top == 1 else v.product((top, below))


# ---- piecewise linear functions -------------------------------------------------------------------------------------


def _why(f: Expr, terms: list[tuple[Rational, Expr]]) -> tuple[str, ...]:
    """Both sides piece by piece, where they are piecewise linear."""
    pieces = _pieces(f)
    if pieces is not None and not pieces[0]:  # no kink is left: the kinks of the terms
        pieces = (sorted({x for _, g in terms for x in (_pieces(g) or ([], []))[0]}), pieces[1])
        pieces = (pieces[0], pieces[1] * (len(pieces[0]) + 1))
    if pieces is None or not 0 < len(pieces[0]) <= MOST_PIECES:
        return ()
    breaks, found = pieces
    said = []
    for i, (m, q) in enumerate(found):
        where = f"u ≤ {breaks[0]}" if i == 0 else f"u ≥ {breaks[-1]}" if i == len(breaks) else f"{breaks[i - 1]} ≤ u ≤ {breaks[i]}"
        said.append(f"{_say(m, q)} for {where}")
    return ("both are " + ", ".join(said[:-1]) + " and " + said[-1],)


def _say(m: Rational, q: Rational) -> str:
    slope = "" if m == 0 else "u" if m == 1 else "-u" if m == -1 else f"{m} u"
    if q == 0 and slope:
        return slope
    return f"{slope} {'-' if q < 0 else '+'} {abs(q)}" if slope else str(q)


def _pieces(e: Expr) -> Pieces | None:
    match e:
        case Rational():
            return [], [(Integer(0), e)]
        case _ if e == ARGUMENT:
            return [], [(Integer(1), Integer(0))]
        case Add():
            parts = [_pieces(a) for a in e.args]
            found = parts[0]
            for p in parts[1:]:
                found = None if found is None or p is None else _combined(found, p, lambda a, b: (a[0] + b[0], a[1] + b[1]))
            return found
        case Mul() if e.args[0].is_Rational and len(e.args) == 2:
            inner = _pieces(e.args[1])
            return None if inner is None else (inner[0], [(e.args[0] * m, e.args[0] * q) for m, q in inner[1]])
        case Call() if e.fn.plain and e.fn.name == "abs":
            return _pieces(call("max", e.arguments[0], v.merged((Integer(-1), e.arguments[0]))))
        case Call() if e.fn.plain and e.fn.name == "max":
            a, b = map(_pieces, e.arguments)
            return None if a is None or b is None else _maximum(a, b)
        case Call() if e.fn.plain and (row := KNOWN.get(e.fn.name)) is not None and row.definition is not None and row.name != "softplus":
            return _pieces(row.definition(*e.arguments))
    return None


def _combined(a: Pieces, b: Pieces, op) -> Pieces:  # type: ignore[no-untyped-def]
    breaks = sorted({*a[0], *b[0]})
    found = [op(_piece(a, i, breaks), _piece(b, i, breaks)) for i in range(len(breaks) + 1)]
    return _merged(breaks, found)


def _piece(a: Pieces, i: int, breaks: list[Rational]) -> tuple[Rational, Rational]:
    """The piece of a that holds on the i-th interval of finer breaks."""
    upper = breaks[i] if i < len(breaks) else None
    return a[1][sum(1 for x in a[0] if upper is None or x < upper)]


def _merged(breaks: list[Rational], found: list[tuple[Rational, Rational]]) -> Pieces:
    kept, pieces = [], [found[0]]
    for x, p in zip(breaks, found[1:], strict=True):
        if p != pieces[-1]:
            kept.append(x)
            pieces.append(p)
    return kept, pieces


def _between(low: Rational | None, high: Rational | None) -> Rational:
    if low is not None and high is not None:
        return (low + high) / 2
    return high - 1 if high is not None else low + 1 if low is not None else Integer(0)


def _maximum(a: Pieces, b: Pieces) -> Pieces:
    """The larger one on every interval, cut where the two cross."""
    breaks = sorted({*a[0], *b[0]})
    crossings = []
    for i in range(len(breaks) + 1):
        (m, q), (n, r) = _piece(a, i, breaks), _piece(b, i, breaks)
        if m != n:
            x = (r - q) / (m - n)
            if (i == 0 or x > breaks[i - 1]) and (i == len(breaks) or x < breaks[i]):
                crossings.append(x)
    finer = sorted({*breaks, *crossings})
    found = []
    for i in range(len(finer) + 1):
        low, high = finer[i - 1] if i else None, finer[i] if i < len(finer) else None
        inside = _between(low, high)
        (m, q), (n, r) = _piece(a, i, finer), _piece(b, i, finer)
        found.append((m, q) if m * inside + q >= n * inside + r else (n, r))
    return _merged(finer, found)

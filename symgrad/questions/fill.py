"""ask = "fill": every combination is tried at every datum; what is left is grouped by function; a region is settled piece by piece.

Where nothing is left, a smallest set of data that no combination serves is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, product
from math import comb
from random import Random

from sympy import Add, Expr, Integer, Mul, Pow, Rational

from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.claims import Classes, Conflict, Fits, Sieve
from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.fill import Combination, Fill
from symgrad.language.functions import Call, call, scalar
from symgrad.language.graph import Graph, Variable
from symgrad.language.piecewise import Row, negated, pieces
from symgrad.language.problem import Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.solvers.hitting import hitting_set
from symgrad.solvers.pointwise import Applied, NoValue, Number, applied, rounded, sign, signature
from symgrad.solvers.regions import multipliers, point_in

MAX_VALID, MAX_CLASSES, MAX_SPARED = 2000, 100, 2000
COUNT = "#"
"""Stands for the number of valid combinations; no name of a problem looks so."""

Point = tuple[Fraction, ...]
Proofs = tuple[tuple[tuple[Rational, ...], ...], ...]


def derive_fill(problem: Problem, part: str, ask: Fill) -> Derivation:
    """The combinations that are right at all data, and why no other is."""
    trial = Trial(problem, ask)
    everything = list(ask.combinations())
    order = {c: k for k, c in enumerate(everything)}
    points = trial.data
    first = [next(trial.all_wrong(c, points), 0) for c in everything]
    while True:
        wrong_at = list(first)
        valid: list[list[Combination]] = []
        proofs: list[Proofs] = []
        for group in trial.groups([c for c, k in zip(everything, first, strict=True) if not k]):
            found = trial.regions(filled(ask, group[0]))
            if isinstance(found, int):
                for c in group:
                    wrong_at[order[c]] = found
            else:
                valid.append(group)
                proofs.append(found)
        same = trial.sameness(valid)
        if isinstance(same, tuple):
            break
        trial.samples.append(same.at)  # two functions that the samples did not tell apart
    if len(valid) > MAX_CLASSES:
        raise Unsupported(f"{len(valid)} different functions are right at all data; at most {MAX_CLASSES} are listed")
    if not valid:
        return no_combination(problem, part, ask, trial)
    return valid_combinations(problem, part, ask, trial, wrong_at, valid, proofs, same)


def valid_combinations(problem: Problem, part: str, ask: Fill, trial: Trial, wrong_at: Sequence[int], valid: list[list[Combination]],
                       proofs: Sequence[Proofs], same: Proofs) -> Derivation:
    """What rules the others out; each function with its values; the valid combinations in classes of one function."""
    count = sum(map(len, valid))
    rest = ask.count - count
    said = f"{ask.count} combinations ({' × '.join(str(len(s.choices)) for s in ask.slots)}): {rest or 'none'} "
    sieve = Step(Sieve(part, trial.inside, tuple(wrong_at)), "trial",
                 (f"{said}{'has' if rest == 1 else 'have'} the wrong sign somewhere, {count} {'is' if count == 1 else 'are'} left",), label="search")
    steps = [sieve]
    names = ["f"] if len(valid) == 1 else [f"f{k}" for k in range(1, len(valid) + 1)]
    answers = [Answer("", F.Just(scalar(COUNT)), F.Just(Integer(count)))]
    for name, group, proof in zip(names, valid, proofs, strict=True):
        function = filled(ask, group[0])
        claim = Fits(part, group[0], function, trial.values(group[0]), proof)
        steps.append(Step(claim, "trial", ("right at all data: the combination ", listed(ask, group[0])), label=name))
        answers.append(Answer(name, function_of(problem, ask, name), F.Just(function)))
    functions = "one function" if len(valid) == 1 else f"{len(valid)} different functions"
    said = "the only valid combination" if count == 1 else f"the {count} valid combinations are {functions}"
    classes = Classes(part, tuple(map(tuple, valid)), trial.apart([g[0] for g in valid]), same)
    steps.append(Step(classes, "comparison of functions", (said,), tuple(steps), "count"))
    return Derivation(part, with_count(problem.graph), tuple(steps), tuple(answers))


def no_combination(problem: Problem, part: str, ask: Fill, trial: Trial) -> Derivation:
    """A set of data that already rules every combination out, and why none of it can be spared."""
    known = trial.data
    wrong = [frozenset(trial.all_wrong(c, known)) for c in ask.combinations()]
    chosen, smallest = hitting_set(wrong)
    data = range(1, len(known) + 1)
    smallest = smallest and not ask.regions and comb(len(data), len(chosen) - 1) <= MAX_SPARED
    spared = tuple(next(c for c, w in zip(ask.combinations(), wrong, strict=True) if not w & set(group))
                   for group in combinations(data if smallest else chosen, len(chosen) - 1))
    wrong_at = tuple(min(w & set(chosen)) for w in wrong)
    what = "one datum is" if len(chosen) == 1 else f"{len(chosen)} data are"
    sieve = Step(Sieve(part, trial.inside, wrong_at), "trial",
                 (f"{ask.count} combinations: {what} enough to rule out every one of them",), label="search")
    says = "no smaller set of data shows it" if smallest else "none of these data can be left out"
    conflict = Step(Conflict(part, chosen, smallest, spared), "smallest conflict", (f"no valid combination; {says}",), (sieve,), "conflict")
    answer = Answer("", F.Just(scalar(COUNT)), F.Just(Integer(0)))
    return Derivation(part, with_count(problem.graph), (sieve, conflict), (answer,))


@dataclass(frozen=True, slots=True)
class Place:
    """What was evaluated at one place: every choice of every slot (None where it has no value), and f by the values in its slots."""

    choices: list[list[Number | None]]
    values: dict[tuple[Number | None, ...], Number | None]


@dataclass
class Trial:
    """The values of the template at the data, and what was found out about regions."""

    problem: Problem
    ask: Fill
    found: list[tuple[int, Point]] = field(default_factory=list)  # points of regions that rule something out

    def __post_init__(self) -> None:
        ask, step = self.ask, self.problem.conventions.step_at_zero
        self.template = applied(ask.template, (*(s.symbol for s in ask.slots), *ask.symbols), step)
        self.choices: list[list[Applied]] = [[applied(e, ask.symbols, step) for e in s.choices] for s in ask.slots]
        self.places: dict[Point, Place] = {}
        self.points: list[Point] = [tuple(map(number, p.at)) for p in ask.points]
        self.rows = [r.rows(ask.symbols) for r in ask.regions]
        self.samples = samples(len(ask.inputs))
        for k, (region, rows) in enumerate(zip(ask.regions, self.rows, strict=True), 1):
            if point_in(rows) is None:
                raise SpecError(f"region {k}, labelled {region.label}, holds no point at all: its comparisons contradict each other")

    @property
    def data(self) -> list[tuple[str, Point]]:
        """Labels and places: the points, then the points of regions met so far; they count from 1."""
        return [*((p.label, at) for p, at in zip(self.ask.points, self.points, strict=True)),
                *((self.ask.regions[k].label, at) for k, at in self.found)]

    @property
    def inside(self) -> tuple[tuple[int, tuple[Rational, ...]], ...]:
        return tuple((k, tuple(map(rational, at))) for k, at in self.found)

    def value(self, combination: Combination, at: Point) -> Number | None:
        """None where f is not defined.  Combinations whose choices have the same values at a place share theirs."""
        if at not in self.places:
            self.places[at] = Place([[_or_none(e, at) for e in column] for column in self.choices], {})
        place = self.places[at]
        entries = tuple([column[k] for column, k in zip(place.choices, combination, strict=True)])
        if entries not in place.values:
            place.values[entries] = None if None in entries else _or_none(self.template, (*entries, *at))
        return place.values[entries]

    def right(self, combination: Combination, label: str, at: Point) -> bool:
        value = self.value(combination, at)
        return value is not None and self.ask.right(label, sign(value))

    def all_wrong(self, combination: Combination, data: Sequence[tuple[str, Point]]) -> Iterator[int]:
        """The numbers of the data at which f has not the sign asked for."""
        return (k for k, (label, at) in enumerate(data, 1) if not self.right(combination, label, at))

    def values(self, combination: Combination) -> tuple[F.Form, ...]:
        """The values at the points, exact or rounded."""
        digits = self.problem.digits
        found: list[F.Form] = []
        for at in self.points:
            x = self.value(combination, at)
            assert x is not None
            exact = isinstance(x, int | Fraction)
            found.append(F.Just(rational(Fraction(x))) if exact else F.Decimal(Rational(rounded(x, digits), 10**digits), digits))
        return tuple(found)

    # ---- the same function -----------------------------------------------------------------------------------

    def groups(self, left: Sequence[Combination]) -> list[list[Combination]]:
        """Combinations with the same values at all samples, in order.  Raises Unsupported if they are too many to list."""
        if len(left) > MAX_VALID:
            raise Unsupported(f"{len(left)} combinations are right at all points; at most {MAX_VALID} are told apart and listed")
        found: dict[tuple[int | None, ...], list[Combination]] = {}
        for c in left:
            found.setdefault(self.signature(c), []).append(c)
        return list(found.values())

    def signature(self, c: Combination) -> tuple[int | None, ...]:
        values = (self.value(c, p) for p in (*self.points, *self.samples))
        return tuple(None if x is None else signature(x) for x in values)

    def apart(self, firsts: Sequence[Combination]) -> tuple[tuple[Rational, ...], ...]:
        """A few points at which any two of the functions differ."""
        signatures = {c: self.signature(c) for c in firsts}
        places = (*self.points, *self.samples)
        left = list(combinations(firsts, 2))

        def told(k: int, a: Combination, b: Combination) -> bool:
            x, y = signatures[a][k], signatures[b][k]
            return None not in (x, y) and x != y

        chosen: list[Point] = []
        while left:
            counts = [sum(told(k, a, b) for a, b in left) for k in range(len(places))]
            best = counts.index(max(counts))
            if not counts[best]:
                raise Unsupported("two functions that differ only in where they are defined")
            chosen.append(places[best])
            left = [(a, b) for a, b in left if not told(best, a, b)]
        return tuple(tuple(map(rational, p)) for p in chosen)

    def sameness(self, groups: Sequence[Sequence[Combination]]) -> Proofs | Apart:
        """For every combination but the first of its group why it is the same function, or where it is not."""
        ask, step = self.ask, self.problem.conventions.step_at_zero
        slots = [s.symbol for s in ask.slots]
        proofs = []
        for group in groups:
            first = filled(ask, group[0])
            for other in group[1:]:
                proof: list[tuple[Rational, ...]] = []
                apart = first - ask.template.xreplace(dict(zip(slots, ask.entries(other), strict=True)))
                inputs = tuple(sorted(apart.free_symbols, key=str))
                try:
                    left = [piece for piece in pieces(apart, inputs, step) if any(piece.value)]
                except Unsupported:
                    left = []  # not piecewise linear: the checker's normal form has to do
                for piece in left:
                    for value in (piece.value, negated(piece.value)):
                        system = (*piece.where, Row(value, True))
                        weights = multipliers(system)
                        if weights is None:
                            place = dict(zip(inputs, point_in(system) or (), strict=True))
                            return Apart(tuple(place.get(x, Fraction(0)) for x in ask.symbols))
                        proof.append(weights)
                proofs.append(tuple(proof))
        return tuple(proofs)

    # ---- regions ---------------------------------------------------------------------------------------------

    def regions(self, function: Expr) -> Proofs | int:
        """Multipliers for every region and piece, or the number of a datum at which the function is wrong."""
        ask = self.ask
        value = applied(function, ask.symbols, self.problem.conventions.step_at_zero)
        for number, (k, at) in enumerate(self.found, len(self.points) + 1):
            known = _or_none(value, at)
            if known is None or not ask.right(ask.regions[k].label, sign(known)):
                return number
        proofs = []
        for k, (region, rows) in enumerate(zip(ask.regions, self.rows, strict=True)):
            proof: list[tuple[Rational, ...]] = []
            for piece in pieces(function, ask.symbols, self.problem.conventions.step_at_zero):
                system = (*rows, *piece.where, ask.wrong(region.label, piece.value))
                weights = multipliers(system)
                if weights is None:
                    at = point_in(system) or ()
                    self.found.append((k, at))
                    return len(self.data)
                proof.append(weights)
            proofs.append(tuple(proof))
        return tuple(proofs)


@dataclass(frozen=True, slots=True)
class Apart:
    """A point at which two functions differ that looked the same."""

    at: Point


def samples(size: int) -> list[Point]:
    """Points at which functions are compared: simple ones first."""
    random = Random(5)
    few = tuple(map(Fraction, (0, 1, -1, 2, -2)))
    simple: list[Point] = list(product(few, repeat=size)) if size <= 2 else [tuple(random.choice(few) for _ in range(size)) for _ in range(24)]
    other = [tuple(Fraction(random.randint(-99, 99), 13) for _ in range(size)) for _ in range(12)]
    return [*sorted(simple, key=lambda p: sum(map(abs, p))), *other]


def _or_none(e: Applied, at: Sequence[Number]) -> Number | None:
    try:
        return e(at)
    except NoValue:
        return None


def number(x: Rational) -> Fraction:
    """A whole number as an int, which is faster and equal to the Fraction."""
    return int(x.p) if x.q == 1 else Fraction(int(x.p), int(x.q))  # type: ignore[return-value]


def rational(x: Fraction) -> Rational:
    return Rational(x.numerator, x.denominator)


# ---- how it is written ----------------------------------------------------------------------------------------------


def filled(ask: Fill, combination: Combination) -> Expr:
    """The template with the combination put in, zeros and like terms taken together, nothing else reordered."""
    return _filled(ask.template, dict(zip((s.symbol for s in ask.slots), ask.entries(combination), strict=True)))


def _filled(e: Expr, put: dict[Expr, Expr]) -> Expr:
    if e in put:
        return put[e]
    match e:
        case Add():
            return _collected([t for a in e.args for t in _terms(_filled(a, put))])
        case Mul():
            return _multiplied([f for a in e.args for f in _factors(_filled(a, put))])
        case Pow(base=base, exp=exponent):
            return v.power(_filled(base, put), exponent)
        case Call():
            return Call(e.fn, *(_filled(a, put) for a in e.arguments))
    return e


def _terms(e: Expr) -> tuple[Expr, ...]:
    return e.args if isinstance(e, Add) else (e,)


def _factors(e: Expr) -> tuple[Expr, ...]:
    return e.args if isinstance(e, Mul) else (e,)


def _multiplied(factors: list[Expr]) -> Expr:
    """Equal factors as a power, in order of first appearance, numbers in front."""
    powers: dict[Expr, Expr] = {}
    for f in factors:
        base, exponent = (f.args if isinstance(f, Pow) and f.args[1].is_Integer and f.args[1] > 0 else (f, Integer(1)))
        powers[base] = powers.get(base, Integer(0)) + exponent
    return v.merged(tuple(v.power(base, n) for base, n in powers.items()))


def _collected(terms: list[Expr]) -> Expr:
    """Like terms added, numbers last, in order of first appearance."""
    found: dict[Expr, Expr] = {}
    number: Expr = Integer(0)
    for t in terms:
        if t.is_Number:
            number += t
            continue
        factors = _factors(t)
        coefficient, rest = (factors[0], factors[1:]) if factors[0].is_Number else (Integer(1), factors)
        body = v.product(rest)
        found[body] = found.get(body, Integer(0)) + coefficient
    shown = [v.merged((c, body)) for body, c in found.items() if c != 0]
    return v.total((*shown, *((number,) if number != 0 or not shown else ())))


def listed(ask: Fill, combination: Combination) -> F.Form:
    """The entries of the slots, side by side."""
    return F.Tuple(tuple(F.Just(e) for e in ask.entries(combination)))


def function_of(problem: Problem, ask: Fill, name: str) -> F.Form:
    """f(x1, x2), with a letter that the problem does not use."""
    letter = next((x for x in ("f", "F", "g", "G") if x not in problem.graph), "f")
    return F.Just(call(letter + name.removeprefix("f"), *ask.symbols))


def with_count(graph: Graph) -> Graph:
    """The graph with a name for the number of valid combinations."""
    return graph.extended((), (Variable(COUNT, latex=r"\text{number of valid combinations}"),))

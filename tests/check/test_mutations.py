"""Certificates of all problems with one thing changed: whatever the checker still calls proved is true.

The oracle is tests/oracle.py, floats and difference quotients.  A mutation may leave a claim true, or turn it into another true
claim; what counts is that no false one is proved.
"""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.check.checker import Checker
from symgrad.language import forms as F
from symgrad.language import sequence as Q
from symgrad.language.claims import (
    Adjoint,
    AdjointEntry,
    ArrayValue,
    Claim,
    ClosedForm,
    Differs,
    GivenValue,
    Matches,
    Partial,
    Recurrence,
    Total,
    Value,
)
from symgrad.language.errors import SpecError
from symgrad.language.functions import KNOWN
from symgrad.language.graph import Graph
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground
from symgrad.language.vectors import grown, names_in, shape_of
from symgrad.language.wire import Decoder, encode
from symgrad.pipeline import solve
from symgrad.reader.read import read
from tests.making import backward, gradient
from tests.oracle import Nothing, Oracle, close, random_point

PROBLEMS = sorted((Path(__file__).parents[2] / "problems").glob("*.toml"))
EXTRA = {
    "kinks": lambda: gradient("z = w*x\nh = abs(z)\nk = max(z, u)\nq = min(h, 3)\nL = h*k + q + exp(u)/2", "w = -1\nx = 2\nu = 1", "L", "w x u"),
    "many paths": lambda: gradient("\n".join([f"h{i} = a*x + {i}" for i in range(1, 4)] + [f"k{i} = tanh(h1*h2/50) + {i}*h3" for i in range(1, 4)]
                                             + ["L = k1*k2 + k3^2"]), "a = 1\nx = 2", "L", "a x"),
    "no numbers": lambda: gradient("z = w*x + b\nh = sigmoid(z)\nL = (h - t)^2 + log(1 + z^2)", "w = {}\nx = {}\nb = {}\nt = {}", "L", "w b"),
    "attention": lambda: backward("q = W @ x\nu = K @ q\ng = tanh(u)\no = V.T @ g\nL = 1/2*norm(o)^2 + sum(g*u) + trace(W.T @ W)",
                                  'W = { shape = "D, N" }\nx = { shape = "N" }\nK = { shape = "M, D" }\nV = { shape = "M, P" }', "L", "x W K V",
                                  'components = ["x", "W"]'),
}


def expected_asks(p: Problem) -> bool:
    return {part.ask.kind for part in p.parts} <= {"forward", "gradient", "backward", "choose"}


@cache
def problem(name: str) -> Problem:
    return EXTRA[name]() if name in EXTRA else read(next(f for f in PROBLEMS if f.stem == name))[0]


@cache
def honest(name: str) -> tuple[tuple[str, Claim], ...]:
    """The claims by part, in order."""
    return tuple((c.part, c.claim) for c in solve(problem(name)).certificate.entries)


# ---- mutations ---------------------------------------------------------------------------------------------------------


def spots(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of everything in a JSON value."""
    found = [path] if path else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        if key != "kind" or path == ():
            found += spots(value, (*path, key))
    return found


def mutate(data: Any, rng: random.Random, graph: Graph) -> Any:
    """The same with one random change."""
    data = copy.deepcopy(data)
    path = rng.choice(spots(data))
    parent = data
    for key in path[:-1]:
        parent = parent[key]
    key, old = path[-1], parent[path[-1]]
    parent[key] = changed(old, key, parent, rng, graph)
    return data


OPERATORS = {"add": ["mul"], "mul": ["add"], "matadd": ["hadamard"], "hadamard": ["matadd"], "matmul": ["hadamard", "matadd"], "norm": ["sum"],
             "sum": ["norm", "trace"], "trace": ["sum"], "softmax": ["diag"], "elementwise": ["hadamard"], "call": ["mul"]}


def changed(old: Any, key: Any, parent: Any, rng: random.Random, graph: Graph) -> Any:
    names = [*graph.names, *(f"{n}_bar" for n in graph.names)]
    match old:
        case bool():
            return not old
        case int():
            return old + rng.choice([-1, 1])
        case None:
            return 3
        case str() if old.lstrip("-").replace("/", "").isdigit():
            return rng.choice([f"-{old}".replace("--", ""), "0", "1", "2",
            str(int(old.partition("/")[0]) + rng.choice([-1, 1])) + "".join(old.partition("/")[1:])])
        case str() if old in names:
            return rng.choice(names)
        case str() if old in OPERATORS:
            return rng.choice(OPERATORS[old])
        case str() if old in KNOWN:
            return rng.choice([k for k in KNOWN if k != old])
        case str() if old in ("exact", "rounded"):
            return "rounded" if old == "exact" else "exact"
        case str():
            return rng.choice(["i", "j", "N", "K", "Sum", "Product", "PartialOf", "TotalOf", "Just", old])
        case list() if len(old) == 2 and old[0] == "transpose":
            return old[1]
        case list() if old and isinstance(old[0], str) and old[0] in ("name", "dimension"):
            return [old[0], rng.choice(names if old[0] == "name" else ["N", "K", "n", "d", "i", "j"])]
        case list() if len(old) > 1:
            k = rng.randrange(int(isinstance(old[0], str)), len(old))
            return rng.choice([old[:k] + old[k + 1:], [*old, old[k]], old[:k] + [["transpose", old[k]]] + old[k + 1:], old[:1] + old[:0:-1],
                               [*old[:k], ["mul", "-1", old[k]], *old[k + 1:]]])
        case list() | dict():
            return rng.choice([old, [], {**old, "approx": True} if isinstance(old, dict) else old])
    return old


# ---- truth -------------------------------------------------------------------------------------------------------------


@cache
def oracles(name: str, kind: str) -> tuple[Oracle, ...]:
    """The problem at its numbers, those not given drawn twice, and dimensions of different sizes."""
    p = problem(name)
    given = {g.name: np.array([[float(x) for x in row] for row in g.entries]) for g in p.values if g.digits is None}
    rounded = {g.name: np.array([[float(g.entries[0][0])]]) for g in p.values if g.digits is not None} if kind == "rounded" else {}
    found = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        sizes = grown({d: 3 + (i + seed) % 3 for i, d in enumerate(p.graph.dimensions)}, [x.shape for x in p.graph.all])
        found.append(Oracle(p.graph, random_point(p.graph, rng, sizes, given), sizes, rounded))
    return tuple(found)


def free(name: str) -> tuple[Oracle, ...]:
    """The problem with every variable drawn: for what is claimed for all values."""
    p = problem(name)
    found = []
    for seed in (3, 4):
        rng = np.random.default_rng(seed)
        sizes = grown({d: 3 + (i + seed) % 3 for i, d in enumerate(p.graph.dimensions)}, [x.shape for x in p.graph.all])
        found.append(Oracle(p.graph, random_point(p.graph, rng, sizes), sizes))
    return tuple(found)


@cache
def stated(name: str) -> Oracle:
    """The problem at its numbers, which are all given, and at the sizes that they have."""
    p = problem(name)
    given = {g.name: np.array([[float(x) for x in row] for row in g.entries]) for g in p.values}
    return Oracle(p.graph, given, {d: n for d in p.graph.dimensions for word, n in p.sizes if str(d) == word})


def numeric(form: F.Form) -> bool:
    match form:
        case F.Just(expr):
            return not names_in(expr)
        case F.Substituted() | F.Decimal():
            return True
        case F.Product(parts) | F.Sum(parts):
            return all(map(numeric, parts))
    return False


def rounds(form: F.Form, value: Any) -> bool:
    """Does a displayed decimal lie within half a unit of the value?"""
    if isinstance(form, F.Decimal):
        near = abs(float(form.value) - float(np.asarray(value).item())) <= 0.5000001 * 10.0**-form.digits
        return near and (form.value * 10**form.digits).is_Integer
    return True


def is_true(name: str, c: Claim) -> bool:
    """By floats alone."""
    p = problem(name)
    try:
        match c:
            case GivenValue():
                return any(g.name == c.name and g.entries == ((c.value,),) and g.digits == c.digits for g in p.values)
            case Value():
                return c.lines[0].form == F.Just(p.graph.node(c.node).expr) and lines_agree(name, c, "")
            case Partial():
                lines = (F.PartialOf(c.of, c.wrt), *(x.form for x in c.lines))
                everywhere = all(close(o.form(lines[0]), o.value(c.expr)) for o in free(name))
                return everywhere and c.lines[0].form == F.Derivative(p.graph.node(c.of).expr, c.wrt) and lines_agree(name, c, "")
            case Total():
                own = all(close(o.slope(c.of, c.wrt), o.form(F.Just(c.expr), c.of)) for o in free(name))
                return own and lines_agree(name, c, c.of) and all(close(o.form(c.lines[0].form, c.of), o.slope(c.of, c.wrt)) for o in free(name))
            case Adjoint():
                forms = [*(x.form for x in c.lines), F.Just(c.expr)]
                return all(close(o.form(f, c.of), o.slope(c.of, c.node)) for o in free(name) for f in forms)
            case Recurrence():
                return all(recurrence_is_true(o, p, c) for o in free(name))
            case ArrayValue():
                return array_is_true(stated(name), c)
            case AdjointEntry():
                return all(entry_is_true(o, c) for o in free(name))
            case ClosedForm():
                return all(close(o.form(F.Just(c.expr), ""), o.slope(c.of, c.node)) for o in free(name))
            case Matches():
                return all(close(o.form(F.Just(e), c.of), o.slope(c.of, w)) for o in free(name) for w, e in zip(c.wrt, c.choice, strict=True))
            case Differs():
                return differs_is_true(p, c)
    except (Nothing, KeyError, ValueError, IndexError, ZeroDivisionError, FloatingPointError, np.linalg.LinAlgError):
        return False
    raise AssertionError(c)


def lines_agree(name: str, c: Value | Partial | Total, of: str) -> bool:
    """Every line has the value of the line before it, symbolic ones everywhere, numeric ones at the numbers of the problem."""
    symbolic = [x.form for x in c.lines if not numeric(x.form)]
    for o in free(name):
        first = o.form(symbolic[0], of) if symbolic else None
        if any(not close(o.form(f, of), first) for f in symbolic):
            return False
    for o in oracles(name, c.valuation):
        target = o.form(symbolic[-1] if symbolic else c.lines[0].form, of)
        for x in c.lines:
            if numeric(x.form):
                value = o.form(x.form, of)
                if isinstance(x.form, F.Decimal):
                    if not rounds(x.form, target):
                        return False
                elif not close(value, target, 2e-3 if x.approx else 1e-4) or not numbers_are_right(o, x.form, x.approx):
                    return False
    return True


def numbers_are_right(o: Oracle, form: F.Form, approx: bool) -> bool:
    if isinstance(form, F.Substituted):
        return all(n in o.env and abs(o.env[n].item() - o.value(x).item()) <= (1e-3 if approx else 1e-9) for n, x in form.numbers)
    return all(numbers_are_right(o, p, approx) for p in getattr(form, "factors", getattr(form, "terms", ())))


def array_is_true(o: Oracle, c: ArrayValue) -> bool:
    """Every line is the value, or the difference quotient, at the given numbers; numbers that were put in may be rounded."""
    true = o.slope(c.seed, c.node) if c.seed else o.env[c.node]
    return all(close(o.form(x.form, c.seed), true, 5e-3 if isinstance(x.form, F.Substituted) else 1e-4) for x in c.lines)


def entry_is_true(o: Oracle, c: AdjointEntry) -> bool:
    wanted = o.slope(c.of, c.node)
    o.seed = c.of
    axes = [k for k, d in enumerate(o.graph.shape(c.node)) if d != 1] or []
    if len(c.indices) != len(axes) or len(set(c.indices)) != len(axes):
        return False
    for index in np.ndindex(*wanted.shape):
        at = {s: index[axis] + 1 for s, axis in zip(c.indices, axes, strict=True)}
        if not close(o.value(c.expr, o.env, at), wanted[index]):
            return False
    return True


def recurrence_is_true(o: Oracle, p: Problem, c: Recurrence) -> bool:
    """At every step of the graph of three steps, every line; of a sum over the steps, the sum."""
    assert p.sequence is not None
    by = {k: k - Q.ANCHOR[c.when] for k in Q.STEPS[c.when]}
    at = {k: [o.form(f, c.of) for f in p.sequence.moved((*(x.form for x in c.lines), F.Just(c.expr)), b)] for k, b in by.items()}
    if c.when == Q.SUM:
        rest = 0 if c.rest is None or c.rest == 0 else o.form(F.Just(c.rest), c.of)
        alike = all(close(x, forms[-1]) for forms in at.values() for x in forms)
        return c.rest is not None and alike and close(sum(forms[-1] for forms in at.values()) + rest, o.slope(c.of, c.node))
    return all(close(x, o.slope(c.of, p.sequence.moved_name(c.node, by[k]))) for k, forms in at.items() for x in forms)


def differs_is_true(p: Problem, c: Differs) -> bool:
    if c.witness is None:
        return shape_of(c.choice[c.part]) != p.graph.shape(c.wrt[c.part])
    sizes = {d: dict(c.witness.sizes)[str(d)] for d in p.graph.dimensions}
    point = random_point(p.graph, np.random.default_rng(0),
    sizes, {n: np.array([[float(x) for x in row] for row in rows]) for n, rows in c.witness.values})
    o = Oracle(p.graph, point, sizes)
    i, j = c.witness.entry
    left, right = o.slope(c.of, c.wrt[c.part]), o.form(F.Just(c.choice[c.part]), c.of)
    return i >= 1 and j >= 1 and not close(left[i - 1, j - 1], right[i - 1, j - 1], 1e-7)


# ---- tests -------------------------------------------------------------------------------------------------------------

NAMES = [f.stem for f in PROBLEMS if expected_asks(read(f)[0])] + list(EXTRA)


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_agrees_with_honest_claims(name: str) -> None:
    """The judge of this file, judged: whatever is proved in a certificate is true by floats."""
    for _, c in honest(name):
        assert is_true(name, c), c


@pytest.mark.parametrize("name", NAMES)
def test_no_false_claim_is_proved(name: str) -> None:
    p, rng = problem(name), random.Random(name)
    parts = {}
    for part, c in honest(name):
        parts.setdefault(part, []).append(c)
    changed_claims = refused = 0
    for part, found in parts.items():
        checker = Checker(p)
        for c in found:
            assert checker.check(c).ground in (Ground.PROVED, Ground.GIVEN), (part, c)
        known = copy.copy(checker.adjoints.found), copy.copy(checker.scalars.totals)
        for _ in range(max(12, 120 // len(parts))):
            c = rng.choice(found)
            data = mutate(encode(c), rng, p.graph)
            if json.dumps(data) == json.dumps(encode(c)):
                continue
            try:
                mutant = Decoder(p.graph).decode(data, Claim)
            except SpecError:
                continue
            changed_claims += 1
            verdict = checker.check(mutant)
            if verdict.ground in (Ground.PROVED, Ground.GIVEN, Ground.TESTED):
                assert is_true(name, mutant), (part, mutant, verdict)
            else:
                refused += 1
                assert verdict.method
            checker.adjoints.found, checker.scalars.totals = map(copy.copy, known)
    assert refused >= changed_claims // 3 > 5



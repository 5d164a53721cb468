"""Random nets put to the question, and each answer put to the test by evaluators that share no code with symgrad."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

import numpy as np

from symgrad.check.checker import Checker
from symgrad.language.steps import Ground
from symgrad.language.zeros import AlwaysZero, CannotHold, NotAlwaysZero, rational
from symgrad.questions.always_zero import Case
from symgrad.reader.read import read_text
from tests.questions.random_nets import attack, dual, hold, random_net, wanted

POINTS = 10_000


def examine(seed: int, convention: Fraction | None) -> Counter[str]:
    """Counts of the answers for one net.  Fails on any wrong one."""
    random = Random(seed)
    net = random_net(random)
    asked = random.sample([*net.inputs, *net.weights, *net.biases], min(6, len(net.weights)))
    problem = read_text(net.toml(asked, "" if convention is None else f'relu_at_zero = "{convention}"'), "x.toml")[0]
    case = Case(problem, "a", problem.parts[0].ask, 0)  # type: ignore[arg-type]
    steps = case.steps()
    checker = Checker(problem)
    for s in steps:
        assert checker.check(s.claim).ground is Ground.PROVED, (seed, s.label, checker.check(s.claim))
    if wanted(net) is None:
        assert [type(s.claim) for s in steps] == [CannotHold], seed
        return Counter(("contradictory",))
    slopes = (0.0, 1.0, 0.5, 7.0) if convention is None else (float(convention),)
    bars = [attack(net, POINTS // len(slopes), seed + k, slope)[1] for k, slope in enumerate(slopes)]
    counts: Counter[str] = Counter()
    for s in steps:
        match s.claim:
            case AlwaysZero():
                worst = max(float(np.abs(bar[s.label]).max()) for bar in bars)
                assert worst < 1e-9, (seed, s.label, worst)
                counts["yes"] += 1
            case NotAlwaysZero(point=point):
                numbers = {n: rational(x) for n, x in point.variables if n != "t"}
                values, slope, smooth = dual(net, numbers, s.label, convention or Fraction(0))
                assert hold(net, values) and slope != 0, (seed, s.label)
                assert smooth or "kink" in checker.check(s.claim).domain
                assert smooth or convention is not None or "of its paths" in checker.check(s.claim).domain
                counts["no"] += 1
            case CannotHold():
                raise AssertionError((seed, "the facts can hold"))
    for what, why in case.undecided:
        assert convention is None and "kink" in why, (seed, what, why)
        counts["undecided at a kink"] += 1
    assert counts.total() == len(asked), seed
    return counts

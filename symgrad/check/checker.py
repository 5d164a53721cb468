"""The checker's one door: claims in, verdicts out; and whether a list of claims answers what a problem asks.

It reads the statement from the problem, never from the derivation.  `check_claims` raises nothing for a false claim: the
verdict is REFUTED, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import assert_never

from symgrad.check.adjoints import Adjoints
from symgrad.check.counterexamples import Counterexamples
from symgrad.check.identities import Identities, answered, sides
from symgrad.check.normal import NoDerivative, Undecided
from symgrad.check.points import NoSign
from symgrad.check.scalars import Scalars
from symgrad.language.claims import (
    Adjoint,
    AdjointEntry,
    Cases,
    Claim,
    ClosedForm,
    Counterexample,
    Differs,
    GivenValue,
    Identity,
    Impossible,
    Matches,
    Open,
    Partial,
    Total,
    Value,
)
from symgrad.language.errors import Refused, Unsupported
from symgrad.language.problem import Backward, Choose, Forward, Gradient, Part, Problem, Prove
from symgrad.language.steps import Ground, Verdict


class Checker:
    """Verifies claims about one problem in order; a claim may rest on those verified before it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.scalars = Scalars(problem)
        self.adjoints = Adjoints(problem)
        self.identities = Identities(problem)
        self.counterexamples = Counterexamples(problem)

    def check(self, claim: Claim) -> Verdict:
        """The verdict on one claim."""
        try:
            return self._verify(claim)
        except Refused as error:
            return Verdict(Ground.REFUTED, str(error))
        except Undecided as error:
            return Verdict(Ground.UNDECIDED, str(error))
        except Unsupported as error:
            return Verdict(Ground.UNDECIDED, str(error))
        except NoDerivative as error:
            return Verdict(Ground.UNDECIDED, f"no derivative exists at the kink of {error}; fix one in [conventions]")
        except NoSign:
            return Verdict(Ground.UNDECIDED, "the sign of a kink's argument is not known at working precision")
        except OverflowError as error:
            return Verdict(Ground.UNDECIDED, str(error))

    def _verify(self, claim: Claim) -> Verdict:
        self.adjoints.rests_on_axiom = False
        match claim:
            case GivenValue():
                return self.scalars.given(claim)
            case Value():
                return self.scalars.value(claim)
            case Partial():
                return self.scalars.partial(claim)
            case Total():
                verdict = self.scalars.total(claim)
                self.adjoints.found.setdefault((claim.of, claim.wrt), claim.expr)
                return verdict
            case Adjoint():
                return self.adjoints.adjoint(claim)
            case AdjointEntry():
                return self.adjoints.entry(claim)
            case ClosedForm():
                return self.adjoints.closed_form(claim)
            case Matches():
                return self.adjoints.matches(claim)
            case Differs():
                return self.adjoints.differs(claim)
            case Identity():
                return self.identities.identity(claim)
            case Cases():
                return self.identities.cases(claim)
            case Impossible():
                return self.identities.impossible(claim)
            case Counterexample():
                return self.counterexamples.counterexample(claim)
            case Open():
                return Verdict(Ground.UNDECIDED, claim.reason)
        assert_never(claim)


def check_claims(problem: Problem, claims: Iterable[Claim]) -> Iterator[Verdict]:
    """The verdict on each claim, in order."""
    checker = Checker(problem)
    return (checker.check(c) for c in claims)


def left_open(checked: Iterable[tuple[Claim, Verdict]]) -> tuple[Claim, ...]:
    """The equations that a part says are open, and those of its chains that were not decided: answers, if no good ones."""
    found: list[Claim] = []
    for c, verdict in checked:
        match c:
            case Open():
                found.append(c)
            case Identity() if verdict.ground is Ground.UNDECIDED:
                found.append(Open(*sides(c), c.assume, verdict.method))
            case Cases() if verdict.ground is Ground.UNDECIDED:
                found.append(Open(c.left, c.right, c.assume, verdict.method))
    return tuple(found)


def unanswered(problem: Problem, part: Part, claims: tuple[Claim, ...]) -> tuple[str, ...]:
    """What a part asks and no claim answers, in words; empty if the claims cover it."""
    ask = part.ask
    match ask:
        case Forward(of):
            wanted = of or tuple(n.name for n in problem.graph.nodes)
            have = {c.node for c in claims if isinstance(c, Value)} | {c.name for c in claims if isinstance(c, GivenValue)}
            return tuple(f"the value of {n}" for n in wanted if n not in have)
        case Gradient(of, wrt):
            got = {(c.of, c.wrt) for c in claims if isinstance(c, Total)}
            return tuple(f"d{of}/d{w}" for w in wrt if (of, w) not in got)
        case Backward(of, wrt, components, closed, _):
            got = {(c.of, c.node) for c in claims if isinstance(c, Adjoint)}
            entries = {c.node for c in claims if isinstance(c, AdjointEntry) and c.of == of}
            whole = {c.node for c in claims if isinstance(c, ClosedForm) and c.of == of}
            return (*(f"{w}_bar" for w in wrt if (of, w) not in got), *(f"the entries of {w}_bar" for w in components if w not in entries),
                    *(f"the closed form of {w}_bar" for w in closed if w not in whole))
        case Choose(of, wrt, choices, _, several):
            decided = {c.choice: isinstance(c, Matches) for c in claims if isinstance(c, Matches | Differs) and (c.of, c.wrt) == (of, wrt)}
            missing = tuple(f"choice {i}" for i, c in enumerate(choices, 1) if c not in decided)
            fits = sum(decided.get(c, False) for c in choices)
            if not missing and fits != 1 and not (several and fits):
                return (f"exactly one right choice ({fits} fit)",)
            return missing
        case Prove(chains, assume, steps):
            links = [(f"claim {k}", a, b) for k, chain in enumerate(chains, 1) for a, b in pairwise(chain)]
            links += [(f"line {k} of the chain", a, b) for k, (a, b) in enumerate(pairwise(steps), 2)]
            return tuple(dict.fromkeys(name for name, a, b in links if not answered(claims, a, b, assume)))
    assert_never(ask)


__all__ = ["Checker", "check_claims", "left_open", "unanswered"]

"""The checker's one door: claims in, verdicts out; and whether a list of claims answers what a problem asks.

It reads the statement from the problem, never from the derivation.  `check_claims` raises nothing for a false claim: the
verdict is REFUTED, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import assert_never

from symgrad.check.adjoints import Adjoints
from symgrad.check.arrays import array_value, tangent_value
from symgrad.check.chain import decides_chain
from symgrad.check.counterexamples import Counterexamples
from symgrad.check.errors import NoDerivative, NoSign, Undecided
from symgrad.check.fill import Fills
from symgrad.check.identities import Identities, answered, sides
from symgrad.check.networks import Networks
from symgrad.check.nonzeros import NonZeros
from symgrad.check.outputs import Outputs
from symgrad.check.recurrences import Recurrences, general
from symgrad.check.scalars import Scalars, is_number
from symgrad.check.tangents import Tangents
from symgrad.check.threshold import asked, decides, misfits, units_test, violates
from symgrad.check.weights import impossible
from symgrad.check.zeros import Zeros
from symgrad.language import claims as C
from symgrad.language import problem as P
from symgrad.language.claims import EXACT, Claim
from symgrad.language.errors import Refused, SpecError, Unsupported
from symgrad.language.fill import Fill
from symgrad.language.problem import Part, Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.language.zeros import AlwaysZero, CanHold, CannotHold, NotAlwaysZero


class Checker:
    """Verifies claims about one problem in order; a claim may rest on those verified before it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.scalars = Scalars(problem)
        self.adjoints = Adjoints(problem)
        self.tangents = Tangents(self.adjoints)
        self.recurrences = Recurrences(self.adjoints)
        self.fills = Fills(self.scalars)
        self.networks = Networks(problem, self.scalars)
        self.outputs = Outputs(self.networks)
        self.zeros = Zeros(problem, self.scalars)
        self.nonzeros = NonZeros(problem, self.scalars)
        self.identities = Identities(problem)
        self.counterexamples = Counterexamples(problem)

    def check(self, claim: Claim) -> Verdict:
        """The verdict on one claim."""
        verdict = self._verdict(claim)
        if isinstance(claim, C.Adjoint) and verdict.ground is Ground.UNDECIDED:
            self.adjoints.undecided.add((claim.of, claim.node))
        return verdict

    def _verdict(self, claim: Claim) -> Verdict:
        try:
            return self._verify(claim)
        except Refused as error:
            return Verdict(Ground.REFUTED, str(error))
        except Undecided as error:
            return Verdict(Ground.UNDECIDED, str(error))
        except Unsupported as error:
            return Verdict(Ground.UNDECIDED, str(error))
        except NoDerivative as error:
            return Verdict(Ground.UNDECIDED, f"no derivative exists at the kink of {str(error)[:120]}; fix one in [conventions]")
        except NoSign:
            return Verdict(Ground.UNDECIDED, "the sign of a kink's argument is not known at working precision")
        except SpecError as error:
            return Verdict(Ground.REFUTED, f"the claim speaks of what the problem does not have: {error}")
        except OverflowError as error:
            return Verdict(Ground.UNDECIDED, str(error))
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, MemoryError) as error:
            # a claim may come from a stranger: what cannot even be looked at is not proved, and must not stop the others
            return Verdict(Ground.UNDECIDED, f"the claim cannot be evaluated ({type(error).__name__}: {str(error)[:100]})")

    def _verify(self, claim: Claim) -> Verdict:
        self.adjoints.kinked = False
        match claim:
            case C.GivenValue():
                return self.scalars.given(claim)
            case C.Value():
                return self.scalars.value(claim)
            case C.Partial():
                return self.scalars.partial(claim)
            case C.Total():
                verdict = self.scalars.total(claim)
                self.adjoints.found.setdefault((claim.of, claim.wrt), claim.expr)
                return verdict
            case C.Adjoint():
                self.prose(claim.lines, f"{claim.node}_bar")
                return self.adjoints.adjoint(claim)
            case C.AdjointEntry():
                return self.adjoints.entry(claim)
            case C.ClosedForm():
                return self.adjoints.closed_form(claim)
            case C.Recurrence():
                self.prose(claim.lines, f"{claim.node}_bar")
                return self.recurrences.recurrence(claim)
            case C.Tangent():
                self.prose(claim.lines, claim.node)
                return self.tangents.tangent(claim)
            case C.ClosedTangent():
                return self.tangents.closed(claim)
            case C.TangentValue():
                return tangent_value(self.tangents, claim)
            case C.ArrayValue():
                return array_value(self.adjoints, claim)
            case C.Matches():
                return self.adjoints.matches(claim)
            case C.Differs():
                return self.adjoints.differs(claim)
            case C.Sieve() | C.Fits() | C.Classes() | C.Conflict():
                return self.fills.verify(claim)
            case C.UnitsTest():
                return units_test(self.problem, claim)
            case C.Decides():
                return decides(self.problem, claim)
            case C.Violates():
                return violates(self.problem, claim)
            case C.Misfits():
                return misfits(claim)
            case C.Unrealizable():
                return impossible(self.problem, claim)
            case C.DecidesChain():
                return decides_chain(self.problem, claim)
            case C.ActivationRelation():
                return self.networks.relation(claim)
            case C.Rewritten():
                return self.networks.rewritten(claim)
            case C.Parameter():
                return self.networks.parameter(claim)
            case C.Image():
                return self.networks.image(claim)
            case C.SameFunction():
                return self.networks.same_function(claim)
            case C.Beside():
                return self.outputs.beside(claim)
            case C.NoParameters():
                return self.outputs.no_parameters(claim)
            case AlwaysZero():
                return self.zeros.always_zero(claim)
            case CannotHold():
                return self.zeros.cannot_hold(claim)
            case NotAlwaysZero():
                return self.nonzeros.not_always_zero(claim)
            case CanHold():
                return self.nonzeros.can_hold(claim)
            case C.Identity():
                return self.identities.identity(claim)
            case C.Cases():
                return self.identities.cases(claim)
            case C.Impossible():
                return self.identities.impossible(claim)
            case C.Counterexample():
                return self.counterexamples.counterexample(claim)
            case C.Open():
                return Verdict(Ground.UNDECIDED, claim.reason)
        assert_never(claim)

    def prose(self, lines: Iterable[C.Line], what: str) -> None:
        """What is said beside the lines: comparisons in words are checked like lines."""
        for line in lines:
            self.scalars.prose(line.why, EXACT, {}, what)


def check_claims(problem: Problem, claims: Iterable[Claim]) -> Iterator[Verdict]:
    """The verdict on each claim, in order."""
    checker = Checker(problem)
    return (checker.check(c) for c in claims)


def left_open(checked: Iterable[tuple[Claim, Verdict]]) -> tuple[Claim, ...]:
    """The equations that a part says are open, and those of its chains that were not decided: answers, if no good ones."""
    found: list[Claim] = []
    for c, verdict in checked:
        match c:
            case C.Open():
                found.append(c)
            case C.Identity() if verdict.ground is Ground.UNDECIDED:
                found.append(C.Open(*sides(c), c.assume, verdict.method))
            case C.Cases() if verdict.ground is Ground.UNDECIDED:
                found.append(C.Open(c.left, c.right, c.assume, verdict.method))
    return tuple(found)


def unanswered(problem: Problem, part: Part, claims: tuple[Claim, ...]) -> tuple[str, ...]:
    """What a part asks and no claim answers, in words; empty if the claims cover it."""
    ask = part.ask
    match ask:
        case P.Forward(of):
            wanted = of or tuple(n.name for n in problem.graph.nodes)
            have = {c.node for c in claims if isinstance(c, C.Value) and is_number(c.lines[-1].form) or isinstance(c, C.ArrayValue) and not c.seed}
            have |= {c.name for c in claims if isinstance(c, C.GivenValue)}
            return tuple(f"the value of {n}" for n in wanted if n not in have)
        case P.Gradient(of, wrt):
            got = {(c.of, c.wrt) for c in claims if isinstance(c, C.Total)}
            return tuple(f"d{of}/d{w}" for w in wrt if (of, w) not in got)
        case P.Backward(of, wrt, components, closed, _):
            got = {(c.of, c.node) for c in claims if isinstance(c, C.Adjoint)}
            if problem.sequence is not None:  # for every length
                got = general(problem.sequence, claims)
            entries = {c.node for c in claims if isinstance(c, C.AdjointEntry) and c.of == of}
            whole = {c.node for c in claims if isinstance(c, C.ClosedForm) and c.of == of}
            return (*(f"{w}_bar" for w in wrt if (of, w) not in got), *(f"the entries of {w}_bar" for w in components if w not in entries),
                    *(f"the closed form of {w}_bar" for w in closed if w not in whole))
        case P.Jacobian() | P.Hessian() | P.HessianVector():
            seed = "" if isinstance(ask, P.Jacobian) else ask.of
            shown = {(c.node, c.seed, c.direction) for c in claims if isinstance(c, C.Tangent)}
            return tuple(f"the derivative of {u} in {', '.join(w for w, _ in d)}" for u, d in ask.derived if (u, seed, d) not in shown)
        case P.Choose(of, wrt, choices, several=several):
            decided = {c.choice: isinstance(c, C.Matches) for c in claims if isinstance(c, C.Matches | C.Differs) and (c.of, c.wrt) == (of, wrt)}
            missing = tuple(f"choice {i}" for i, c in enumerate(choices, 1) if c not in decided and not ask.misfit(i))
            fits = sum(decided.get(c, False) for c in choices)
            if not missing and fits != 1 and not (several and fits):
                return (f"exactly one right choice ({fits} fit)",)
            return missing
        case Fill():
            done = (c for c in claims if isinstance(c, C.Classes) or (isinstance(c, C.Sieve) and 0 not in c.wrong_at))
            return () if part.label in {c.part for c in done} else ("which combinations are valid",)
        case P.Construct() | P.ConstructChain() | P.CheckNetwork():
            return asked(ask, claims)
        case P.FindParameters():
            found = any(isinstance(c, C.SameFunction | C.NoParameters) and c.part == part.label for c in claims)
            return () if found else ("whether the two networks compute the same function",)
        case P.GuaranteedZero(of, wrt, cases):
            empty = {c.case for c in claims if isinstance(c, CannotHold) and c.part == part.label}
            settled = {(c.case, c.of, c.wrt) for c in claims if isinstance(c, AlwaysZero | NotAlwaysZero) and c.part == part.label}
            return tuple(f"whether d{of}/d{w} is guaranteed zero" + (f" in case {k + 1}" if len(cases) > 1 else "")
                         for k in range(len(cases)) if k not in empty for w in wrt if (k, of, w) not in settled)
        case P.Prove(chains, assume, steps):
            links = [(f"claim {k}", a, b) for k, chain in enumerate(chains, 1) for a, b in pairwise(chain)]
            links += [(f"line {k} of the chain", a, b) for k, (a, b) in enumerate(pairwise(steps), 2)]
            return tuple(dict.fromkeys(name for name, a, b in links if not answered(claims, a, b, assume)))
    assert_never(ask)


__all__ = ["Checker", "check_claims", "left_open", "unanswered"]

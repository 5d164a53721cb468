"""The checker's one door: claims in, verdicts out; and whether a list of claims answers what a problem asks.

It reads the statement from the problem, never from the derivation.  `check_claims` raises nothing for a false claim: the
verdict is REFUTED, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import assert_never

from symgrad.check.adjoints import Adjoints
from symgrad.check.chain import decides_chain
from symgrad.check.counterexamples import Counterexamples
from symgrad.check.fill import Fills
from symgrad.check.identities import Identities, answered, sides
from symgrad.check.networks import Networks
from symgrad.check.nonzeros import NonZeros
from symgrad.check.normal import NoDerivative, Undecided
from symgrad.check.outputs import Outputs
from symgrad.check.points import NoSign
from symgrad.check.recurrences import Recurrences, general
from symgrad.check.scalars import Scalars, is_number
from symgrad.check.tangents import Tangents
from symgrad.check.tangentvalues import tangent_value
from symgrad.check.threshold import asked, decides, misfits, units_test, violates
from symgrad.check.weights import impossible
from symgrad.check.zeros import Zeros
from symgrad.language import claims as C
from symgrad.language.claims import (
    EXACT,
    ActivationRelation,
    Adjoint,
    AdjointEntry,
    Beside,
    Cases,
    Claim,
    ClosedForm,
    Counterexample,
    Differs,
    GivenValue,
    Identity,
    Image,
    Impossible,
    Matches,
    NoParameters,
    Open,
    Parameter,
    Partial,
    Rewritten,
    SameFunction,
    Total,
    Value,
)
from symgrad.language.errors import Refused, SpecError, Unsupported
from symgrad.language.fill import Fill
from symgrad.language.problem import (
    Backward,
    CheckNetwork,
    Choose,
    Construct,
    ConstructChain,
    FindParameters,
    Forward,
    Gradient,
    GuaranteedZero,
    Hessian,
    HessianVector,
    Jacobian,
    Part,
    Problem,
    Prove,
)
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
        if isinstance(claim, Adjoint) and verdict.ground is Ground.UNDECIDED:
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
                for line in claim.lines:
                    self.scalars.prose(line.why, EXACT, {}, f"{claim.node}_bar")
                return self.adjoints.adjoint(claim)
            case AdjointEntry():
                return self.adjoints.entry(claim)
            case ClosedForm():
                return self.adjoints.closed_form(claim)
            case C.Recurrence():
                for line in claim.lines:
                    self.scalars.prose(line.why, EXACT, {}, f"{claim.node}_bar")
                return self.recurrences.recurrence(claim)
            case C.Tangent():
                for line in claim.lines:
                    self.scalars.prose(line.why, EXACT, {}, claim.node)
                return self.tangents.tangent(claim)
            case C.ClosedTangent():
                return self.tangents.closed(claim)
            case C.TangentValue():
                return tangent_value(self.tangents, claim)
            case Matches():
                return self.adjoints.matches(claim)
            case Differs():
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
            case ActivationRelation():
                return self.networks.relation(claim)
            case Rewritten():
                return self.networks.rewritten(claim)
            case Parameter():
                return self.networks.parameter(claim)
            case Image():
                return self.networks.image(claim)
            case SameFunction():
                return self.networks.same_function(claim)
            case Beside():
                return self.outputs.beside(claim)
            case NoParameters():
                return self.outputs.no_parameters(claim)
            case AlwaysZero():
                return self.zeros.always_zero(claim)
            case CannotHold():
                return self.zeros.cannot_hold(claim)
            case NotAlwaysZero():
                return self.nonzeros.not_always_zero(claim)
            case CanHold():
                return self.nonzeros.can_hold(claim)
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
            have = {c.node for c in claims if isinstance(c, Value) and is_number(c.lines[-1].form)}
            have |= {c.name for c in claims if isinstance(c, GivenValue)}
            return tuple(f"the value of {n}" for n in wanted if n not in have)
        case Gradient(of, wrt):
            got = {(c.of, c.wrt) for c in claims if isinstance(c, Total)}
            return tuple(f"d{of}/d{w}" for w in wrt if (of, w) not in got)
        case Backward(of, wrt, components, closed, _):
            got = {(c.of, c.node) for c in claims if isinstance(c, Adjoint)}
            if problem.sequence is not None:  # for every length
                got = general(problem.sequence, claims)
            entries = {c.node for c in claims if isinstance(c, AdjointEntry) and c.of == of}
            whole = {c.node for c in claims if isinstance(c, ClosedForm) and c.of == of}
            return (*(f"{w}_bar" for w in wrt if (of, w) not in got), *(f"the entries of {w}_bar" for w in components if w not in entries),
                    *(f"the closed form of {w}_bar" for w in closed if w not in whole))
        case Jacobian() | Hessian() | HessianVector():
            seed = "" if isinstance(ask, Jacobian) else ask.of
            shown = {(c.node, c.seed, c.direction) for c in claims if isinstance(c, C.Tangent)}
            return tuple(f"the derivative of {u} in {', '.join(w for w, _ in d)}" for u, d in ask.derived if (u, seed, d) not in shown)
        case Choose(of, wrt, choices, several=several):
            decided = {c.choice: isinstance(c, Matches) for c in claims if isinstance(c, Matches | Differs) and (c.of, c.wrt) == (of, wrt)}
            missing = tuple(f"choice {i}" for i, c in enumerate(choices, 1) if c not in decided and not ask.misfit(i))
            fits = sum(decided.get(c, False) for c in choices)
            if not missing and fits != 1 and not (several and fits):
                return (f"exactly one right choice ({fits} fit)",)
            return missing
        case Fill():
            done = (c for c in claims if isinstance(c, C.Classes) or (isinstance(c, C.Sieve) and 0 not in c.wrong_at))
            return () if part.label in {c.part for c in done} else ("which combinations are valid",)
        case Construct() | ConstructChain() | CheckNetwork():
            return asked(ask, claims)
        case FindParameters():
            found = any(isinstance(c, SameFunction | NoParameters) and c.part == part.label for c in claims)
            return () if found else ("whether the two networks compute the same function",)
        case GuaranteedZero(of, wrt, cases):
            empty = {c.case for c in claims if isinstance(c, CannotHold) and c.part == part.label}
            settled = {(c.case, c.of, c.wrt) for c in claims if isinstance(c, AlwaysZero | NotAlwaysZero) and c.part == part.label}
            return tuple(f"whether d{of}/d{w} is guaranteed zero" + (f" in case {k + 1}" if len(cases) > 1 else "")
                         for k in range(len(cases)) if k not in empty for w in wrt if (k, of, w) not in settled)
        case Prove(chains, assume, steps):
            links = [(f"claim {k}", a, b) for k, chain in enumerate(chains, 1) for a, b in pairwise(chain)]
            links += [(f"line {k} of the chain", a, b) for k, (a, b) in enumerate(pairwise(steps), 2)]
            return tuple(dict.fromkeys(name for name, a, b in links if not answered(claims, a, b, assume)))
    assert_never(ask)


__all__ = ["Checker", "check_claims", "left_open", "unanswered"]

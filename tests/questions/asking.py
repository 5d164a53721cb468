"""Short ways to ask whether a derivative is guaranteed zero, for tests."""

from __future__ import annotations

import re
from collections.abc import Sequence

from symgrad.check.checker import Checker, unanswered
from symgrad.language.claims import Claim
from symgrad.language.problem import Problem
from symgrad.language.steps import Derivation, Ground
from symgrad.questions import derive
from symgrad.reader.read import read_text
from symgrad.sheet.zeros import answers

KNOWN = {"relu", "max", "min", "leaky_relu", "abs", "step", "sign", "exp", "log", "sqrt", "sigmoid", "tanh", "softplus"}


def ask(let: str, wrt: str, *cases: str, of: str = "L", conventions: str = "", values: str = "") -> Problem:
    """A problem with the variables that the let-list uses; `wrt` and each case are words and facts separated by commas."""
    lines = [line.strip() for line in let.strip().splitlines()]
    nodes = {line.split("=")[0].strip() for line in lines}
    applied = {m[1]: arity(let[m.end():]) for m in re.finditer(r"\b([A-Za-z]\w*)\(", let) if m[1] not in KNOWN}
    names = dict.fromkeys(n for n in re.findall(r"[A-Za-z]\w*", let) if n not in nodes and n not in KNOWN and n not in applied)
    listed = ", ".join("[" + ", ".join(f'"{f.strip()}"' for f in case.split(",") if f.strip()) + "]" for case in cases or ("",))
    asked = ", ".join(f'"{w.strip()}"' for w in wrt.split(","))
    text = ('format = 1\nid = "x"\ntitle = "x"\n[symbols]\n' + "\n".join(f"{n} = {{}}" for n in names)
            + "\n[functions]\n" + "\n".join(f"{n} = {k}" for n, k in applied.items())
            + "\n[model]\nlet = '''\n" + "\n".join(lines) + f"\n'''\n[conventions]\n{conventions}\n[values]\n{values}\n"
            + f'[[part]]\nlabel = "a"\nask = "always_zero"\nof = "{of}"\nwrt = [{asked}]\ncases = [{listed}]\n')
    return read_text(text, "x.toml")[0]


def arity(rest: str) -> int:
    """How many arguments stand before the parenthesis closes."""
    depth, commas = 0, 0
    for c in rest:
        depth += (c == "(") - (c == ")")
        commas += c == "," and depth == 0
        if depth < 0:
            break
    return commas + 1


def answer(problem: Problem) -> tuple[dict[str, str], Derivation]:
    """What is derived, every claim proved by the checker and nothing left open."""
    (part,) = problem.parts
    derivation = derive(problem, part)
    checker = Checker(problem)
    for step in derivation.all_steps():
        verdict = checker.check(step.claim)
        assert verdict.ground is Ground.PROVED, (step.label, verdict)
    assert not unanswered(problem, part, tuple(s.claim for s in derivation.all_steps()))
    return answers(derivation), derivation


def words(problem: Problem) -> str:
    """The answers in the order of the steps, such as "YES YES NO"."""
    return " ".join(answer(problem)[0].values())


def claim(problem: Problem, label: str) -> Claim:
    """The claim of one step."""
    return next(s.claim for s in derive(problem, problem.parts[0]).steps if s.label == label)


def refused(problem: Problem, c: Claim, *message: str) -> None:
    """The checker refutes the claim, and its message has these words."""
    verdict = Checker(problem).check(c)
    assert verdict.ground is Ground.REFUTED, verdict
    for piece in message:
        assert piece in verdict.method, verdict.method


def proved(problem: Problem, claims: Sequence[Claim]) -> None:
    checker = Checker(problem)
    for c in claims:
        assert checker.check(c).ground is Ground.PROVED

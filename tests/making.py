"""Small problems for tests, made from the text that a problem file would hold; and claims to corrupt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.check.checker import Checker
from symgrad.language.claims import Claim
from symgrad.language.problem import Problem
from symgrad.language.steps import Ground, Verdict
from symgrad.pipeline import Result, solve
from symgrad.reader.read import read_text


def problem(let: str, symbols: str, part: str, extra: str = "") -> Problem:
    """A problem with one model; `part` holds the keys of one part, `extra` more tables."""
    text = f'format = 1\nid = "p"\ntitle = "t"\n[symbols]\n{symbols}\n[model]\nlet = \'\'\'\n{let}\n\'\'\'\n[[part]]\nlabel = "a"\n{part}\n{extra}\n'
    return read_text(text, "p.toml", "p")[0]


def gradient(let: str, symbols: str, of: str, wrt: str, extra: str = "") -> Problem:
    return problem(let, symbols, f'ask = "gradient"\nof = "{of}"\nwrt = {wrt.split()}', extra)


def backward(let: str, symbols: str, of: str, wrt: str, more: str = "", extra: str = "") -> Problem:
    return problem(let, symbols, f'ask = "backward"\nof = "{of}"\nwrt = {wrt.split()}\n{more}', extra)


def forward(let: str, symbols: str, extra: str = "") -> Problem:
    return problem(let, symbols, 'ask = "forward"', extra)


def choose(let: str, symbols: str, of: str, wrt: str, choices: list[str], extra: str = "") -> Problem:
    return problem(let, symbols, f'ask = "choose"\nof = "{of}"\nwrt = {wrt.split()}\nchoices = {choices}', extra)


def claims(p: Problem) -> tuple[Claim, ...]:
    """The honest claims of a problem, all parts, in the order in which each rests on earlier ones."""
    return tuple(c.claim for c in solved(p).certificate.entries)


def solved(p: Problem) -> Result:
    return solve(p)


def verdicts(p: Problem, found: tuple[Claim, ...]) -> list[Verdict]:
    checker = Checker(p)
    return [checker.check(c) for c in found]


def all_hold(p: Problem, found: tuple[Claim, ...]) -> bool:
    return all(x.ground in (Ground.PROVED, Ground.GIVEN) for x in verdicts(p, found))


def pick(found: tuple[Claim, ...], kind: type, **fields: Any) -> int:
    """The index of the first claim of a kind with these fields."""
    return next(i for i, c in enumerate(found) if isinstance(c, kind) and all(getattr(c, k) == x for k, x in fields.items()))


def with_changes(p: Problem, found: tuple[Claim, ...], index: int, **changes: Any) -> Verdict:
    """The verdict on one claim with fields replaced, after the honest ones before it."""
    checker = Checker(p)
    for c in found[:index]:
        checker.check(c)
    return checker.check(replace(found[index], **changes))  # type: ignore[type-var]

"""The label of a box: its TeX as letters with an accent, a face and one level of scripts, and how wide that is.

What is more than that falls back to the plain name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from symgrad.language.errors import SpecError
from symgrad.sheet import tex as T
from symgrad.sheet.layout import Box
from symgrad.sheet.symbols import FUNCTIONS, UNICODE

FONT, SMALL = 17.0, 12.0
"""Letters and their scripts, in pixels."""
LONGEST = 32
"""Letters of a plain label; what is cut off shows in the tooltip."""


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one face: italic, roman or bold."""

    text: str
    face: str = "roman"


@dataclass(frozen=True, slots=True)
class Letters:
    """A base with its subscript and superscript, and an accent (a TeX command) over all of the base."""

    base: tuple[Run, ...]
    sub: tuple[Run, ...] = ()
    sup: tuple[Run, ...] = ()
    accent: str = ""


class _TooRich(Exception):
    """A formula that a label does not show."""


_ACCENTS = {r"\widehat": r"\hat", r"\overrightarrow": r"\vec"} | {
    accent: accent for accent in (r"\bar", r"\overline", r"\hat", r"\tilde", r"\dot", r"\ddot", r"\vec")}
_SIGNS = {"-": "−", "'": "′", "*": "∗"}
SCRIPT = dict(zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ", strict=True))
_DOTLESS = str.maketrans("ij", "ıȷ")
_GREEK = "αβγδεζηθικλμνξοπρςστυφχψω∂ϵϑϰϕϱϖ"


def label_of(box: Box) -> tuple[Letters, ...]:
    """The TeX of a box as letters; its plain name where there is more to it than a label shows."""
    try:
        found: list[Letters] = []
        for node in T.parse(box.tex):
            part = _letters(node)
            if found and part.accent == "" == found[-1].accent and not found[-1].sub and not found[-1].sup:
                part = Letters(found.pop().base + part.base, part.sub, part.sup)
            found.append(part)
        return tuple(found)
    except (SpecError, _TooRich):
        plain = clean(box.plain)
        return (Letters((Run(plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"),)),)


def _letters(node: T.Node) -> Letters:
    match node:
        case T.Script(base, sub, sup, primes, ""):
            inner = _letters(base)
            if inner.sub or inner.sup:
                raise _TooRich
            return Letters((*inner.base, *((Run("′" * primes),) if primes else ())), _runs(sub or ()), _runs(sup or ()), inner.accent)
        case T.Apply(command, ((T.Script(base, sub, sup, primes, ""),),)) if command in _ACCENTS:
            return _letters(T.Script(T.Apply(command, ((base,),)), sub, sup, primes))
        case T.Apply(command, (items,)) if command in _ACCENTS:
            first, *others = _runs(items) or (Run(""),)
            return Letters((Run(first.text.translate(_DOTLESS), first.face), *others), accent=_ACCENTS[command])
    return Letters(_runs((node,)))


def _runs(nodes: tuple[T.Node, ...]) -> tuple[Run, ...]:
    return tuple(run for node in nodes for run in _run(node))


def _run(node: T.Node) -> tuple[Run, ...]:
    match node:
        case T.Symbol(text):
            return (_symbol(text),)
        case T.Words(command, text):
            return (Run(text, {r"\textbf": "bold", r"\textit": "italic"}.get(command, "roman")),)
        case T.Group(items):
            return _runs(items)
        case T.Fence(left, items, right) if left in "()[]|." and right in "()[]|.":
            return (Run(left.strip(".")), *_runs(items), Run(right.strip(".")))
        case T.Apply(r"\mathrm" | r"\operatorname", (items,)):
            return (Run(" ".join(run.text for run in _runs(items))),)
        case T.Apply(r"\mathbf" | r"\boldsymbol", (items,)):
            return tuple(Run(_shifted(run.text, "𝛼", "𝜶"), "bold") for run in _runs(items))
        case T.Apply(r"\mathcal", ((T.Symbol(text),),)) if text.isascii() and text.isupper():
            return (Run(SCRIPT.get(text, chr(ord("𝒜") + ord(text[0]) - ord("A"))), "symbol"),)
    raise _TooRich


def _symbol(text: str) -> Run:
    if text in UNICODE:
        letter = UNICODE[text]
        return Run(chr(ord("𝛼") + _GREEK.index(letter)) if letter in _GREEK else letter, "symbol")
    if text in FUNCTIONS:
        return Run(text[1:])
    if text.startswith("\\"):
        raise _TooRich
    return Run(_SIGNS.get(text, text), "italic" if text.isalpha() else "roman")


def _shifted(text: str, old: str, new: str) -> str:
    """Greek of one mathematical alphabet in another."""
    return "".join(chr(ord(c) - ord(old) + ord(new)) if 0 <= ord(c) - ord(old) < len(_GREEK) else c for c in text)


def width_of(runs: Iterable[Run]) -> float:
    """A guess, in em: fonts differ, and a few percent more or less are not seen."""
    total = 0.0
    for run in runs:
        for c in run.text:
            em = (0.32 if c in "ijltıȷ|.,:;′'() []" else 0.42 if c in "frs-/" else 0.92 if c in "mMW@" else 0.72 if c.isupper() or c == "w"
                  else 1.0 if unicodedata.east_asian_width(c) in "WF" else 0.52)
            total += em * (1.08 if run.face == "bold" else 1.0)
    return total


def measure(label: tuple[Letters, ...]) -> float:
    """The width of a label, in pixels."""
    return sum(FONT * width_of(part.base) + scripts_width(part) for part in label)


def scripts_width(part: Letters) -> float:
    return 2 + SMALL * max(width_of(part.sub), width_of(part.sup)) if part.sub or part.sup else 0.0


def clean(text: str) -> str:
    """Text without what XML cannot hold."""
    return "".join(c if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff" else " " if c in "\t\n\r" else "\ufffd"
                   for c in text)

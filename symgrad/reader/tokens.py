"""The text of a property as tokens, and the names of the inputs in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NoReturn

from symgrad.language.errors import SpecError
from symgrad.language.threshold import Affine, one

MAX_INPUTS = 1000
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.(?!\.)\d+)?)|(\.\.\.?|…)|(<=>|<->|=>|->|>=|<=|!=|<>|==|[≤≥≠⇔⇒∧∨¬⊕<>=+\-−*/·^(),|])"
                    r"|([A-Za-z\u0391-\u03c9][A-Za-z0-9_\u0391-\u03c9]*(?:\[\d+\])?))")
_SAME = {"≤": "<=", "≥": ">=", "≠": "!=", "<>": "!=", "==": "=", "⇔": "iff", "<=>": "iff", "<->": "iff", "⇒": "implies", "=>": "implies",
         "->": "implies", "∧": "and", "∨": "or", "¬": "not", "⊕": "xor", "−": "-", "·": "*", "…": "...", "..": "..."}
WORDS = frozenset((
    "iff", "implies", "or", "xor", "and", "not", "exactly", "at", "least", "most", "of", "majority", "odd", "even", "parity", "number", "all", "any",
    "some", "none", "no", "true", "false", "inputs", "distinct", "different", "sum", "max", "min", "abs", "an", "a", "the"))


class Inputs:
    """The names of the inputs: a fixed list, or x1, x2, ... as far as they are used."""

    def __init__(self, names: Sequence[str] | None, count: int | None) -> None:
        self.names, self.count, self.used = names, count, 0

    def index(self, name: str) -> int | None:
        """The number of an input (from 1); None for another name.  Raises SpecError for x7 of 4 inputs."""
        if self.names is not None:
            plain = name if name in self.names else re.sub(r"[\[\]]", "", name)  # x[1] for x1
            return self.names.index(plain) + 1 if plain in self.names else None
        found = re.fullmatch(r"x_?(\d{1,4})|x\[(\d{1,4})\]", name)
        if not found:
            return None
        i = int(found[1] or found[2])
        if not 1 <= i <= (self.count or MAX_INPUTS):
            raise SpecError(f"{name}: the inputs are x1..x{self.count or MAX_INPUTS}")
        self.used = max(self.used, i)
        return i

    def all(self) -> list[Affine]:
        return [one(i) for i in range(1, (self.count or self.used) + 1)]


class Tokens:
    """The tokens of a property, read one after the other."""

    def __init__(self, text: str, inputs: Inputs) -> None:
        self.text, self.inputs = text, inputs
        self.tokens: list[str] = []
        self.at = 0
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if not found:
                raise SpecError(f"cannot read {text[place:place + 20].strip()!r} in the property {text[:80]!r}")
            token = next(g for g in found.groups() if g)
            self.tokens.append(_SAME.get(token, token.lower() if token.lower() in WORDS and not self.is_input(token) else token))
            place = found.end()

    def is_input(self, name: str) -> bool:
        return self.inputs.names is not None and name in self.inputs.names

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def take(self, *wanted: str) -> bool:
        """Goes past these tokens if they come next."""
        if self.tokens[self.at:self.at + len(wanted)] != list(wanted):
            return False
        self.at += len(wanted)
        return True

    def need(self, token: str) -> None:
        if not self.take(token):
            self.refuse(f"{token!r} is expected")

    def refuse(self, what: str) -> NoReturn:
        found = f"found {self.peek()!r}" if self.peek() else "the text ends"
        before = " ".join(self.tokens[max(0, self.at - 6):self.at]) or "the start"
        raise SpecError(f"property {self.text.strip()[:100]!r}: {what}; {found} after {before!r}")

"""The three families of errors: the input is wrong, we cannot do it yet, the checker found it false."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a problem file something stands (lines count from 1; 0 means the whole file)."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class SymgradError(Exception):
    """The parent of all errors that symgrad raises on purpose; `str` of it is the message for a person."""


class SpecError(SymgradError):
    """The problem file, or what the caller passed, is wrong.  `place` says where, `message` what to do."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        self.message, self.place = message, place
        super().__init__(f"{place}: {message}" if place else message)


class SpecErrors(SymgradError):
    """Several `SpecError`s of one file, reported together."""

    def __init__(self, errors: tuple[SpecError, ...]) -> None:
        self.errors = errors
        super().__init__("\n".join(str(error) for error in errors))


class ShapeError(SpecError):
    """Two shapes that must agree differ; the message shows both sides."""


class Unsupported(SymgradError):
    """True or false, symgrad cannot do it yet; the message names the missing case."""


class Refused(SymgradError):
    """The checker found a claim false; the message shows the claim and a witness."""

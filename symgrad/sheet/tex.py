"""The TeX that a sheet may contain: a closed list of commands, parsed into a small tree that every format prints from.

Formulas come from strangers (statements, `latex = ` names), so whatever is not in the tables of `symbols` is refused by name and column.
To admit a symbol: one word in its table in `symbols.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, assert_never

from symgrad.language.errors import SpecError
from symgrad.sheet.symbols import (
    ADVICE,
    CHARACTERS,
    COLOURS,
    COMMANDS,
    DELIMITERS,
    ENVIRONMENTS,
    FACES,
    LARGE,
    LIMITED,
    ONE,
    SIZES,
    STYLES,
    SYMBOLS,
    TWO,
    UPRIGHT,
    WORDS,
)
from symgrad.sheet.symbols import escape_tex as escape_tex

MAX_LENGTH = 20_000
MAX_DEPTH = 24


# ---- the tree ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter, number, sign or command without arguments."""

    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """`\\text{..}` (or `\\textbf`, `\\textit`): words, as they are."""

    command: str
    text: str


@dataclass(frozen=True, slots=True)
class Group:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """A command with its arguments: `\\frac`, `\\bar`, `\\sqrt[3]`, `\\mathrm`."""

    command: str
    arguments: tuple[tuple[Node, ...], ...]
    option: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A base with what hangs on it; primes come first in the superscript, as in TeX."""

    base: Node
    sub: tuple[Node, ...] | None = None
    sup: tuple[Node, ...] | None = None
    primes: int = 0
    limits: str = ""  # "", "\\limits", "\\nolimits"


@dataclass(frozen=True, slots=True)
class Fence:
    """`\\left( .. \\right)`."""

    left: str
    items: tuple[Node, ...]
    right: str


@dataclass(frozen=True, slots=True)
class Big:
    """A delimiter of a fixed size: `\\big(`."""

    command: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A matrix, or cases: rows of cells; `columns` is what `array` asks for."""

    environment: str
    rows: tuple[tuple[tuple[Node, ...], ...], ...]
    columns: str = ""


Node = Symbol | Words | Group | Apply | Script | Fence | Big | Grid


def check_tex(tex: str) -> None:
    """Raises SpecError, naming what is refused and the column, unless `tex` is one formula of the admitted subset."""
    parse(tex)


@lru_cache(maxsize=1 << 15)
def parse(tex: str) -> tuple[Node, ...]:
    """The tree of a formula; raises SpecError as `check_tex` does."""
    return _Parser(tex).formula()


_TOKEN = re.compile(r"[ \t\r\n]*(\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|[^\s])?", re.DOTALL)


class _Parser:
    """Recursive descent over the text itself, so that every refusal knows its column."""

    def __init__(self, tex: str) -> None:
        self.tex, self.at, self.depth = tex, 0, 0
        self.seen, self.token = -1, ""  # the token that begins at `seen`

    def refuse(self, what: str, at: int | None = None) -> NoReturn:
        at = self.at if at is None else at
        low = max(0, at - 20)
        shown = ("..." if low else "") + self.tex[low : at + 40] + ("..." if at + 40 < len(self.tex) else "")
        raise SpecError(f"formula {shown!r}, column {at + 1}: {what}")

    def formula(self) -> tuple[Node, ...]:
        if len(self.tex) > MAX_LENGTH:
            raise SpecError(f"a formula of {len(self.tex)} characters; at most {MAX_LENGTH} are read")
        items = self.items(())
        if self.at < len(self.tex):
            self.refuse(f"{self.peek()!r} closes nothing")
        if not items:
            self.refuse("the formula is empty")
        return items

    def peek(self) -> str:
        """The next token, blanks skipped; "" at the end."""
        if self.at != self.seen and (found := _TOKEN.match(self.tex, self.at)):
            self.token = found[1] or ""
            self.at = self.seen = found.end() - len(self.token)
        return self.token

    def take(self) -> str:
        token = self.peek()
        self.at += len(token)
        return token

    def items(self, stop: tuple[str, ...]) -> tuple[Node, ...]:
        """Nodes up to (not with) a token of `stop`, a closing token or the end."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.refuse(f"nested more than {MAX_DEPTH} deep")
        found: list[Node] = []
        while (token := self.peek()) and token not in stop and token not in ("}", r"\right", r"\end", "&", r"\\"):
            found.append(self.scripted())
        self.depth -= 1
        return tuple(found)

    def scripted(self) -> Node:
        start = self.at
        base: Node = Group(()) if self.peek() in ("_", "^", "'") else self.atom()
        sub = sup = None
        primes, limits = 0, ""
        while True:
            match self.peek():
                case r"\limits" | r"\nolimits" as limits:
                    if not (isinstance(base, Symbol) and base.text[1:] in LARGE or isinstance(base, Symbol) and base.text in LIMITED):
                        self.refuse(f"{limits} stands only after a large operator")
                    self.take()
                case "'" | "′":
                    self.take()
                    primes += 1
                case "^" | "ᵀ" as token:
                    self.take()
                    if sup is not None:
                        self.refuse("a second superscript; use braces", start)
                    sup = (Symbol(r"\top"),) if token == "ᵀ" else self.argument("the superscript")
                case "_":
                    self.take()
                    if sub is not None:
                        self.refuse("a second subscript; use braces", start)
                    sub = self.argument("the subscript")
                case _:
                    break
        if isinstance(base, Symbol) and base.text in STYLES and (sub is not None or sup is not None or primes):
            self.refuse(f"{base.text} carries no index", start)
        return base if sub is None and sup is None and not primes else Script(base, sub, sup, primes, limits)

    def argument(self, of: str) -> tuple[Node, ...]:
        """`{..}`, or one letter, digit or command."""
        token = self.peek()
        if token == "{":
            node = self.atom()
            assert isinstance(node, Group)
            return node.items
        if token in ("", "}", "&", r"\\", "_", "^", "'", r"\right", r"\end"):
            self.refuse(f"{of} is missing")
        if token[0].isdigit() and len(token) > 1:
            self.refuse(f"{of} is ambiguous: write {{{token}}} or {{{token[0]}}} {token[1:]}")
        return (self.atom(),)

    def atom(self) -> Node:
        start, token = self.at, self.take()
        if token == "{":
            items = self.items(())
            if self.peek() != "}":
                self.refuse("this brace is never closed" if not self.peek() else f"expected }}, found {self.peek()}", start)
            self.take()
            return Group(items)
        if token in WORDS:
            return self.words(r"\text" if token == r"\textrm" else token)
        if token in UPRIGHT:
            return self.upright(token)
        if token in ONE or token in TWO:
            return self.apply(token, start)
        if token == r"\left":
            return self.fence(start)
        if token == r"\begin":
            return self.grid(start)
        if token in SIZES:
            return Big(token, self.delimiter(token))
        if token in SYMBOLS or token in CHARACTERS or token[:1].isascii() and token[:1].isalnum():
            return Symbol(token)
        if token == "~":
            return Symbol(r"\ ")
        if token in COMMANDS:
            return Symbol(COMMANDS[token])
        advice = f"; {ADVICE[token]}" if token in ADVICE else ""
        name = token if len(token) > 1 else repr(token) if token.isprintable() else f"U+{ord(token):04X}"
        self.refuse(f"{name} is not admitted in formulas{advice}", start)

    def words(self, command: str) -> Words:
        return Words(command, self.raw(command, re.compile(r"[^\\{}$%#&_^~`\"\x00-\x1f\x7f-\x9f]*")))

    def upright(self, command: str) -> Apply:
        if command == r"\operatorname" and self.tex[self.at : self.at + 1] == "*":
            self.at += 1
            command += "*"
        text = self.raw(command, re.compile(r"[A-Za-z0-9 ]*"))
        return Apply(command, (tuple(Symbol(w) for w in text.split()),)) if text.strip() else self.refuse(f"{command} of nothing")

    def raw(self, command: str, admitted: re.Pattern[str]) -> str:
        """`{..}` taken letter by letter."""
        if self.peek() != "{":
            self.refuse(f"{command} takes its words in braces")
        found = admitted.match(self.tex, self.at + 1)
        end = found.end() if found else self.at
        if self.tex[end : end + 1] != "}":
            self.refuse(f"{self.tex[end]!r} is not admitted in {command}" if end < len(self.tex) else "this brace is never closed", end)
        text, self.at = self.tex[self.at + 1 : end], end + 1
        return text

    def apply(self, command: str, start: int) -> Apply:
        option: tuple[Node, ...] = ()
        if command in (r"\sqrt", r"\xrightarrow", r"\xleftarrow") and self.peek() == "[":
            self.take()
            option = self.items(("]",))
            if self.take() != "]":
                self.refuse("this bracket is never closed", start)
        if command == r"\textcolor":
            colour = self.raw(command, re.compile(r"[a-z]*"))
            if colour not in COLOURS:
                self.refuse(f"colour {colour!r}; the colours are {', '.join(sorted(COLOURS))}", start)
            return Apply(command, ((Symbol(colour),), self.argument(command)))
        if command in TWO and re.fullmatch(r"\d\d", self.peek()):  # \frac12, as many write a half: two digits and nothing else to divide
            self.at += 2
            return Apply(command, ((Symbol(self.tex[self.at - 2]),), (Symbol(self.tex[self.at - 1]),)), option)
        found = tuple(self.argument(f"the argument of {command}") for _ in range(2 if command in TWO else 1))
        if command in FACES and not all(isinstance(n, Symbol | Script | Group) for n in found[0]):
            self.refuse(f"{command} takes letters and digits", start)
        return Apply(command, found, option)

    def delimiter(self, after: str) -> str:
        start, token = self.at, self.take()
        token = COMMANDS.get(token, token)
        if token not in DELIMITERS:
            self.refuse(f"{token or 'the end'} is no delimiter for {after}", start)
        return token

    def fence(self, start: int) -> Fence:
        left = self.delimiter(r"\left")
        items: list[Node] = []
        while True:
            items += self.items((r"\middle",))
            if self.peek() != r"\middle":
                break
            self.take()
            items.append(Big(r"\middle", self.delimiter(r"\middle")))
        if self.peek() != r"\right":
            self.refuse(r"\left without \right", start)
        self.take()
        return Fence(left, tuple(items), self.delimiter(r"\right"))

    def grid(self, start: int) -> Grid:
        name = self.raw(r"\begin", re.compile(r"[A-Za-z]*\*?"))
        if name not in ENVIRONMENTS:
            advice = ADVICE.get(name.strip("*"), f"the environments are {', '.join(sorted(ENVIRONMENTS))}")
            self.refuse(f"the environment {name} is not admitted in formulas; {advice}", start)
        columns = self.raw("array", re.compile(r"[lcr]{0,32}")) if name == "array" else ""
        rows: list[tuple[tuple[Node, ...], ...]] = []
        row: list[tuple[Node, ...]] = []
        while True:
            row.append(self.items(()))
            match self.peek():
                case "&":
                    self.take()
                case r"\\":
                    self.take()
                    if self.tex[self.at : self.at + 1] in ("[", "*"):
                        self.refuse(r"\\ takes no option here; leave a blank before a bracket")
                    rows.append(tuple(row))
                    row = []
                case r"\end":
                    self.take()
                    break
                case _:
                    self.refuse(f"\\begin{{{name}}} is never ended", start)
        if self.raw(r"\end", re.compile(r"[A-Za-z]*\*?")) != name:
            self.refuse(f"\\begin{{{name}}} is ended by another name", start)
        if row != [()]:
            rows.append(tuple(row))
        if len({len(r) for r in rows}) > 1 and name != "cases" or not rows:
            self.refuse(f"the rows of this {name} have {', '.join(str(len(r)) for r in rows) or 'no'} cells", start)
        return Grid(name, tuple(rows), columns)


# ---- the tree as TeX --------------------------------------------------------------------------------------------


def write(nodes: tuple[Node, ...], words: Callable[[str], str] = str, row_end: str = r"\\") -> str:
    """Canonical TeX: every argument in braces, every symbol a command in ASCII; `words` prints the contents of \\text."""

    def one(node: Node) -> str:
        match node:
            case Symbol(text):
                return text
            case Words(command, text):
                return f"{command}{{{words(text)}}}"
            case Group(items):
                return f"{{{many(items)}}}"
            case Apply(command, arguments, option):
                if command == r"\mathbf" and any("\\" in leaf for leaf in leaves(arguments[0])):
                    command = r"\boldsymbol"
                joined = "".join(f"{{{many(a)}}}" for a in arguments)
                return f"{command}[{{{many(option)}}}]{joined}" if option else command + joined
            case Script(base, sub, sup, primes, limits):
                inner = one(base) if not isinstance(base, Fence | Grid) else f"{{{one(base)}}}"
                low = f" _{{{many(sub)}}}" if sub is not None else ""
                top = f"^{{{many(sup)}}}" if sup is not None else ""
                return inner + limits + ("'" * primes + top + low if primes else low + top)  # TeX takes primes and powers in one breath
            case Fence(left, items, right):
                return rf"\left{left} {many(items)} \right{right}"
            case Big(command, delimiter):
                return f"{command}{delimiter}"
            case Grid(environment, rows, columns):
                lines = [" & ".join(many(cell) for cell in row) for row in rows]
                body = f" {row_end} ".join("{}" + line if line.startswith(("[", "*")) else line for line in lines)
                head = f"{{{columns}}}" if columns else ""
                return rf"\begin{{{environment}}}{head} {body} \end{{{environment}}}"
        assert_never(node)

    def many(items: tuple[Node, ...]) -> str:
        text = ""
        for piece in map(one, items):
            tight = not text or text[-1] in "([" or piece[0] in ")],;" or piece in (".", "!")
            text += piece if tight else f" {piece}"
        return text

    return many(nodes)


def leaves(nodes: tuple[Node, ...]) -> tuple[str, ...]:
    """The symbols of letters in a face, in order: what `\\mathbf{..}` is asked to embolden."""
    found: list[str] = []
    for node in nodes:
        match node:
            case Symbol(text):
                found.append(text)
            case Group(items):
                found += leaves(items)
            case Script(base, sub, sup):
                found += leaves((base, *(sub or ()), *(sup or ())))
            case _:
                found.append("")
    return tuple(found)

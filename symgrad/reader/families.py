"""The tables of a problem file with all values of its [indices] written out, as reader/indices.py has it for a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import KNOWN, VECTOR_FUNCTIONS
from symgrad.reader.definitions import MAX_NODES, Note, target
from symgrad.reader.indices import NAME, At, Family, Indices
from symgrad.reader.letlist import RESERVED, check_name, statements
from symgrad.reader.lines import KeyPath
from symgrad.reader.sequence import LAST
from symgrad.reader.spec import MAX_LET, SymbolSpec

MAX_INDICES = 6
_LEFT = re.compile(r"([A-Za-z\u0391-\u03c9]\w*)\s*\[([^\]]*)\]\s*:?=")
_PROSE = ("label", "ask", "statement")
_LISTS = ("wrt", "of", "components", "closed_form")
"""Fields of a part in which the name of a family stands for all its members."""

NoteAt = Callable[[SpecError | Unsupported, KeyPath], None]


@dataclass(frozen=True, slots=True)
class Written:
    """The tables without indices that are numbers; the definitions with the lines they come from; new keys with their old ones."""

    table: dict[str, Any]
    lets: tuple[tuple[int, str], ...]
    keys: Mapping[KeyPath, KeyPath]
    indices: Indices


def write_out(table: Mapping[str, Any], symbols: Mapping[str, Any], note: Note, note_at: NoteAt, first: int) -> Written:
    """The tables of a file without [indices]; errors are noted with their lines.  `first` is the line on which the let-list begins."""
    lets = statements(table["model"]["let"])
    indices = _declared(table, symbols, lets, note, note_at, first)
    if indices is None:
        return Written(dict(table), (), {}, Indices({}, "", {}))
    out: dict[str, Any] = dict(table)
    keys: dict[KeyPath, KeyPath] = {}
    del out["indices"]
    symbolic = next(((i, n) for i, n in table["indices"].items() if isinstance(n, str)), None)
    if symbolic is not None:
        out["sequence"] = {"index": symbolic[0], "length": symbolic[1]}
        keys |= {("sequence", key): ("indices", symbolic[0]) for key in ("index", "length")}

    def text(said: str, path: KeyPath) -> str:
        return str(_attempt(lambda: _stated(indices, said), note_at, path) or said)

    def renamed(key: str, path: KeyPath) -> str:
        part, dot, label = key.rpartition(".") if path[0] == "expected" else ("", "", key)
        new = part + dot + (text(label, path) if "[" in label else label)
        keys.update({(*path[:-1], new): path} if new != key else {})
        return new

    out["symbols"] = _symbols(indices, table.get("symbols", {}), note_at, keys)
    found = _definitions(indices, lets, note, first)
    if symbolic is not None:
        _without_order(symbolic[0], lets, note, first)
    out["model"] = {**table["model"], "let": "\n".join(line for _, line in found)}
    if "latex" in table["model"]:
        latex = table["model"]["latex"]
        out["model"]["latex"] = {new: tex for name, said in latex.items() for new, tex in (
            [(indices.member(name, at), indexed(said, at)) for at in indices.members(indices.families[name])]
            if name in indices.families else [(renamed(name, ("model", "latex", name)), said)])}
    if "values" in table:
        out["values"] = {renamed(k, ("values", k)): x for k, x in table["values"].items()}
    if "expected" in table:
        out["expected"] = {renamed(k, ("expected", k)): text(x, ("expected", k)) if isinstance(x, str) else x for k, x in table["expected"].items()}
    out["part"] = [{k: x if k in _PROSE else _field(indices, x, k, ("part", n, k), text) for k, x in part.items()}
                   for n, part in enumerate(table["part"])]
    if len(out["model"]["let"]) > MAX_LET or len(found) > MAX_NODES:
        note(SpecError(f"{len(found)} definitions when all values of the indices are written out, more than are read"), first)
    return Written(out, found, keys, indices)


def indexed(tex: str, at: At) -> str:
    """How a member of a family is printed, given how the family is."""
    numbers = ", ".join(map(str, at.values()))
    return tex if not tex or not numbers else f"{tex}_{{{numbers}}}" if "_" not in tex else f"{tex}^{{({numbers})}}" if "^" not in tex else (
        f"{{{tex}}}_{{{numbers}}}")


def _declared(table: Mapping[str, Any], symbols: Mapping[str, Any], lets: list[tuple[int, str]], note: Note, note_at: NoteAt,
              first: int) -> Indices | None:
    """The indices and what has them; None, with errors noted, where they cannot be understood."""
    stated = table["indices"]
    names = {*symbols, *(target(line) for _, line in lets)}
    functions = {*KNOWN, *VECTOR_FUNCTIONS, *table.get("functions", {})}
    right = True

    def wrong(error: SpecError | Unsupported, *path: str) -> None:
        nonlocal right
        right = False
        note_at(error, path)

    if len(stated) > MAX_INDICES:
        wrong(SpecError(f"{len(stated)} indices; at most {MAX_INDICES} are read"), "indices")
    for i, length in stated.items():
        if not NAME.fullmatch(i) or i in RESERVED or "__" in i or i in (LAST, "T"):
            wrong(SpecError(f"indices: {i!r} cannot be the name of an index"), "indices", i)
        elif i in names or i in functions:
            wrong(SpecError(f"the index {i} is the name of something else; choose another"), "indices", i)
        if isinstance(length, int) and not 1 <= length <= 200:
            wrong(SpecError(f"indices.{i}: {length} is not between 1 and 200"), "indices", i)
        if any(i in NAME.findall(str(s.shape if isinstance(s, SymbolSpec) else s)) for s in symbols.values()):
            wrong(SpecError(f"the index {i} cannot be a dimension"), "indices", i)
    symbolic = [i for i, length in stated.items() if isinstance(length, str)]
    if len(symbolic) > 1 or symbolic and "sequence" in table:
        other = "[sequence]" if "sequence" in table else symbolic[0]
        wrong(Unsupported(f"a name for the length of {symbolic[-1]} beside {other}; one length may be a name, give the other as a number"),
              "indices", symbolic[-1])
    if not right:
        return None
    tail = symbolic[0] if symbolic else str(table["sequence"].get("index", "t")) if "sequence" in table else ""
    if tail in stated and not symbolic:
        wrong(SpecError(f"{tail} is an index and counts the steps of [sequence]; choose another name for one"), "indices", tail)
    lengths = {i: n for i, n in stated.items() if isinstance(n, int)}
    families: dict[str, Family] = {}

    def family(said: str, what: str) -> Family:
        words = [w.strip() for w in said.split(",")]
        known = [w for w in words if w in lengths]
        if len(set(words)) < len(words) or any(w not in lengths and w != tail for w in words) or not words:
            raise SpecError(f"{what}: the indices are {', '.join((*lengths, *((tail,) if tail else ())))}, each at most once; found {said[:40]!r}")
        if tail in words and words[-1] != tail:
            raise SpecError(f"{what}: {tail} comes last: {', '.join((*known, tail))}")
        return Family(tuple(known), tail in words)

    for name, s in symbols.items():
        if isinstance(s, SymbolSpec) and s.each:
            only = tail if "sequence" in table else next(iter(stated)) if len(stated) == 1 else ""
            if s.each is True and not only:
                wrong(SpecError(f"each = true with several indices; say which: each = \"{', '.join(stated)}\""), "symbols", name)
                continue
            said = only if s.each is True else str(s.each)
            try:
                families[name] = family(said, f"each of {name}")
            except SpecError as error:
                wrong(error, "symbols", name)
    for number, line in lets:
        if (left := _LEFT.match(line)) is None or (left[2].strip() == "0" and tail):
            continue
        try:
            found = family(left[2], f"{left[1]}[{left[2].strip()[:30]}] on the left of '='")
            if left[1] in symbols or left[1] in families:
                raise SpecError(f"the name {left[1]} is bound twice" + ("; it is a symbol" if left[1] in symbols else ""))
            families[left[1]] = found
        except SpecError as error:
            right = False
            note(error, first + number - 1)
    indices = Indices(lengths, tail, families)
    _check_members(indices, names, functions, wrong)
    if not families and right:
        wrong(SpecError(f"nothing has an index: write h[{next(iter(stated), 'i')}] = ... in the let-list, or each = \"...\" at a symbol"), "indices")
    return indices if right else None


def _check_members(indices: Indices, names: set[str], functions: set[str], wrong: Callable[..., None]) -> None:
    """An error for every name of a member that something else has, or that is too long."""
    taken = {**dict.fromkeys(names | functions, "")}
    for name, family in indices.families.items():
        if not family.indices:
            continue
        if name in functions:
            wrong(SpecError(f"{name} is the name of a function and cannot have indices"), "symbols", name)
            continue
        try:
            for at in indices.members(family):
                member = indices.member(name, at)
                check_name(member)
                if member in taken:
                    raise SpecError(f"{member} is the name of {name}[{', '.join(map(str, at.values()))}]; call one of them something else")
                taken[member] = name
        except SpecError as error:
            wrong(error, "symbols", name)


def _definitions(indices: Indices, lets: list[tuple[int, str]], note: Note, first: int) -> tuple[tuple[int, str], ...]:
    """The definitions of all members, in the order of the text."""
    out: list[tuple[int, str]] = []
    for number, line in lets:
        left, right = (x.strip(" :") for x in line.split("=", 1)) if "=" in line else (line, "")
        family = indices.families.get(target(line), Family(()))
        tail = f"[{indices.tail}]" if family.tail else ""
        try:
            for at in indices.members(family):
                name = indices.member(target(line), at) + tail if family.indices else left
                fixed = at | ({indices.tail: 0} if family.tail else {})  # the left side has it, whatever its value is
                out.append((number, f"{name} = {indices.written(right, fixed)}" if "=" in line else line))
        except (SpecError, Unsupported) as error:
            note(error, first + number - 1)
    return tuple(out)


def _without_order(index: str, lets: list[tuple[int, str]], note: Note, first: int) -> None:
    """An error for every [i - 1]: the values of an index of [indices] are in no order."""
    for number, line in lets:
        if re.search(rf"\[[^\]]*(?<!\w){index}\s*[-+][^\]]*\]", line):
            note(SpecError(f"the values of {index} are in no order; a recursion from one to the next is a [sequence] with index = \"{index}\""),
                 first + number - 1)


def _symbols(indices: Indices, symbols: Mapping[str, Any], note_at: NoteAt, keys: dict[KeyPath, KeyPath]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, declared in symbols.items():
        family = indices.families.get(name)
        if family is None:
            found[name] = declared
            continue
        if declared.get("value") is not None:
            first = next(indices.members(family))
            note_at(SpecError(f"{name} has one value for every {', '.join(family.indices) or indices.tail}; state them in [values]: "
                              f"\"{name}[{', '.join(map(str, first.values())) or 1}]\" = ..."), ("symbols", name))
        rest = {k: x for k, x in declared.items() if k not in ("each", "value", "latex")} | ({"each": True} if family.tail else {})
        for at in indices.members(family):
            member = indices.member(name, at)
            tex = indexed(declared.get("latex", ""), at)
            found[member] = {**rest, **({"latex": tex} if tex else {})}
            if member != name:
                keys["symbols", member] = ("symbols", name)
    return found


def _field(indices: Indices, value: Any, key: str, path: KeyPath, text: Callable[[str, KeyPath], str]) -> Any:
    """A field of a part with every member in its strings and keys written out; the name of a family in a list is all its members."""
    if isinstance(value, str):
        family = indices.families.get(value)
        if family is not None and family.indices and key in _LISTS:
            return text(f"{value}", path)  # refused: one is asked for
        return text(value, path) if "[" in value else value
    if isinstance(value, list):
        found: list[Any] = []
        for x in value:
            family = indices.families.get(x) if isinstance(x, str) and key in _LISTS else None
            found += ([indices.member(x, at) for at in indices.members(family)] if family is not None
                      else [_field(indices, x, "", path, text)])
        return found
    if isinstance(value, dict):
        return {_field(indices, k, "", path, text): _field(indices, x, "", path, text) for k, x in value.items()}
    return value


def _stated(indices: Indices, said: str) -> str:
    """The text of a question or an answer; a family without brackets may be a word there, and is left to the reader of the question."""
    families = {n: f for n, f in indices.families.items() if said.strip() == n or re.search(rf"\b{n}(?:_bar|_grad)?\s*\[", said)}
    return Indices(indices.lengths, indices.tail, families).written(said, {})


def _attempt(work: Callable[[], Any], note_at: NoteAt, path: KeyPath) -> Any:
    try:
        return work()
    except (SpecError, Unsupported) as error:
        note_at(error, path)
        return None


__all__ = ["NoteAt", "Written", "indexed", "write_out"]

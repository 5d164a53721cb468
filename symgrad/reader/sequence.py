"""[sequence] length = 3 writes a model out step by step: h[t] = f(h[t-1], x[t]) becomes h_1, h_2, h_3, definitions like all others.

    [sequence]
    length = 3
    [symbols]
    x = { shape = "D", each = true }      # x[1], x[2], x[3]
    h0 = "K"                              # h[0]
    [model]
    let = '''
    h[t] = tanh(W @ h[t-1] + U @ x[t])
    l[t] = 1/2 * norm(h[t])^2
    L = sum(l[t])                         # over all steps; h[last] is the last step
    '''

The tables are rewritten before anything is read, so the graph, every kind of question and the checker know nothing of steps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.language.errors import SpecError, Unsupported
from symgrad.language.functions import KNOWN, VECTOR_FUNCTIONS
from symgrad.language.sequence import WRITTEN
from symgrad.reader.brackets import JOINS, arguments, closing, joined
from symgrad.reader.definitions import MAX_NODES, Note, target
from symgrad.reader.letlist import MAX_LINE, check_name, statements
from symgrad.reader.lines import KeyPath
from symgrad.reader.spec import MAX_LET, SequenceSpec, SymbolSpec
from symgrad.reader.step_sums import StepSums

LAST = "last"
"""The index of the last step."""
_NAME = re.compile(r"(?<!\w)(?<!\d\.)[A-Za-z\u0391-\u03c9][A-Za-z0-9_\u0391-\u03c9]*")  # not the e of 1e-3
_LEFT = re.compile(r"([A-Za-z\u0391-\u03c9]\w*)\s*\[([^\]]*)\]\s*:?=")
_INITIAL = re.compile(r"([A-Za-z\u0391-\u03c9]\w*)\s*\[\s*0\s*\](?=\s*:?=)")
_SUFFIXES = ("_bar", "_grad")
"""h_bar[2] is the adjoint of h[2]."""
_PROSE = ("label", "ask", "statement")
"""Fields of a part that hold no names."""

NoteAt = Callable[[SpecError | Unsupported, KeyPath], None]


def step_name(name: str, step: int) -> str:
    """The name of name[step]; the state before the first step is a symbol of its own, h0."""
    return f"{name}_{step}" if step else f"{name}0"


@dataclass(frozen=True, slots=True)
class Steps:
    """The index, the number of steps, the names that have one value for every step, and all other names."""

    index: str
    length: int
    names: frozenset[str]
    others: frozenset[str] = field(default_factory=frozenset)
    total: str = ""  # the name of a symbolic length; three steps are written out for it
    question: bool = False  # in questions and answers [t] stands for step 2 of these three, and [T] for step 3
    fixed: bool = False  # an answer for the general step: a sum in it is over entries

    def written(self, text: str, step: int | None = None) -> str:
        """The text at one step, h[t] for h_2; without a step only fixed ones and sums over all steps may stand.

        Raises SpecError or Unsupported for any other use of the index.
        """
        found: list[str] = []
        place = 0
        while match := _NAME.search(text, place):
            if match[0] == "T" and text[:match.start()].rstrip().endswith(".") and text[match.end():match.end() + 1] != "[":  # a transpose
                found.append(text[place:match.end()])
                place = match.end()
                continue
            found.append(text[place:match.start()])
            piece, place = self._piece(match[0], text, match.end(), step)
            found.append(piece)
        return "".join(found) + text[place:]

    def mentions(self, text: str) -> bool:
        """Whether a name with one value for every step occurs."""
        return any(word in self.names for word in _NAME.findall(text))

    def plain(self, message: str) -> str:
        """An error message with h[2] for h_2."""
        for name in self.names:
            message = re.sub(rf"\b{name}_(\d+)\b", rf"{name}[\1]", message)
        return message

    def _piece(self, name: str, text: str, after: int, step: int | None) -> tuple[str, int]:
        """What stands for one name, with its brackets, and where the text goes on."""
        base = self.base(name)
        opened = re.compile(r"\s*([\[(])").match(text, after)
        if base is not None:
            if opened is None or opened[1] != "[":
                raise SpecError(f"{base} has one value for every step; write {base}[{self.index}], {base}[2] or {base}[{LAST}]")
            end = closing(text, opened.end() - 1)
            return step_name(base, self.step(base, text[opened.end():end], step)) + name.removeprefix(base), end + 1
        if name == self.index:
            raise SpecError(f"{name} counts the steps and stands in brackets only, as in h[{name}] and h[{name}-1]; a power c^{name} is a "
                            f"definition, p[{name}] = c * p[{name}-1] with p0 = 1")
        if opened is not None and opened[1] == "[" and self.index in _NAME.findall(text[opened.end():(end := closing(text, opened.end() - 1))]):
            inside = text[opened.end():end]
            if self.total or step is None:
                raise Unsupported(f"{name}[{inside.strip()[:30]}]: {name} is one vector or matrix, and has no {self.index}; what has one value for "
                                  f"every {self.index} is a definition, {name}[{self.index}] = ..., or a symbol with each = true")
            return f"{name}[" + re.sub(rf"\b{self.index}\b", str(step), inside) + "]", end + 1
        if name in ("sum", "mean") and step is None and not self.fixed and opened is not None and opened[1] == "(":
            end = closing(text, opened.end() - 1)
            inner = text[opened.end():end]
            if self.opens(inner):
                return self._sum(inner) if name == "sum" else f"(1/{self.length} * {self._sum(inner)})", end + 1
        if name in JOINS and step is None and opened is not None and opened[1] == "(":
            end = closing(text, opened.end() - 1)
            if self.opens(text[opened.end():end]):
                return self._joined(name, arguments(text[opened.end():end])), end + 1
        return name, after

    def base(self, name: str) -> str | None:
        """h of h and of h_bar; None of a name without steps."""
        if name in self.names:
            return name
        return next((name.removesuffix(s) for s in _SUFFIXES if name.endswith(s) and name.removesuffix(s) in self.names), None)

    def step(self, name: str, index: str, step: int | None) -> int:
        """The number of the step that an index names.  Raises SpecError or Unsupported."""
        said, t = re.sub(r"\s+", "", index), self.index
        if self.total and step is None:
            return self._of_any_length(name, said)
        if said in (t, f"{t}-1"):
            if step is None:
                raise SpecError(f"{name}[{said}] stands outside a definition for every step; write {name}[{LAST}], {name}[2] or "
                                f"sum(...) over all steps")
            found = step if said == t else step - 1
        elif said == LAST:
            found = self.length
        elif self.total:
            raise Unsupported(f"{name}[{said[:20]}] of a sequence of {self.total} steps; {self._neighbours(name, said)}")
        elif re.fullmatch(r"\d{1,4}", said, re.ASCII):
            found = int(said)
        elif re.search(rf"\b{t}\b", said):
            raise Unsupported(f"{name}[{said[:20]}]: {self._neighbours(name, said)}")
        else:
            raise SpecError(f"{name}[{said[:20]}]: a step is [{t}], [{t}-1], a number from 1 to {self.length} or [{LAST}]; "
                            f"an entry comes after it, {name}[{t}][1]")
        if found > self.length:
            raise SpecError(f"{name}[{found}]: there are {self.length} steps")
        if found == 0 and step_name(name, 0) not in self.others:
            raise SpecError(f"{name}[0], the value before the first step, is not declared; it is the symbol {name}0 in [symbols]")
        return found

    def _neighbours(self, name: str, said: str) -> str:
        """Which steps a step uses, and what to write for one that is further back or ahead."""
        t = self.index
        found = f"a step uses the values of its own step and of the one before, [{t}] and [{t}-1]"
        if re.fullmatch(rf"{t}-\d+", said):
            return f"{found}; hand the value on, p[{t}] = {name}[{t}-1], and p[{t}-1] is {name}[{t}-2]"
        return f"{found}, so that there is no recursion from the last step to the first" if re.fullmatch(rf"{t}\+\d+", said) else found

    def _of_any_length(self, name: str, said: str) -> int:
        """The same outside of a definition for every step, where the number of steps is a name."""
        t, last = self.index, self.total
        named = {last: 3, LAST: 3}
        if self.question:
            named |= {f"{t}-1": 1, t: 2, f"{t}+1": 3, f"{last}-1": 2, "1": 1}
        if said not in named:
            raise Unsupported(f"{name}[{said[:20]}] of a sequence of {last} steps; outside of a definition for every step there are "
                              f"{name}[{LAST}] and sum({name}[{t}])" + (f", in questions {name} and {name}[{t}]" if self.question else ""))
        return named[said]

    def opens(self, text: str) -> bool:
        """Does the text speak of the general step, h[t] or h[t-1]?"""
        return re.search(rf"\[\s*{self.index}\s*(?:[-+]\s*\d+\s*)?\]", text) is not None

    def _sum(self, inner: str) -> str:
        """l_1 + l_2 + l_3.  Raises Unsupported for what is more than one sum over the steps."""
        for other in re.finditer(rf"\b(sum|{'|'.join(JOINS)})\s*\(", inner):
            if self.opens(inner[other.end():closing(inner, other.end() - 1)]):
                raise Unsupported(f"a {other[1]} inside a sum over the steps; give the inner one a definition of its own")
        if len(arguments(inner)) > 1:
            raise Unsupported("sum over the steps with a second argument; write the inner sum in a definition for every step")
        if len(inner) * self.length > MAX_LINE:
            raise SpecError("a sum over the steps that is too long when written out; give its terms a definition for every step")
        return "(" + " + ".join(f"({term})" if re.search(r"[-+]", term) else term
                                for term in (self.written(inner, k).strip() for k in range(1, self.length + 1))) + ")"


    def _joined(self, function: str, parts: list[str]) -> str:
        """concat(h_1, h_2, h_3).  Raises Unsupported where the number of parts is a name."""
        if self.total:
            t = self.index
            raise Unsupported(f"{function} of all {self.total} values, {self.total} a name; a product with what is joined is a sum, "
                              f"W @ concat(h[{t}]) = sum(W[{t}] @ h[{t}]) and hstack(A[{t}]) @ W = sum(A[{t}] @ W[{t}]), with a block of W for "
                              f"every {t} (each), and what goes entry by entry is a definition for every {t}")
        terms = [self.written(part, k).strip() for part in parts for k in (range(1, self.length + 1) if self.opens(part) else (None,))]
        if sum(map(len, terms)) > MAX_LINE:
            raise SpecError(f"a {function} over the steps that is too long when written out; give its parts a definition for every step")
        return joined(function, terms)


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The tables with every step written out, the definitions with the lines they come from, and new keys with their old ones."""

    table: dict[str, Any]
    lets: tuple[tuple[int, str], ...]
    keys: Mapping[KeyPath, KeyPath]
    steps: Steps
    made: Mapping[str, str]  # the parts of sums over the steps, as they are printed


def unroll(spec: SequenceSpec, table: Mapping[str, Any], symbols: Mapping[str, Any], note: Note, note_at: NoteAt,
           first: int) -> Unrolled:
    """The tables of a file without steps; errors are noted with their lines.  `first` is the line on which the let-list begins."""
    symbolic = spec.length if isinstance(spec.length, str) else ""
    length = spec.length if isinstance(spec.length, int) else WRITTEN
    lines = [(number, _INITIAL.sub(lambda m: step_name(m[1], 0), line)) for number, line in statements(table["model"]["let"])]
    each = {name for name, s in symbols.items() if isinstance(s, SymbolSpec) and s.each}
    left = {m[1]: number for number, line in lines if (m := _LEFT.match(line))}
    others = frozenset({*symbols, *(target(line) for _, line in lines)} - each - set(left))
    steps = Steps(spec.index, length, frozenset(each | set(left)), others, symbolic)
    made: dict[str, str] = {}
    for word, key in ((spec.index, "index"), (symbolic, "length")):
        if word and not _NAME.fullmatch(word):
            note_at(SpecError(f"sequence.{key}: {word!r} is not a name; names are a letter, then letters, digits and underscores"),
                    ("sequence", key))
            return Unrolled(dict(table), (), {}, steps, made)  # nothing else can be read
    if symbolic:
        sums = StepSums(symbolic, steps.opens, closing, lambda line: _LEFT.match(line) is not None, table["model"].get("latex", {}), made)
        lines = _attempt(lambda: sums.named(lines, spec.index, {*steps.names, *others}), note_at, ("model", "let")) or lines
        left |= {m[1]: number for number, line in lines if (m := _LEFT.match(line))}
        steps = replace(steps, names=steps.names | set(left), others=others | {n for n in made if n not in left})
    _check_names(steps, each, left, symbols, table, note, note_at, first)
    lets = _definitions(steps, lines, note, first)
    steps = replace(steps, question=bool(symbolic))
    out, keys = dict(table), {}
    del out["sequence"]

    def renamed(key: str, path: KeyPath) -> str:
        part, dot, label = key.rpartition(".") if path[0] == "expected" else ("", "", key)
        new = part + dot + str(_attempt(lambda: steps.written(label) if "[" in label else label, note_at, path) or label)
        if new != key:
            keys[(*path[:-1], new)] = path
        return str(new)

    out["symbols"] = _symbols(steps, each, table.get("symbols", {}), note_at, keys)
    out["model"] = {"let": "\n".join(text for _, text in lets)}
    if symbolic and any(re.search(rf"(?<![\w.]){symbolic}(?!\w)", text) for _, text in lets):  # the number of steps as a number
        out["symbols"][symbolic] = {"shape": "", "role": "given"}
    if latex := {**{n: tex for n, tex in made.items() if tex}, **table["model"].get("latex", {})}:
        out["model"]["latex"] = {new: tex for name, text in latex.items() for new, tex in (
            [(step_name(name, k), step_latex(text, k)) for k in range(1, length + 1)] if name in steps.names
            else [(renamed(name, ("model", "latex", name)), text)])}
    for place in ("values", "expected"):
        if place in table:
            out[place] = {renamed(k, (place, k)): _strings(replace(steps, fixed="[" in k), x, (place, k), note_at, keys) if place == "expected" else x
                          for k, x in table[place].items()}
    out["part"] = [{k: x if k in _PROSE else _strings(steps, x, ("part", i, k), note_at, keys) for k, x in part.items()}
                   for i, part in enumerate(table["part"])]
    if len(out["model"]["let"]) > MAX_LET or len(lets) > MAX_NODES:
        note(SpecError(f"{len(lets)} definitions when {length} steps are written out, more than are read"), first)
    return Unrolled(out, lets, keys, steps, made)


def step_latex(tex: str, step: int) -> str:
    """How one step of a name is printed, given how the name is."""
    if not tex:
        return ""
    return f"{tex}_{{{step}}}" if "_" not in tex else f"{tex}^{{({step})}}" if "^" not in tex else f"{{{tex}}}_{{{step}}}"


def _check_names(steps: Steps, each: set[str], left: Mapping[str, int], symbols: Mapping[str, Any], table: Mapping[str, Any],
                 note: Note, note_at: NoteAt, first: int) -> None:
    """Notes an error for every name that is taken twice."""
    t, total = steps.index, steps.total
    functions = {*KNOWN, *VECTOR_FUNCTIONS, *table.get("functions", {})}
    _attempt(lambda: check_name(t), note_at, ("sequence", "index"))
    if t == LAST or t in steps.others or t in steps.names or t in functions:
        note_at(SpecError(f"the step index {t} is the name of something else; choose another, index = \"s\""), ("sequence", "index"))
    if total:
        _attempt(lambda: check_name(total), note_at, ("sequence", "length"))
        if total in {t, LAST} | steps.others | steps.names | functions:
            note_at(SpecError(f"{total}, the number of steps, is the name of something else"), ("sequence", "length"))
    if not steps.names:
        note_at(SpecError(f"nothing has steps: write h[{t}] = ... in the let-list, or each = true at a symbol"), ("sequence",))
    for name, s in symbols.items():
        shape = s.shape if isinstance(s, SymbolSpec) else s if isinstance(s, str) else ""
        if total and total in _NAME.findall(str(shape)):
            note_at(Unsupported(f"{total}, the number of steps, as a dimension; what has {total} entries or rows is a number or vector for "
                                f"every {t}, each = true"), ("symbols", name))
        if t in _NAME.findall(str(shape)):
            note_at(SpecError(f"{t} counts the steps and cannot be a dimension"), ("symbols", name))
        if name in left:
            note(SpecError(f"the name {name} is bound twice; it is a symbol"), first + left[name] - 1)
    taken = {*steps.others, *functions}
    for name in sorted(steps.names):
        where: KeyPath = ("symbols", name) if name in each else ()
        made = {step_name(name, k) for k in range(1, steps.length + 1)}
        made |= {n for n in taken | steps.names if total and re.fullmatch(rf"{name}_\d+", n)}
        if clash := sorted(made & (taken | steps.names)):
            error = SpecError(f"{clash[0]} is the name of {name}[{clash[0].rpartition('_')[2]}]; call one of them something else")
        elif name in functions:
            error = SpecError(f"{name} is the name of a function and cannot have steps")
        else:
            try:
                check_name(step_name(name, steps.length))
                continue
            except SpecError as found:
                error = found
        if where:
            note_at(error, where)
        else:
            note(error, first + left[name] - 1)


def _definitions(steps: Steps, lines: list[tuple[int, str]], note: Note, first: int) -> tuple[tuple[int, str], ...]:
    """The definitions in an order in which each uses only names above it.

    Consecutive definitions for every step go step by step; what stands between them goes before, unless it uses a step.
    """
    out: list[tuple[int, str]] = []
    pending: list[tuple[int, str]] = []
    later: set[str] = set()  # plain names that use a step

    def add(number: int, line: str, step: int | None) -> None:
        try:
            out.append((number, steps.written(line, step)))
        except (SpecError, Unsupported) as error:
            note(error, first + number - 1)

    def flush() -> None:
        for k in range(1, steps.length + 1):
            for number, line in pending:
                add(number, line, k)
        pending.clear()

    for number, line in lines:
        if (left := _LEFT.match(line)) is not None:
            if left[2].strip() == steps.index:
                pending.append((number, line))
            else:
                note(Unsupported(f"{left[0].rstrip(' :=')} on the left of '='; a definition for every step is {left[1]}[{steps.index}] = ..., "
                                 f"the value before the first step the symbol {left[1]}0"), first + number - 1)
            continue
        if steps.mentions(line) or later & set(_NAME.findall(line)):
            flush()
            later.add(target(line))
        add(number, line, None)
    flush()
    return tuple(out)


def _symbols(steps: Steps, each: Iterable[str], symbols: Mapping[str, Any], note_at: NoteAt, keys: dict[KeyPath, KeyPath]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, declared in symbols.items():
        if name not in each:
            found[name] = declared
            continue
        if declared.get("value") is not None:
            note_at(SpecError(f"{name} has one value for every step; state them in [values]: \"{name}[1]\" = ..."), ("symbols", name))
        for k in range(1, steps.length + 1):
            one = {key: x for key, x in declared.items() if key not in ("each", "value", "latex")}
            found[step_name(name, k)] = {**one, **({"latex": step_latex(declared["latex"], k)} if declared.get("latex") else {})}
            keys[("symbols", step_name(name, k))] = ("symbols", name)
    return found


def _strings(steps: Steps, value: Any, path: KeyPath, note_at: NoteAt, keys: dict[KeyPath, KeyPath]) -> Any:
    """A value of a table with every step in its strings and keys written out."""
    if isinstance(value, str):
        if value in steps.names and steps.total:
            return step_name(value, 2)
        if value in steps.names:
            note_at(SpecError(f"{value} has one value for every step; write {value}[2] or {value}[{LAST}]"), path)
            return value
        if "[" not in value:
            return value
        return _attempt(lambda: Steps.written(_only_steps(steps, value), value), note_at, path) or value
    if isinstance(value, list):
        return [_strings(steps, x, path, note_at, keys) for x in value]
    if isinstance(value, dict):
        return {_strings(steps, k, path, note_at, keys): _strings(steps, x, path, note_at, keys) for k, x in value.items()}
    return value


def _only_steps(steps: Steps, text: str) -> Steps:
    """The steps as a question's text sees them: a name without brackets may be a word, and is left to the reader of the question."""
    return replace(steps, names=frozenset(n for n in steps.names if re.search(rf"\b{n}(?:_bar|_grad)?\s*\[", text)))


def _attempt(work: Callable[[], Any], note_at: NoteAt, path: KeyPath) -> Any:
    try:
        return work()
    except (SpecError, Unsupported) as error:
        note_at(error, path)
        return None


__all__ = ["LAST", "Steps", "Unrolled", "step_latex", "step_name", "unroll"]

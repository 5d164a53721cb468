"""One problem file to one `Problem`: all errors of a file together, each with its line.

The [expected] table is split off here: a `Problem` never holds an answer.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sympy import Rational

from symgrad.language.errors import Place, ShapeError, SpecError, SpecErrors, Unsupported
from symgrad.language.functions import KNOWN, VECTOR_FUNCTIONS, Function, unknown
from symgrad.language.graph import Graph, Node, Variable
from symgrad.language.problem import Backward, Conventions, Given, Part, Problem, sizes_shown
from symgrad.language.sequence import Sequence
from symgrad.language.vectors import names_in, say_shape, size_at
from symgrad.reader import spec as S
from symgrad.reader.asks import ASKS, READERS, PartReading
from symgrad.reader.complaints import merged
from symgrad.reader.definitions import Note, definitions, target
from symgrad.reader.families import NoteAt, Written, write_out
from symgrad.reader.file import FileSpec
from symgrad.reader.letlist import Scope, check_name, did_you_mean, exact, statements
from symgrad.reader.lines import KeyPath, key_lines, line_of, text_start
from symgrad.reader.network import expand
from symgrad.reader.sequence import Unrolled, unroll
from symgrad.reader.shapes import as_symbol, shape_of_symbol
from symgrad.reader.shapes import parse_shape as parse_shape
from symgrad.reader.step_sums import bold
from symgrad.reader.structure import declared_leaf, given_structured, gradient_clash

MAX_BYTES, MAX_ERRORS, MAX_STEPS = 1_000_000, 50, 200
_PYDANTIC = re.compile(rf"[A-Z]\w*Spec|function-|list\[|int$|decimal$|str$|constrained|literal|dict\[|(?:{'|'.join(ASKS)})$")
"""What pydantic puts into the place of an error besides the keys of the file: the names of types."""


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """One row of [expected]: part and step label, the text or number stated, and where."""

    part: str
    label: str
    value: str | int | Decimal | list[Any]  # choices by number, or entries: of a vector, or of each row of a matrix
    place: Place


def read(path: Path) -> tuple[Problem, tuple[ExpectedAnswer, ...]]:
    """A problem file.  Raises SpecErrors with every error found (file, line, what to do)."""
    file = path.as_posix()
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SpecError(f"the file has {size:,} bytes; at most {MAX_BYTES:,} are read", Place(file))
        data = path.read_bytes()
    except OSError as error:
        raise SpecErrors((SpecError(f"cannot be read: {error.strerror}", Place(file)),)) from None
    except SpecError as error:
        raise SpecErrors((error,)) from None
    return read_text(data, file, path.stem)


def read_text(data: bytes | str, file: str, stem: str | None = None) -> tuple[Problem, tuple[ExpectedAnswer, ...]]:
    """The same from the text of a file."""
    try:
        text = (data.decode("utf-8") if isinstance(data, bytes) else data).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise SpecErrors((SpecError(f"not a text file: byte {error.start} is not UTF-8", Place(file)),)) from None
    if not text.strip():
        raise SpecErrors((SpecError("the file is empty; `symgrad new NAME` writes a file to start from", Place(file, 1)),))
    if "\0" in text:
        raise SpecErrors((SpecError("not a text file: it holds a NUL character", Place(file, text.count("\n", 0, text.index("\0")) + 1)),))
    if re.search(r"[\[{]{100}|(?:[\[{]\s*){100}", text):
        raise SpecErrors((SpecError("brackets nested more than 100 deep", Place(file)),))
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise SpecErrors((SpecError(f"not TOML: {error}", Place(file, int(found[1]) if found else 0)),)) from None
    except (RecursionError, ValueError) as error:
        raise SpecErrors((SpecError(f"not TOML that can be read: {str(error)[:100] or 'nested too deeply'}", Place(file)),)) from None
    return _Reading(text, file, stem, table).problem()


class _Reading:
    """The work on one file: collects errors instead of stopping at the first."""

    def __init__(self, text: str, file: str, stem: str | None, table: dict[str, Any]) -> None:
        self.text, self.file, self.stem, self.table = text, file, stem, table
        self.lines = key_lines(text)
        self.errors: list[SpecError] = []
        self.unrolled: Unrolled | None = None
        self.written_out: Written | None = None
        self.lets: tuple[tuple[int, str], ...] | None = None  # definitions written out, with the lines they come from

    def place(self, *path: str | int) -> Place:
        return Place(self.file, line_of(self.lines, path) or 1)

    def add(self, error: SpecError | Unsupported, *path: str | int, line: int | None = None) -> None:
        message = error.message if isinstance(error, SpecError) else f"unsupported: {error}"
        place = Place(self.file, line) if line else self.place(*path)
        self.errors.append(type(error)(message, place) if isinstance(error, SpecError) else SpecError(message, place))
        if len(self.errors) >= 4 * MAX_ERRORS:
            self.stop_on_errors()  # enough to go on with; each costs a search for the name that was meant

    def attempt(self, work: Callable[[], Any], *path: str | int) -> Any:
        """What `work` returns, or None with its error noted."""
        try:
            return work()
        except (SpecError, Unsupported) as error:
            self.add(error, *path)
            return None

    def stop_on_errors(self) -> None:
        if self.errors:
            found = sorted(self.errors, key=lambda e: e.place.line if e.place else 0)
            more = [SpecError(f"and {len(found) - MAX_ERRORS} more errors", Place(self.file))] if len(found) > MAX_ERRORS else []
            raise SpecErrors((*found[:MAX_ERRORS], *more))

    def problem(self) -> tuple[Problem, tuple[ExpectedAnswer, ...]]:
        file = self.validated(self.table)
        if self.stem is not None and file.id != self.stem:
            self.add(SpecError(f"id is {file.id!r}, the file is called {self.stem}.toml; make them the same"), "id")
        if file.model is not None and file.network is not None:
            self.add(SpecError("one of [model] and [network] is needed, not both"), "model")
        if file.model is None and file.network is None and any(p.needs_model for p in file.part):
            self.add(SpecError("one of [model] and [network] is needed"), "part", next(i for i, p in enumerate(file.part) if p.needs_model))
        self.stop_on_errors()
        file = self.without_steps(file)
        symbols, model = dict(file.symbols), file.model
        if file.network is not None:
            expanded = self.attempt(lambda: expand(file.network), "network")  # type: ignore[arg-type]
            self.stop_on_errors()
            for name, symbol in expanded[0].items():
                symbols.setdefault(name, symbol)
            model = expanded[1]
        functions = self.functions(file)
        lets = [target(line) for _, line in statements(model.let)] if model is not None else []
        variables, images, stated = self.variables(symbols, functions, {*symbols, *lets}, file.conventions.symmetric)
        self.stop_on_errors()
        graph, scope = self.graph(variables, images, functions, model)
        for name in graph.names:
            if name.endswith("_bar") and name[:-4] in graph:
                place: KeyPath = ("symbols", name) if ("symbols", name) in self.lines else ("model", "let")
                self.add(SpecError(f"{name} is the name of the adjoint of {name[:-4]}; call it something else"), *place)
        if name := gradient_clash(graph):
            self.add(SpecError(f"{name}_grad is the name of the gradient in {name}; call it something else"), "symbols", name)
        self.stop_on_errors()
        if self.sequence() is not None and (stated or file.values):
            self.add(Unsupported("numbers for a problem with a symbolic number of steps"), "values")
        values = self.values(graph, {**stated, **file.values}, dict(file.sizes))
        parts = tuple(filter(None, (self.part(i, p, graph, scope, values) for i, p in enumerate(file.part))))
        labels = [p.label for p in file.part]
        for i, label in enumerate(labels):
            if label in labels[:i]:
                self.add(SpecError(f"two parts have the label {label}"), "part", i, "label")
        conventions = self.attempt(lambda: self.conventions(file.conventions), "conventions")
        for name in file.sizes:
            if name not in map(str, graph.dimensions):
                self.add(SpecError(f"sizes: there is no dimension {name}"
                                   f"{did_you_mean(name, [str(d) for d in graph.dimensions])}"), "sizes", name)
        expected = tuple(self.expected(key, value, labels) for key, value in file.expected.items())
        self.stop_on_errors()
        sizes = {**sizes_shown(graph, values), **file.sizes}
        problem = Problem(file.id, file.title, graph, parts, values, tuple(sizes.items()), conventions, file.statement.strip(),
                          file.source.strip(), file.digits, self.digest(), self.sequence())
        return problem, tuple(e for e in expected if e)

    def sequence(self) -> Sequence | None:
        """The sequence, if its length is a name."""
        steps = self.unrolled.steps if self.unrolled is not None else None
        return Sequence(steps.index, steps.total, tuple(sorted(steps.names))) if steps is not None and steps.total else None

    def digest(self) -> str:
        """Of the question alone: [expected] has no part in it."""
        question = {k: val for k, val in self.table.items() if k != "expected"}
        return hashlib.sha256(repr(sorted(question.items())).encode()).hexdigest()[:32]

    def without_steps(self, file: FileSpec) -> FileSpec:
        """The file with every step of its [sequence] written out."""
        if file.indices:
            file = self.without_indices(file)
        for name, symbol in file.symbols.items():
            each = symbol.each if isinstance(symbol, S.SymbolSpec) else False
            if each and file.sequence is None and not self.written_out:
                self.add(SpecError("each = true is one symbol for every step of a sequence; declare it: [sequence] length = 3, or [indices] i = 3"),
                         "symbols", name)
            elif isinstance(each, str) and file.sequence is not None and each.strip() != file.sequence.index:
                self.add(SpecError(f"each = {each!r}: the steps are counted by {file.sequence.index}; other indices are declared in [indices]"),
                         "symbols", name)
        if file.sequence is None:
            self.stop_on_errors()
            return file
        if file.model is None:
            self.add(SpecError("[sequence] goes with [model]"), "sequence")
            self.stop_on_errors()
        if isinstance(file.sequence.length, int) and not 1 <= file.sequence.length <= MAX_STEPS:
            self.add(SpecError(f"sequence.length: {file.sequence.length} is not between 1 and {MAX_STEPS}"), "sequence", "length")
            self.stop_on_errors()
        start = text_start(self.text, self.lines.get(("model", "let"), 1))
        lines = {k: start + number - 1 for k, (number, _) in enumerate(self.written_out.lets, 1)} if self.written_out else {}
        note, note_at = self.once()
        found = unroll(file.sequence, self.written_out.table if self.written_out else self.table, file.symbols,
                       lambda e, line: note(e, lines.get(line, line)), note_at, 1 if lines else start)
        self.unrolled = found
        self.stop_on_errors()
        self.lets = tuple((lines[number] - start + 1 if lines else number, text) for number, text in found.lets)
        self.moved(found.keys)
        return self.validated(found.table)

    def without_indices(self, file: FileSpec) -> FileSpec:
        """The file with all values written out of those [indices] that have numbers for lengths; another one becomes a [sequence]."""
        if file.model is None:
            self.add(SpecError("[indices] goes with [model]"), "indices")
            self.stop_on_errors()
        note, note_at = self.once()
        self.written_out = write_out(self.table, file.symbols, note, note_at, text_start(self.text, self.lines.get(("model", "let"), 1)))
        self.stop_on_errors()
        self.lets = self.written_out.lets
        self.moved(self.written_out.keys)
        return self.validated(self.written_out.table)

    def moved(self, keys: Mapping[KeyPath, KeyPath]) -> None:
        """New keys have the lines of the old ones."""
        self.lines.update({new: self.lines[old] for new, old in keys.items() if old in self.lines})

    def once(self) -> tuple[Note, NoteAt]:
        """What notes an error at a line, or at a key: not again for the next step or the next value of an index."""
        noted: set[tuple[str, int | None]] = set()

        def add(error: SpecError | Unsupported, *path: str | int, line: int | None = None) -> None:
            if (str(path), line) not in noted:
                noted.add((str(path), line))
                self.add(error, *path, line=line)

        return lambda error, line: add(error, line=line), lambda error, path: add(error, *path)

    def validated(self, table: dict[str, Any]) -> FileSpec:
        try:
            return FileSpec.model_validate(table)
        except ValidationError as error:
            seen = set()
            others: list[tuple[KeyPath, Any]] = []
            for e in error.errors(include_url=False):
                path = tuple(p for p in e["loc"] if not (isinstance(p, str) and _PYDANTIC.match(p)))
                known = _fields_at(path)
                word = str(path[-1]) if path else ""
                if e["type"] == "extra_forbidden":
                    message = f"unknown key {'.'.join(map(str, path))}{did_you_mean(word, known)}"
                elif e["type"] == "missing":
                    message = f"{'.'.join(map(str, path))} is missing"
                elif e["type"] in ("union_tag_invalid", "union_tag_not_found"):
                    given = e.get("ctx", {}).get("tag", "")
                    near = did_you_mean(str(given), ASKS)
                    message = f"ask = {given!r} is not a kind of question{near}; there are {', '.join(ASKS)}"
                    path = (*path, "ask")
                else:
                    others.append((path, e))
                    continue
                if (path, e["type"]) not in seen:
                    seen.add((path, e["type"]))
                    self.add(SpecError(message), *path)
            deeper = {path for path, _ in seen}
            for path, message in merged(others):
                if not any(p[: len(path)] == path for p in deeper):
                    self.add(SpecError(message), *path)
            self.stop_on_errors()
            raise  # not reached: there is at least one error

    def functions(self, file: FileSpec) -> dict[str, Function]:
        found = {}
        for name, declared in file.functions.items():
            spec = S.FunctionSpec(arguments=declared) if isinstance(declared, int) else declared
            self.attempt(lambda name=name: check_name(name), "functions", name)  # type: ignore[misc]
            if name in KNOWN or name in VECTOR_FUNCTIONS:
                self.add(SpecError(f"{name} is a known function and cannot be declared"), "functions", name)
            found[name] = unknown(name, spec.arguments, spec.returns == "scalar", spec.latex)
        return found

    def variables(self, symbols: dict[str, Any], functions: dict[str, Function], taken: set[str], convention: str) -> tuple[
            tuple[Variable, ...], tuple[Node, ...], dict[str, Any]]:
        """The variables, the definitions of structured ones, and the numbers that stand beside them."""
        found: list[Variable] = []
        images: list[Node] = []
        stated: dict[str, Any] = {}
        for name, declared in symbols.items():
            spec = as_symbol(declared)
            if name in KNOWN or name in VECTOR_FUNCTIONS or name in functions:
                self.add(SpecError(f"{name} is the name of a function and cannot be a symbol"), "symbols", name)
            self.attempt(lambda name=name: check_name(name), "symbols", name)  # type: ignore[misc]
            shape = self.attempt(lambda spec=spec: shape_of_symbol(spec), "symbols", name)  # type: ignore[misc]
            if shape is not None:
                plain = Variable(name, shape, spec.role, spec.latex)
                leaf = self.attempt(lambda x=plain, s=spec: declared_leaf(x, s.structure, convention, taken), "symbols", name)  # type: ignore[misc]
                found.append(leaf[0] if leaf else plain)
                images += [leaf[1]] if leaf and leaf[1] else []
            if spec.value is not None:
                stated[name] = spec.value
        names = {*(f.name for f in found), *(n.name for n in images)}
        for f in found:
            for size in (s for d in f.shape for s in d.free_symbols):
                if str(size) in names:
                    self.add(SpecError(f"{size} is the name of a symbol and of a dimension; rename one of them"), "symbols", f.name)
        return tuple(found), tuple(images), stated

    def graph(self, variables: tuple[Variable, ...], images: tuple[Node, ...], functions: dict[str, Function],
              model: S.ModelSpec | None) -> tuple[Graph, Scope]:
        dimensions = {str(s): s for f in variables for d in f.shape for s in d.free_symbols}
        hidden = {name for n in images for name in names_in(n.expr)}  # a problem speaks of S, never of the free matrix behind it
        leaves: tuple[Variable | Node, ...] = (*variables, *images)
        scope = Scope({f.name: f.symbol for f in leaves if f.name not in hidden}, dimensions, functions)
        if model is None:
            return Graph(variables, images, tuple(functions.values())), scope
        start = text_start(self.text, self.lines.get(("model", "let"), 1))

        def note(error: SpecError | Unsupported, line: int) -> None:
            twice = next((n.name for n in images if str(error).startswith(f"the name {n.name} is bound twice")), "")
            self.add(SpecError(f"{twice} has a structure, so it is a variable and has no line in the let-list") if twice else error, line=line)

        unrolled = self.unrolled
        lines: set[int] = set()

        def of_step(error: SpecError | Unsupported, line: int) -> None:
            if line not in lines:  # once for all steps
                lines.add(line)
                note(type(error)(self.plain(str(error.message if isinstance(error, SpecError) else error))), line)

        nodes, broken = definitions(model.let if self.lets is None else self.lets, scope, model.latex, note if self.lets is None else of_step, start)
        nodes = nodes if unrolled is None else bold(nodes, [n if k == 0 else f"{n}_{k}" for n in unrolled.made for k in range(4)])
        for name in model.latex:
            if name not in scope.symbols and name not in broken:
                self.add(SpecError(f"model.latex: there is no node {name}{did_you_mean(name, list(scope.symbols))}"), "model", "latex")
        if not nodes and not broken:
            self.add(SpecError("the let-list is empty"), "model", "let")
        if self.errors:
            return Graph((), ()), scope
        graph = self.attempt(lambda: Graph(variables, (*images, *nodes), tuple({**functions, **scope.applied}.values())), "model", "let")
        return graph or Graph((), ()), scope

    def plain(self, message: str) -> str:
        """An error message with h[2] for h_2, as the file has it."""
        for found in (self.unrolled and self.unrolled.steps, self.written_out and self.written_out.indices):
            message = found.plain(message) if found else message
        return message

    def values(self, graph: Graph, stated: dict[str, Any], sizes: dict[str, int]) -> tuple[Given, ...]:
        found = []
        for name, raw in stated.items():
            path: KeyPath = ("values", name) if ("values", name) in self.lines else ("symbols", name)
            if name not in graph:
                self.add(SpecError(f"values: there is no {name}{did_you_mean(name, list(graph.names))}"), *path)
                continue
            stated_number = self.attempt(lambda name=name, raw=raw: given(name, raw, graph, sizes), *path)  # type: ignore[misc]
            if stated_number:
                found.append(stated_number)
        return tuple(found)

    def conventions(self, spec: S.ConventionsSpec) -> Conventions:
        def value(n: S.Number | None) -> Rational | None:
            return None if n is None else exact(n)
        return Conventions(value(spec.relu_at_zero), value(spec.abs_at_zero), exact(spec.step_at_zero), spec.symmetric)

    def part(self, i: int, spec: S.PartSpec, graph: Graph, scope: Scope, values: tuple[Given, ...]) -> Part | None:
        known = len(self.errors)
        ask = READERS[type(spec)](spec, PartReading(graph, scope, lambda error, key: self.add(error, "part", i, key), values))
        if len(self.errors) > known:
            return None
        sequence = self.sequence()
        if sequence is not None:
            if not isinstance(ask, Backward):
                self.add(Unsupported(f'ask = "{ask.kind}" with a symbolic number of steps; there is ask = "backward", or a given length'),
                         "part", i, "ask")
                return None
            for key, names in (("of", (ask.of,)), ("wrt", ask.wrt)):
                if sequence.length in names:
                    self.add(SpecError(f"{key}: {sequence.length} is the number of steps, which has no derivative"), "part", i, key)
            same = (sequence.split(n) for n in ask.wrt)
            ask = replace(ask, wrt=tuple(dict.fromkeys(f"{at[0]}_2" if at else n for n, at in zip(ask.wrt, same, strict=True))))
        stated = spec.marks if isinstance(spec.marks, dict) else {} if spec.marks is None else {"": spec.marks}
        marks = self.attempt(lambda: tuple((k, exact(m)) for k, m in stated.items()), "part", i, "marks")
        return Part(spec.label, ask, spec.statement.strip(), marks or ())

    def expected(self, key: str, value: Any, labels: list[str]) -> ExpectedAnswer | None:
        if key in labels:
            return ExpectedAnswer(key, "", value, self.place("expected", key))
        part, _, label = key.rpartition(".")
        if part not in labels:
            self.add(SpecError(f"expected: {key!r} names no part; write \"part.name\" with a part of {', '.join(labels)}"), "expected", key)
            return None
        return ExpectedAnswer(part, label, value, self.place("expected", key))


_TABLES: dict[str, type[S.Spec]] = {
    "model": S.ModelSpec, "network": S.NetworkSpec, "sequence": S.SequenceSpec, "conventions": S.ConventionsSpec, "symbols": S.SymbolSpec,
    "values": S.RoundedSpec, "functions": S.FunctionSpec,
}


def _fields_at(path: tuple[Any, ...]) -> list[str]:
    if len(path) <= 1:
        return list(FileSpec.model_fields)
    table = _TABLES.get(str(path[0]))
    if path[0] == "part":
        return sorted({f for kind in READERS for f in kind.model_fields})
    return list(table.model_fields) if table else []



def given(name: str, raw: Any, graph: Graph, sizes: dict[str, int]) -> Given:
    """A stated number, vector or matrix; `sizes` of dimensions are noted as they are met.  Raises SpecError or ShapeError."""
    digits = None
    node = graph[name]
    image = node if isinstance(node, Node) and node.structure is not None else None
    is_node = isinstance(node, Node) and image is None
    if isinstance(raw, S.RoundedSpec):
        if not raw.rounded and is_node:
            raise SpecError(f"{name} is defined in the let-list; a stated value of a node is a rounded one: rounded = true")
        text = str(raw.value)
        digits = (raw.digits if raw.digits is not None else len(text.partition(".")[2])) if raw.rounded else None
        raw = raw.value
    elif is_node:
        raise SpecError(f"{name} is defined in the let-list; for a stated, rounded value write "
                        f"{name} = {{ value = {str(raw)[:20]}, rounded = true }}")
    rows = raw if isinstance(raw, list) else [raw]
    entries = tuple(tuple(exact(e) for e in (row if isinstance(row, list) else [row])) for row in rows)
    if any(len(row) != len(entries[0]) for row in entries):
        raise ShapeError(f"the rows of {name} differ in length")
    found = (len(entries), len(entries[0]))
    for size, count in zip(graph.shape(name), found, strict=True):
        if size.is_Symbol:
            sizes.setdefault(str(size), count)
        known = {s: sizes[str(s)] for s in size.free_symbols if str(s) in sizes}
        if set(known) != size.free_symbols:
            raise Unsupported(f"numbers for {name}, whose shape is {say_shape(graph.shape(name))}; say in [sizes] what {size} is made of")
        wanted = size_at(size, known)
        if wanted != count:
            raise ShapeError(f"{name} is {say_shape(graph.shape(name))}, found {found[0]} x {found[1]} numbers"
                             + ("" if size.is_Integer else f" where {size} = {wanted}"))
    stated = Given(name, entries, digits)
    return given_structured(stated, image, graph.free(name)) if image is not None else stated

"""From a graph to a callable: which nodes are needed, and the text that is run."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sympy import Expr, Symbol

import symgrad.numeric.cases  # noqa: F401  # registers the case of each class
import symgrad.numeric.operations as operations
from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.graph import Graph, Node
from symgrad.language.problem import Conventions
from symgrad.language.vectors import SCALAR
from symgrad.numeric.floats import float_namespace, float_text
from symgrad.numeric.grouped import Elsewhere, grouped, known_rows
from symgrad.numeric.kernels import namespace
from symgrad.numeric.signature import Signature
from symgrad.numeric.source import Writer
from symgrad.numeric.translator import Translator
from symgrad.numeric.values import Value, Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

Function = Callable[..., Any]
GROUPED = 200  # inputs above which one packed point is computed in vector code
FLOAT_ERRORS = (ZeroDivisionError, OverflowError, ValueError)


class CompiledFunction:
    """f(values) or f(**values): name -> number or array for the inputs, name -> float or float64 array for the outputs.

    A vector is given as (N,) or (N, 1) and comes back as (N,); a matrix, also one with a single row, is (M, N); with a batch
    axis in front where the input is batched or the output depends on one that is.  Where all variables are scalars, 1-D
    arrays of points, all of one length, may be given for any of them, with no declaration.  Arrays that come back may
    share memory with each other and with the inputs: copy before writing into them.  A division by zero, an overflow or a
    logarithm of a negative number gives inf or nan.
    Raises SpecError for missing or unknown names, ShapeError for sizes that disagree.
    """

    def __init__(self, graph: Graph, outputs: tuple[str, ...], inputs: tuple[str, ...] | None, batch: tuple[str, ...],
                 conventions: Conventions, functions: Mapping[str, Function], summed: tuple[str, ...], reuse: bool = False) -> None:
        self._reuse = reuse
        self._graph, self._conventions, self._functions, self._summed = graph, conventions, dict(functions), frozenset(summed)
        self.outputs = outputs
        self._nodes, leaves, used = _needed(graph, outputs, inputs)
        self._variables = leaves if inputs is None else inputs
        self.batch = batch
        self._points = not batch and all(graph.shape(n) == SCALAR for n in self._variables)
        self._others: dict[tuple[frozenset[str], bool], tuple[str, Function]] = {}
        self._signature: Signature | None = None
        self._given, self.packed_source = inputs, ""
        self._packed: Function | None = None
        text = float_text(graph, self._nodes, self._variables, outputs, used, conventions) if self._points else None
        if text is None:
            self.source, self._run, self._signature = self._build(frozenset(batch), lenient=False)
            self.inputs = self._signature.keys
        else:
            self.source, self._run, self.inputs = text, self._floats(text), self._variables

    def __repr__(self) -> str:
        return f"CompiledFunction({', '.join(self.inputs)} -> {', '.join(self.outputs)})"

    def __call__(self, values: Values | None = None, /, **named: Any) -> dict[str, Any]:
        if values is None:
            values = named
        elif named:
            values = {**values, **named}
        try:
            found = self._run(values)
            return self._scalars(values) if found is None else found
        except FLOAT_ERRORS:
            return self._lenient(values)
        except KeyError:
            missing = [n for n in self.inputs if n not in values]
            if not missing:
                raise
            raise SpecError(f"no value for {', '.join(missing)}; needed are {', '.join(self.inputs)}") from None

    def packed(self, values: NDArray[Any]) -> NDArray[Any]:
        """One point of a graph of scalars as an array: the inputs in the order of `inputs`, the outputs in that of `outputs`.

        Above `GROUPED` inputs in vector code (`grouped`), which keeps its arrays: two threads must not share the function.
        Raises ShapeError for another number of inputs, Unsupported unless all variables are scalars.
        """
        import numpy as np

        if self._packed is None:
            self._packed = self._pack()
        if np.shape(values) != (len(self.inputs),):
            raise ShapeError(f"packed values of shape {np.shape(values)}, expected ({len(self.inputs)},): {', '.join(self.inputs[:8])}, ...")
        return self._packed(values)

    def _pack(self) -> Function:
        import numpy as np

        if not self._points or self.inputs != self._variables:
            raise Unsupported("packed values where some variable is no scalar; give them by name")

        def one_by_one(values: NDArray[Any]) -> NDArray[Any]:
            found = self(dict(zip(self.inputs, np.asarray(values, np.float64).tolist(), strict=True)))
            return np.array([found[name] for name in self.outputs], np.float64)

        if len(self.inputs) <= GROUPED or not known_rows(self._graph):
            return one_by_one
        nodes, _, used = _needed(self._graph, self.outputs, self._given)
        try:
            text, run = grouped(self._graph, nodes, self._variables, self.outputs, used, self._conventions)
        except Elsewhere:
            return one_by_one
        if text.count("\n") * 4 > len(nodes):  # a call of NumPy costs as much as a few definitions as floats
            return one_by_one
        self.packed_source = text
        return run

    def _check_names(self, values: Values) -> None:
        for name in values:
            if name not in self._graph and name not in self.inputs and name not in map(str, self._graph.dimensions):
                near = difflib.get_close_matches(str(name), self._graph.names, 1, 0.6)
                raise SpecError(f"there is no {name} in the graph" + (f"; did you mean {near[0]}?" if near else ""))

    def _arrays(self, values: Values) -> frozenset[str]:
        """The scalar inputs that are given as arrays of points."""
        import numpy as np

        return frozenset(name for name in self._variables if not isinstance(values[name], float) and np.ndim(values[name]) == 1)

    def _scalars(self, values: Values) -> dict[str, Any]:
        """Scalars that are not all floats: arrays of points of one length, or numbers of another kind."""
        if len(values) != len(self.inputs):
            self._check_names(values)
        arrays = self._arrays(values)
        if arrays:
            return self._variant(arrays, False)(values)
        if self._signature is None:
            self._signature = Signature(self._graph, self._variables, frozenset(), (), ())
        return self._run(dict(zip(self.inputs, self._signature.repair(values), strict=True)))

    def _floats(self, text: str) -> Function:
        """The function of a text of `floats`."""
        get = itemgetter(*self._variables)
        names = float_namespace()
        names |= {"get": get if len(self._variables) > 1 else lambda d: (get(d),), "outputs": self.outputs}
        exec(compile(text, "<symgrad.numeric>", "exec"), names)  # noqa: S102  # text made by `floats`, every name in it made there
        return names.pop("f")  # f holds `names`: were it held by them too, only the garbage collector would free a text

    def _variant(self, batch: frozenset[str], lenient: bool) -> Function:
        if (batch, lenient) not in self._others:
            source, run, _ = self._build(batch, lenient)
            self._others[batch, lenient] = (source, run)
        return self._others[batch, lenient][1]

    def batch_source(self, *batch: str) -> str:
        """The text that is run where these scalar inputs are arrays of points."""
        self._variant(frozenset(batch), False)
        return self._others[frozenset(batch), False][0]

    def _lenient(self, values: Values) -> dict[str, Any]:
        """The same with floating-point exceptions as inf and nan."""
        import numpy as np

        batch = self._arrays(values) if self._points else frozenset(self.batch)
        try:
            with np.errstate(all="ignore"):
                results = self._variant(batch, True)(values)
        except np.linalg.LinAlgError as error:
            raise SpecError(f"at these values a matrix has no inverse or determinant: {error}") from None
        return {name: float(r) if isinstance(r, np.float64 | int) else r for name, r in results.items()}

    # ---- text ----------------------------------------------------------------------------------------------------------

    def _build(self, batch: frozenset[str], lenient: bool) -> tuple[str, Function, Signature]:
        graph = self._graph
        keys = {key: i for i, key in enumerate(self._functions)}
        t = Translator(graph, self._conventions, keys)
        shapes = tuple(graph.shape(name) for name in self._variables)
        for i, (name, shape) in enumerate(zip(self._variables, shapes, strict=True)):
            t.variable(name, shape, name in batch, i)
        depends = set(batch)
        for node in self._nodes:
            try:
                value = t.env[node.name] = t(node.expr)
            except RecursionError:
                raise Unsupported(f"the definition of {node.name} is nested too deeply; name parts of it") from None
            t.program.roots.add(value)
            if batch and not depends.isdisjoint(graph.arguments(node.name)):
                depends.add(node.name)
        results = [self._result(t, name, name in depends) for name in self.outputs]
        seen = {d for shape in shapes for d in shape}
        within = (s for d in seen if not d.is_Symbol for s in sorted(d.free_symbols, key=str))  # N of a shape N - K + 1
        unseen = tuple(d for d in (*t.sizes, *(d for r in results for d in r.dims), *within) if isinstance(d, Symbol) and d not in seen)
        signature = Signature(graph, self._variables, batch, tuple(dict.fromkeys(unseen)), tuple(t.at_least))
        floats = self._points and not batch and not signature.dimensions and not lenient
        count = len(signature.keys)
        writer = Writer(t.program, results, count, signature.sizes(), lenient, self._reuse and count > 0 and not lenient)
        writer.write()
        if lenient:
            writer.body[:0] = [f"v{i} = float64(v{i})" for i, wanted in enumerate(signature.wanted) if not wanted]
        shown = ", ".join(f"o{i}: {_shown(r)}" for i, r in enumerate(results))
        lines = [*signature.head("return scalars(d)" if floats else "", writer.buffers), *writer.body, f"return {{{shown}}}"]
        constants = [f"{name} = array({value!r})" for name, value in writer.constants.items()]
        source = "\n".join([*constants, "def f(d):", *(f"    {line}" for line in lines), ""])
        names = {**namespace(), "operate": operations.operate, "repair": signature.repair, "known": signature.known, "scalars": self._scalars,
                 "check_names": self._check_names, "work": {}}
        names.update((f"i{i}", key) for i, key in enumerate(signature.keys))
        names.update((f"o{i}", name) for i, name in enumerate(self.outputs))
        for key, i in keys.items():
            names[f"u{i}"], names[f"k{i}"] = self._functions[key], key
        exec(compile(source, "<symgrad.numeric>", "exec"), names)  # noqa: S102  # text made by Writer, every name in it made there
        return source, names["f"], signature  # type: ignore[return-value]

    def _result(self, t: Translator, name: str, on_batch: bool) -> Value:
        p = t.program
        value = t.shown(_definition(self._graph, name), t.env[name])
        if name in self._summed and on_batch:
            return batch_sum(t, value)
        if on_batch and not value.batched:
            value = p.make("repeat", (value, p.make("batch_size")), value.axes, value.dims, True)
        return value


def _shown(value: Value) -> str:
    """The text of a result; a row is (1, N)."""
    if value.axes == ("c",):
        return f"{value.text}[:, None]" if value.batched else f"{value.text}[None]"
    return f"float({value.text})" if value.op in ("size", "batch_size") else value.text


def _definition(graph: Graph, name: str) -> Expr:
    found = graph[name]
    return found.expr if isinstance(found, Node) else found.symbol


def batch_sum(t: Translator, v: Value) -> Value:
    """The sum over the batch; of outer products a_b c_b^T it is one matrix product A^T C, of inner products one inner product."""
    p = t.program
    if not v.batched:
        return p.mul([p.make("batch_size"), v])
    match v.op, v.args, v.axes:
        case "inner", (a, b), () if a.batched and b.batched:
            return p.make("inner_batch", v.args)
        case "mul", (factor, a), () if not factor.is_array and a.op == "inner":
            return p.mul([factor, batch_sum(t, a)])
        case ("add" | "sub"), (a, b), ("r", "c") if a.axes == b.axes:
            return p.entrywise(v.op, batch_sum(t, a), batch_sum(t, b))
        case "neg", (a,), ("r", "c"):
            return p.neg(batch_sum(t, a))
        case "mul", (Value(op="view", batched=True) as x, Value(op="view", batched=True) as y), ("r", "c"):
            a, b = x.args[0], y.args[0]
            if (a.axes, b.axes) == (("c",), ("r",)):
                a, b = b, a
            if (a.axes, b.axes) == (("r",), ("c",)):
                return p.make("outer_batch", (a, b), v.axes, v.dims)
    return p.make("sum_batch", (v,), v.axes, v.dims)


def _needed(graph: Graph, outputs: tuple[str, ...], inputs: tuple[str, ...] | None) -> tuple[list[Node], tuple[str, ...], set[str]]:
    """The nodes on which the outputs depend, in order, the variables that they use, and all names that a node uses."""
    given = frozenset(inputs or ())
    for name in (*outputs, *given):
        graph[name]  # raises SpecError with the names there are
    used: set[str] = set()
    nodes: list[Node] = []
    asked = set(outputs)
    for node in reversed(graph.nodes):
        name = node.name
        if (name in used or name in asked) and name not in given:
            nodes.append(node)
            used.update(graph.arguments(name))
    variables = tuple([v.name for v in graph.variables if v.name in used or v.name in asked])
    if inputs is not None:
        missing = [name for name in variables if name not in given]
        if missing:
            raise SpecError(f"{', '.join(outputs)} also depend on {', '.join(missing)}, not among the inputs {', '.join(inputs)}")
    return nodes[::-1], variables, used


def compile_graph(graph: Graph, outputs: tuple[str, ...], *, inputs: tuple[str, ...] | None = None, batch: tuple[str, ...] = (),
                  conventions: Conventions | None = None, functions: Mapping[str, Function] | None = None,
                  summed: tuple[str, ...] = (), reuse: bool = False) -> CompiledFunction:
    """The graph as a callable: one statement for each definition that `outputs` need, nothing expanded.

    `inputs` are the names whose values the caller gives, variables or nodes (whose definitions are then not used); without
    it, the variables that the outputs need, followed by the dimensions that no input's shape shows.
    `batch` names inputs with a batch axis in front, x (B, N); what depends on them gets one too, z = x @ W.T + b, and the
    adjoint of a parameter comes out once for each sample, (B, K, N).  Outputs in `summed` are summed over the batch instead.
    `functions` gives the unknown functions: {"g": ..., "g'": ..., "loss[1, 0]": ...}, floats or arrays in, the same out.
    With `reuse` the arrays are kept from call to call, which saves most of the time at small sizes: what a call returns is
    overwritten by the next one of the same sizes, and two threads must not share the function.
    Where `conventions` leave a choice open, relu'(0) = 0, max at a tie takes its second argument's slope, abs'(0) = 0, and
    leaky_relu'(0) = slope + (1 - slope) relu'(0).

    Raises SpecError for a name not in the graph or an unknown function without a value, Unsupported for a class of
    expression without numeric code.
    """
    outputs, batch, summed = tuple(outputs), tuple(batch), tuple(summed)
    if not outputs:
        raise SpecError("compile_graph: name at least one output")
    given = None if inputs is None else tuple(inputs)
    return CompiledFunction(graph, outputs, given, batch, conventions or Conventions(), functions or {}, summed, reuse)


__all__ = ["CompiledFunction", "compile_graph"]

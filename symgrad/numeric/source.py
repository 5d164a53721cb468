"""Python text from a numeric program.

Floats become expressions of `math`; arrays become NumPy calls that write into arrays no longer needed.  Every name in the
text is made here (v0, c0, n0, u0): no name of the caller's reaches it.  In the *lenient* text the floats are NumPy's, so
that a division by zero or an overflow gives inf or nan as IEEE 754 says, where Python raises.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from symgrad.numeric.values import BATCH, Program, Value

VIEWS = frozenset({"view", "relabel", "T", "slice", "diagonal"})
LEAVES = frozenset({"input", "const", "size", "batch_size"})
UNFORMED = frozenset({"diag", "inverse"})
OPAQUE = frozenset({"supplied", "supplied_whole"})
PRODUCTS = frozenset({"contract", "outer_batch"})  # where they are written with `dot`, it takes the array to write into
ATOMIC = frozenset({"max", "min", "sign", "heaviside"})  # their float text repeats an argument
ATOM, UNARY, PRODUCT, SUM, CHOICE = range(5)  # how tightly a text binds
MAX_DEPTH = 12
LARGEST_EXPONENT = 709.0  # of exp in float64
STREAMED = 1 << 17  # entries of an outer product from which `einsum`, which only writes, beats `dot`: twice as fast at 1024 x 1024

BINARY = {"add": (" + ", SUM, PRODUCT), "sub": (" - ", SUM, PRODUCT), "mul": (" * ", PRODUCT, ATOM), "div": (" / ", PRODUCT, ATOM)}
FLOAT = {"exp": "m_exp({})", "log": "m_log({})", "log1p": "m_log1p({})", "tanh": "m_tanh({})", "sqrt": "m_sqrt({})", "abs": "m_abs({})",
         "sin": "m_sin({})", "cos": "m_cos({})", "normcdf": "normcdf({})",
         "pow": "m_pow({}, {})"}
CHOICES = {"max": "{1} if {0} <= {1} else {0}", "min": "{1} if {0} >= {1} else {0}",
           "sign": "1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else 0.0"}
UFUNC = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative", "recip": "reciprocal", "exp": "exp",
         "log": "log", "log1p": "log1p", "tanh": "tanh", "sqrt": "sqrt", "abs": "abs", "sign": "sign", "max": "maximum",
         "min": "minimum", "pow": "power", "clip": "minimum",
         "sin": "sin", "cos": "cos", "normcdf": "normcdf"}
OUT_BY_NAME = frozenset({"maximum", "minimum"})  # NumPy deprecates a third positional argument there


class Writer:
    """Writes the statements for the values that the results need, in order."""

    def __init__(self, program: Program, results: Sequence[Value], inputs: int, sizes: dict[Expr, str], lenient: bool, reuse: bool = False) -> None:
        self.program, self.results, self.sizes, self.lenient, self.reuse = program, results, sizes, lenient, reuse
        self.buffers: list[str] = []  # the texts of what is kept from call to call, b0, b1, ...: arrays, then views of them and choices
        self._buffer_of: dict[str, str] = {}  # names of arrays that are kept
        self.body: list[str] = []
        self.constants: dict[str, float] = {}
        self._count = inputs
        self._names: dict[float, str] = {}
        self._free: dict[tuple[tuple[Expr, ...], bool], list[str]] = {}
        self._forced: set[Value] = set(program.roots)
        self._kept: set[Value] = set()  # arrays that are results or that a function of the caller's has seen

    def write(self) -> None:
        """Fills `body`."""
        needed = self._reachable()
        for i, v in enumerate(needed):
            if not (v.op in VIEWS and v.is_array):
                for a in v.args:
                    if a.is_array:
                        base(a).last = i
        dying: dict[int, list[Value]] = {}
        for v in needed:
            if v.last >= 0 and v.is_array and v.op not in LEAVES and v.op not in VIEWS and v not in self._kept:
                dying.setdefault(v.last, []).append(v)
        for i, v in enumerate(needed):
            if v.op in LEAVES or (v.op in VIEWS and v.is_array):
                self._leaf(v)
            elif v.is_array:
                self._array(v, i)
            else:
                self._float(v)
            for dead in dying.get(i, ()):
                if dead.name:
                    self._free.setdefault((dead.dims, dead.batched), []).append(dead.name)

    def _reachable(self) -> list[Value]:
        for v in self.results:
            v.uses += 2
            self._kept.add(base(v))
            self._forced.add(v)
        needed = []
        for v in reversed(self.program.values):
            if v.uses:
                needed.append(v)
                for a in v.args:
                    a.uses += 1
                if v.op in ATOMIC:
                    self._forced.update(v.args)
                if v.op in OPAQUE:
                    self._kept.update(base(a) for a in (v, *v.args))
        return needed[::-1]

    # ---- names and texts -------------------------------------------------------------------------------------------

    def _new(self) -> str:
        name = f"v{self._count}"
        self._count += 1
        return name

    def _constant(self, number: float) -> str:
        name = self._names.get(number)
        if name is None:
            name = self._names[number] = f"c{len(self._names)}"
            self.constants[name] = number
        return name

    def _leaf(self, v: Value) -> None:
        match v.op:
            case "input":
                v.text = v.name = f"v{v.param}"
            case "const":
                number: float = v.param  # type: ignore[assignment]
                v.text = f"float64({number!r})" if self.lenient else repr(number)
                v.prec = UNARY if number < 0 else ATOM
            case "size":
                size: Expr = v.param
                v.text = self._size(size)
            case "batch_size":
                v.text = self.sizes[BATCH]
            case "relabel":
                v.text = v.args[0].text
            case "T":
                v.text = f"{v.args[0].text}.swapaxes(1, 2)" if v.batched else f"{v.args[0].text}.T"
            case "diagonal":
                v.text = f"diagonal_view({v.args[0].text})"
            case "slice":
                v.text = f"{v.args[0].text}[{self._index(v)}]"
            case _:
                v.text = f"{v.args[0].text}{v.param}"

    def _size(self, size: Expr) -> str:
        """A size as a whole number: of a name, or a sum or product of such."""
        if size.is_Integer or size in self.sizes:
            return str(int(size)) if size.is_Integer else self.sizes[size]
        if size.is_Pow:
            return f"({' * '.join([self._size(size.base)] * int(size.exp))})"
        return f"({(' + ' if size.is_Add else ' * ').join(map(self._size, size.args))})"

    def _index(self, v: Value) -> str:
        index = str(v.param).format(*(a.text for a in v.args[1:]))
        return f":, {index}" if v.args[0].batched else index

    def _float(self, v: Value) -> None:
        reads_arrays = v.op in OPAQUE
        depth = 0
        for a in v.args:
            reads_arrays = reads_arrays or a.is_array
            depth = max(depth, a.depth)
        if reads_arrays:
            text = self._call(v)
            v.text = text if self.lenient or v.op in OPAQUE or v.op == "slice" else f"float({text})"
        else:
            v.depth = depth + 1
            v.text, v.prec = self._float_text(v)
        if reads_arrays or v.uses > 1 or depth >= MAX_DEPTH or v in self._forced:
            v.name = self._new()
            self.body.append(f"{v.name} = {v.text}")
            v.text, v.prec, v.depth = v.name, ATOM, 0

    def _float_text(self, v: Value) -> tuple[str, int]:
        op, args = v.op, v.args
        if op in BINARY:
            between, prec, right = BINARY[op]
            a, b = args
            left = f"({a.text})" if a.prec > prec else a.text
            return f"{left}{between}({b.text})" if b.prec > right else f"{left}{between}{b.text}", prec
        if op == "neg":
            return f"-{bind(args[0], ATOM)}", UNARY
        if op == "recip":
            return f"1.0 / {bind(args[0], ATOM)}", PRODUCT
        texts = [a.text for a in args]
        if self.lenient:
            return (f"heaviside({texts[0]}, {v.param!r})" if op == "heaviside" else f"{UFUNC[op]}({', '.join(texts)})"), ATOM
        if op == "heaviside":
            return f"1.0 if {texts[0]} > 0.0 else 0.0 if {texts[0]} < 0.0 else {v.param!r}", CHOICE
        if op in CHOICES:
            return CHOICES[op].format(*(bind(a, UNARY) for a in args)), CHOICE
        return FLOAT[op].format(*texts), ATOM

    # ---- arrays ------------------------------------------------------------------------------------------------------

    def _array(self, v: Value, i: int) -> None:
        name = UFUNC.get(v.op)
        if name is None:
            if v.op == "outer":
                text, target = self._outer(v, i)
            else:
                text, target = self._call(v), ""
                if self.reuse and v.op in PRODUCTS and ".dot(" in text:
                    target = self._target(v, i) or self._buffer(v)
                    text = f"{text[:-1]}, {target})"
            v.name = v.text = self._new()
            if target:
                self._buffer_of[v.name] = self._buffer_of.get(target, target)
            self.body.append(f"{v.name} = {text}")
            return
        texts = [self._constant(a.param) if a.op == "const" else a.text for a in v.args]  # type: ignore[arg-type]
        if v.op == "clip":
            texts.append(self._constant(LARGEST_EXPONENT))
        target = self._target(v, i) or (self._buffer(v) if self.reuse else "")
        if target:
            v.name = v.text = target
            self.body.append(f"{name}({', '.join(texts)}, {'out=' * (name in OUT_BY_NAME)}{target})")
        else:
            v.name = v.text = self._new()
            self.body.append(f"{v.name} = {name}({', '.join(texts)})")

    def _target(self, v: Value, i: int) -> str:
        """An array of this size whose contents are not needed any more, best of all an argument."""
        for a in v.args:
            a = base(a) if a.op == "relabel" else a
            own = a.op not in LEAVES and a.op not in VIEWS and a not in self._kept
            if own and a.is_array and a.last == i and a.name and a.dims == v.dims and a.batched == v.batched:
                name, a.name = a.name, ""  # it is not free when it dies
                return name
        free = self._free.get((v.dims, v.batched))
        return free.pop() if free else ""

    def _buffer(self, v: Value) -> str:
        """A new array that is kept from call to call."""
        sizes = [*([self.sizes[BATCH]] if v.batched else []), *(str(d) if d.is_Integer else self.sizes[d] for d in v.dims)]
        name = self._keep(f"empty(({', '.join(sizes)},))")
        self._buffer_of[name] = name
        return name

    def _keep(self, text: str) -> str:
        """The name under which the value of that text is kept from call to call."""
        if text not in self.buffers or text.startswith("empty("):
            self.buffers.append(text)
            return f"b{len(self.buffers) - 1}"
        return f"b{self.buffers.index(text)}"

    def _outer(self, v: Value, i: int) -> tuple[str, str]:
        """a b^T, by `dot` where it is small and by `einsum` where it is large; with the kept array that it is written into."""
        a, b = v.args
        rows, columns = (self._keep(f"{self._buffer_of[x.text]}{index}") if x.text in self._buffer_of else f"{x.text}{index}"
                         for x, index in ((a, "[:, None]"), (b, "[None]")))
        target = (self._target(v, i) or self._buffer(v)) if self.reuse else ""
        small = f"{rows}.dot({columns}{target and ', '}{target})"
        large = f"einsum('i,j->ij', {a.text}, {b.text}{target and ', out='}{target})"
        if all(d.is_Integer for d in v.dims):
            return (small if v.dims[0] * v.dims[1] < STREAMED else large), target
        is_small = f"{' * '.join(map(self._size, v.dims))} < {STREAMED}"
        return f"{small} if {self._keep(is_small) if self.reuse else is_small} else {large}", target

    def _call(self, v: Value) -> str:
        """The text of an operation that makes a new array, or a float from arrays; a.dot(b) costs less than dot(a, b)."""
        args = v.args
        texts = [a.text for a in args]
        match v.op:
            case "contract":
                return self._contract(*args)
            case "inner":
                return self._inner(*args)
            case "sum":
                positions: tuple[int, ...] = v.param  # type: ignore[assignment]
                if len(positions) == args[0].rank:
                    return f"reduce_add({texts[0]})" if len(positions) == 1 else f"reduce_add({texts[0]}, None)"
                return f"reduce_add({texts[0]}, {positions[0] if len(positions) == 1 else positions})"
            case "sum_batch":
                return f"reduce_add({texts[0]}, 0)"
            case "inner_batch":
                return f"vdot({texts[0]}, {texts[1]})"
            case "outer_batch":
                return f"{texts[0]}.T.dot({texts[1]})"
            case "slice":
                return f"{texts[0]}[{self._index(v)}]" if self.lenient else f"{texts[0]}.item({self._index(v)})"
            case "solve":
                b = args[1]
                if len(b.axes) == 1 and (args[0].batched or b.batched):
                    return f"solve_vectors({texts[0]}, {texts[1]})"
                return f"solve({texts[0]}, {texts[1]})"
            case "spread":
                return f"spread({texts[0]}, ({', '.join(texts[1:])},), {v.batched})"
            case "repeat":
                return f"repeat({texts[0]}, {texts[1]})"
            case "diagonal_matrix":
                return f"diagonal_matrix({texts[0]}, {texts[1]}, {args[0].batched})"
            case "add_diagonal":
                return f"add_diagonal({texts[0]}, {texts[1]}, {args[1].batched})"
            case "heaviside":
                return f"heaviside({texts[0]}, {v.param!r})"
            case "logsumexp":
                return f"logsumexp({texts[0]}, {v.param})"
            case "unit":
                return f"1.0 * (arange(1.0, {texts[0]} + 1.0) == {v.param}.0)"
            case "counter":
                return f"arange(1.0, {texts[0]} + 1.0)"
            case "supplied":
                return f"supplied(k{v.param}, u{v.param}, {', '.join(texts)})"
            case "supplied_whole":
                number, dims = v.param  # type: ignore[misc]
                sizes, values = texts[:len(dims)], texts[len(dims):]  # type: ignore[has-type]
                flags = tuple(a.batched for a in args[len(dims):])  # type: ignore[has-type]
                shape = f"({', '.join(sizes)}{',' if sizes else ''})"
                return f"supplied_whole(k{number}, u{number}, ({', '.join(values)},), {flags}, {shape})"  # type: ignore[has-type]
            case "kernel":
                word, kinds, out = v.param  # type: ignore[misc]
                return f"operate({word!r}, {kinds!r}, {out!r}, {', '.join(texts)})"  # type: ignore[has-type]
            case "softmax" | "inv" | "det" | "logdet":
                return f"{v.op}({texts[0]})"
        raise AssertionError(v.op)  # a new operation without a text: programmer's error

    def _contract(self, a: Value, b: Value) -> str:
        x, y = a.text, b.text
        many_a, many_b = a.batched, b.batched
        if not many_a and not many_b:
            if a.op == "T" and len(b.axes) == 1:  # A^T v as v A: no view is made
                return f"{y}.dot({a.args[0].text})"
            if b.op == "T" and len(a.axes) == 1:
                return f"{b.args[0].text}.dot({x})"
            return f"{x}.dot({y})"
        match len(a.axes), len(b.axes):
            case 1, 1:
                return f"einsum('bi,bi->b', {x}, {y})" if many_a and many_b else f"{x}.dot({y})" if many_a else f"{y}.dot({x})"
            case 2, 1 if not many_a:
                return f"{y}.dot({a.args[0].text if a.op == 'T' else x + '.T'})"
            case 2, 1:
                return f"({x} @ {y}[:, :, None])[:, :, 0]" if many_b else f"{x} @ {y}"
            case 1, 2:
                return f"({x}[:, None, :] @ {y})[:, 0, :]" if many_a and many_b else f"{x} @ {y}" if many_b else f"{x}.dot({y})"
        return f"{x} @ {y}"

    def _inner(self, a: Value, b: Value) -> str:
        x, y = a.text, b.text
        if len(a.axes) == 1:
            return self._contract(a, b)
        if not (a.batched or b.batched):
            return f"einsum('ij,ij->', {x}, {y})" if "T" in (a.op, b.op) else f"vdot({x}, {y})"
        return f"einsum('{'b' * a.batched}ij,{'b' * b.batched}ij->b', {x}, {y})"


def base(v: Value) -> Value:
    """The array that a view looks at."""
    while v.op in VIEWS and v.is_array:
        v = v.args[0]
    return v


def bind(v: Value, most: int) -> str:
    """The text of a float, in parentheses if it binds less tightly than `most`."""
    return f"({v.text})" if v.prec > most else v.text


__all__ = ["Writer"]

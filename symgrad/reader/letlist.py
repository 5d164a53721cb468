"""The let-list: one definition a line, read through Python's `ast` with a list of allowed nodes and never evaluated.

    z = W1 @ x + b1
    h = sigmoid(z)
    S = 1/2 * norm(y - s)^2

Numbers are exact (0.1 is 1/10), indices count from 1, `^` is a power.  Sizes, exponents and depth are bounded, for
the text may come from a stranger.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import reduce

from sympy import Expr, Integer, Rational, Symbol

from symgrad.language import vectors as v
from symgrad.language.bounds import within_degree
from symgrad.language.derivatives import derivative
from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.functions import KNOWN, MORE_VECTOR_FUNCTIONS, VECTOR_FUNCTIONS, Call, Fn, Function, call, unknown
from symgrad.reader.vectors import OF_VECTORS, PRIMITIVES, WITH_AXIS, Span, largest, part

MAX_LINE, MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT, MAX_BITS, MAX_NAME, MAX_COMPARED = 20_000, 60, 60, 64, 2048, 40, 400
RESERVED = frozenset({"True", "False", "None", "and", "or", "not", "if", "else", "for", "in", "is", "lambda", "def", "class",
                      "import", "from", "as", "with", "while", "return", "yield", "del", "pass", "try", "global", "assert"})
CALLED_OTHERWISE = {"ln": "log", "tr": "trace", "swish": "silu", "fro": "norm", "frobenius": "norm", "log_softmax": "logsoftmax",
                    "log_sigmoid": "logsigmoid", "logistic": "sigmoid", "expit": "sigmoid", "heaviside": "step", "diagonal": "diag",
                    "identity": "eye", "inverse": "inv", "maximum": "max", "minimum": "min", "average": "mean"}
"""Names that functions here have elsewhere."""
WITHOUT_RULE = frozenset((
    "asin", "acos", "atan", "arcsin", "arccos", "arctan", "arctan2", "atan2", "asinh", "acosh", "atanh", "erfc",
    "elu", "selu", "lgamma", "gammaln", "digamma", "expm", "logm", "sqrtm", "pinv", "svd", "eig", "eigh", "eigvals", "cholesky", "qr",
    "nuclear", "prod", "cumprod", "logcumsumexp", "where", "clip", "clamp", "sort", "argsort", "median", "floor", "ceil", "round", "mod",
    "hardtanh", "relu6", "cross", "einsum", "tensordot", "rank", "adjugate", "argmin", "topk", "cov", "avgpool"))
"""Known functions that have no rule here: refused by name, and not taken for unknown functions of the problem."""
_NAME = re.compile(r"[A-Za-z\u0391-\u03c9][A-Za-z0-9_\u0391-\u03c9]*\Z")

PRIME = "\u02b9"
"""A letter to Python, as a name may hold it; no name of a problem does (`_NAME`)."""
PRIMED = re.compile(r"(?<![\w'])([A-Za-z\u0391-\u03c9]\w*)('{1,3})(?=\s*\()")
"""The derivative of a function of one number, g'(z), up to the third."""


@dataclass
class Scope:
    """What names mean while one text is read: variables and nodes, dimensions, functions (filled as they are applied)."""

    symbols: dict[str, Expr]
    dimensions: Mapping[str, Symbol]
    declared: Mapping[str, Function] = field(default_factory=dict)
    applied: dict[str, Function] = field(default_factory=dict)
    derivatives: bool = False  # diff(f, x) and grad(f, v) may be written

    def lookup(self, name: str) -> Expr:
        """The symbol of a name.  Raises SpecError with the nearest name there is."""
        if name in self.symbols:
            return self.symbols[name]
        if name in self.dimensions:
            return self.dimensions[name]
        raise SpecError(f"unknown name {name}{did_you_mean(name, (*self.symbols, *self.dimensions))}")

    def function(self, name: str, arity: int) -> Function:
        """The row of a function: known, declared, or unknown by that name.  Raises SpecError for a likely slip of the pen."""
        row = self.applied.get(name) or self.declared.get(name) or KNOWN.get(name)
        if row is None:
            if name in self.symbols:
                raise SpecError(f"{name} is a variable, it cannot be applied; write {name} * (...) for a product")
            if name in CALLED_OTHERWISE:
                raise SpecError(f"unknown function {name}; did you mean {CALLED_OTHERWISE[name]}?")
            if name in WITHOUT_RULE:
                raise Unsupported(f"{name}: there is no rule for it yet.  (To keep it as an unknown function with the slope {name}', "
                                  f"declare it: [functions] {name} = {arity})")
            near = difflib.get_close_matches(name, (*KNOWN, *VECTOR_FUNCTIONS, *MORE_VECTOR_FUNCTIONS), 1, 0.75)
            if near:
                raise SpecError(f"unknown function {name}; did you mean {near[0]}?  (To use an unknown function of that name, "
                                f"declare it: [functions] {name} = {arity})")
            check_name(name)
            row = unknown(name, arity)
        self.applied[name] = row
        return row


def did_you_mean(name: str, names: tuple[str, ...] | list[str]) -> str:
    """'; did you mean W1?' or ''."""
    near = difflib.get_close_matches(name[:MAX_NAME], names[:MAX_COMPARED], 1, 0.6)
    return f"; did you mean {near[0]}?" if near else (f"; the names here are {', '.join(sorted(names)[:12])}" if names else "")


def check_name(name: str) -> None:
    """Raises SpecError unless `name` can be the name of a variable, node, dimension or function."""
    if name in RESERVED:
        raise SpecError(f"{name} is a reserved word and cannot be a name; use another, with latex = '...' for how it is printed")
    if len(name) > MAX_NAME or not _NAME.match(name) or "__" in name:
        raise SpecError(f"{name[:MAX_NAME]!r} is not a name; names are a letter, then letters, digits and single underscores")


def number(text: str) -> Rational:
    """An exact number from its decimal text: 0.1 is 1/10.  Raises SpecError if it is too long."""
    digits = text.replace("_", "")
    if len(digits) > MAX_DIGITS:
        raise SpecError(f"the number {digits[:20]}... has more than {MAX_DIGITS} digits")
    try:
        value = Decimal(digits)
    except InvalidOperation:
        raise SpecError(f"{digits!r} is not a decimal number") from None
    if not value.is_finite() or abs(value.adjusted()) > MAX_DIGITS:
        raise SpecError(f"the number {digits} is out of range (at most {MAX_DIGITS} decimal places)")
    top, bottom = value.as_integer_ratio()
    return Rational(top, bottom)


def exact(n: int | Decimal | str) -> Rational:
    """A whole number, a decimal, or the text of one or of a fraction, exactly.  Raises SpecError."""
    if isinstance(n, int):
        return number(str(n)) if n >= 0 else -number(str(-n))
    text = str(n).strip()
    sign = -1 if text.startswith("-") else 1
    top, slash, bottom = text.removeprefix("-").partition("/")
    divisor = number(bottom.strip()) if slash else Integer(1)
    if divisor == 0:
        raise SpecError("division by zero")
    return Rational(sign) * number(top.strip()) / divisor


def statements(text: str) -> list[tuple[int, str]]:
    """The logical lines of a let-list with their line numbers (from 1); a line goes on while a bracket is open."""
    found: list[tuple[int, str]] = []
    pending, start, depth = "", 0, 0
    for i, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].rstrip()
        if not pending and not line.strip():
            continue
        start = start or i
        pending = f"{pending} {line.strip()}" if pending else line.strip()
        depth += sum(map(line.count, "([{")) - sum(map(line.count, ")]}"))
        if depth <= 0:
            found.append((start, pending))
            pending, start, depth = "", 0, 0
    if pending:
        found.append((start, pending))
    return found


def _prepared(text: str) -> str:
    """The text as Python reads it: ^ is its **, and the prime of g'(z), which opens a string there, a letter that looks like it."""
    return PRIMED.sub(lambda m: m[1] + PRIME * len(m[2]), text).replace("^", "**").strip()


def _syntax_tree(text: str) -> ast.expr:
    if len(text) > MAX_LINE:
        raise SpecError(f"an expression of {len(text)} characters; at most {MAX_LINE} are read")
    depth = deepest = 0
    for c in text:
        depth += (c in "([{") - (c in ")]}")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise SpecError(f"brackets nested {deepest} deep; at most {MAX_DEPTH} are read")
    if re.search(r"(?:[-+~]\s*){20}", text) or text.count("**") + text.count("^") > 200:
        raise SpecError("too many signs or powers in one expression")
    try:
        list(tokenize.generate_tokens(io.StringIO(PRIMED.sub(r"\1", text)).readline))
        return ast.parse(_prepared(text), mode="eval").body
    except (SyntaxError, tokenize.TokenError, IndentationError) as error:
        word = next((w for w in re.findall(r"[A-Za-z_]+", text) if w in RESERVED), None)
        if word:
            raise SpecError(f"{word} is a reserved word and cannot be a name; use another, with latex = '...'") from None
        detail = error.msg if isinstance(error, SyntaxError) else str(error.args[0])
        raise SpecError(f"cannot read {text[:80]!r}: {detail}") from None
    except (RecursionError, MemoryError, ValueError):
        raise SpecError(f"cannot read {text[:60]!r}...: nested too deeply, or not text") from None


def expression(text: str, scope: Scope) -> Expr:
    """One expression.  Raises SpecError or ShapeError (both sides shown) or Unsupported."""
    try:
        return within_degree(v.as_scalar(_read(_syntax_tree(text), scope, text)))
    except RecursionError:
        raise SpecError(f"cannot read {text[:60]!r}...: nested too deeply") from None


def expressions(text: str, scope: Scope) -> tuple[Expr, ...]:
    """An expression, or several in brackets or parentheses: (x1, x2), [b1, b2]."""
    tree = _syntax_tree(text)
    parts = tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree]
    return tuple(within_degree(v.as_scalar(_read(part, scope, text))) for part in parts)


def definition(text: str, scope: Scope) -> tuple[str, Expr]:
    """One line `name = expression` (or `name := expression`)."""
    name, found, right = text.replace(":=", "=", 1).partition("=")
    if not found or not right.strip():
        raise SpecError(f"{text[:80]!r} is not a definition; write name = expression")
    if (opened := sum(map(text.count, "([{"))) != (closed := sum(map(text.count, ")]}"))):
        raise SpecError(f"{text[:80]!r} opens {opened} brackets and closes {closed}; a definition goes on over lines until all are closed")
    if "=" in re.sub(r"[,(]\s*(axis|keepdims)\s*=(?!=)", "", right):  # sum(A, axis=1)
        raise SpecError(f"{text[:80]!r} has more than one '='; write one definition a line")
    name = name.strip()
    if PRIMED.search(right):
        raise Unsupported(f"{PRIMED.search(right)[0]}, a derivative of a function in a definition; "  # type: ignore[index]
                          "define that function's derivative as a function of its own")
    if re.fullmatch(r"\w+\s*\[.*\]", name):
        raise Unsupported(f"{name[:MAX_NAME]} on the left of '=', a definition for every step of a sequence; "
                          "declare the sequence: [sequence] length = 3")
    check_name(name)
    if name in scope.dimensions:
        raise SpecError(f"{name} is a dimension and cannot be defined again")
    if name in KNOWN or name in VECTOR_FUNCTIONS:
        raise SpecError(f"{name} is the name of a function and cannot be a node")
    if name in scope.symbols:
        raise SpecError(f"the name {name} is bound twice; every name has one definition")
    return name, expression(right, scope)


# ---- one case a node of Python's syntax ----------------------------------------------------------------------------


def _read(tree: ast.expr, scope: Scope, text: str) -> Expr:
    match tree:
        case ast.Constant(value=bool() | str() | bytes() | complex() | None):
            raise SpecError(f"{ast.unparse(tree)[:40]} is not a number")
        case ast.Constant():
            return number(ast.get_source_segment(_prepared(text), tree) or repr(tree.value))
        case ast.Name(id=name):
            return scope.lookup(name)
        case ast.Set(elts=[ast.Name() | ast.Constant() as slot]):  # {i}, a slot of a template
            return scope.lookup(f"{{{ast.unparse(slot)}}}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return v.negate(_read(operand, scope, text))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _read(operand, scope, text)
        case ast.BinOp():
            return _binary(tree, scope, text)
        case ast.Attribute(value=value, attr="T"):
            return v.transpose(_read(value, scope, text))
        case ast.Subscript(value=value, slice=index):
            return _entry(_read(value, scope, text), index, scope, text)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return apply_function(name, tuple(v.as_scalar(_read(a, scope, text)) for a in arguments), scope)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[ast.keyword(arg="axis", value=axis)]) if name in WITH_AXIS:
            return apply_function(name, tuple(v.as_scalar(_read(a, scope, text)) for a in (argument, axis)), scope)
        case ast.Call(func=ast.Name(id=name), keywords=[_, *_] as named) if name in WITH_AXIS:
            other = next((k.arg for k in named if k.arg != "axis"), "axis")
            raise Unsupported(f"{name} with the argument {other}=; by name there is axis alone, after one matrix, of {', '.join(WITH_AXIS)}")
    raise SpecError(f"{ast.unparse(tree)[:60]!r} cannot be used here; a let-list has names, numbers, + - * / @ ^, .T, "
                    "indices and functions by name")


def _binary(tree: ast.BinOp, scope: Scope, text: str) -> Expr:
    spine: list[tuple[ast.operator, ast.expr]] = []
    left: ast.expr = tree
    while isinstance(left, ast.BinOp):  # a long sum nests to the left: walk it, do not recurse
        spine.append((left.op, left.right))
        left = left.left
    result = _read(left, scope, text)
    for op, right in reversed(spine):
        try:
            exponent = _read(right, scope, text)
            if isinstance(op, ast.Pow) and _is_norm_of_number(left, result) and exponent.is_Integer and exponent % 2 == 0:
                result = result.arguments[0]  # norm(r)^2 of a number is r^2, which has a second derivative at 0 as well
            result = apply_operator(op, result, exponent)
        except ShapeError as error:
            raise ShapeError(f"{ast.unparse(tree)[:100]}: {error.message}") from None
    return result


def _is_norm_of_number(tree: ast.expr, value: Expr) -> bool:
    """Is it norm(r) of a number r, read as |r|?"""
    return isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "norm" and isinstance(value, Call) and (
        value.fn.name == "abs")


def apply_operator(op: ast.operator, a: Expr, b: Expr) -> Expr:
    """a op b, numbers folded.  Raises ShapeError with both sides, SpecError for a division by zero or a number out of range."""
    if not isinstance(op, ast.MatMult):
        a, b = v.as_scalar(a), v.as_scalar(b)
    match op:
        case ast.Add():
            return _fold(a + b) if a.is_Number and b.is_Number else v.add(a, b)
        case ast.Sub():
            return _fold(a - b) if a.is_Number and b.is_Number else v.add(a, v.negate(b))
        case ast.Mult():
            return _fold(a * b) if a.is_Number and b.is_Number else v.times(a, b)
        case ast.MatMult():
            return v.matmul(a, b)
        case ast.Div():
            if b == 0:
                raise SpecError("division by zero")
            if b.is_Number:
                return _fold(a / b) if a.is_Number else v.times(1 / b, a)
            return v.power(b, Integer(-1)) if a == 1 else v.times(a, v.power(b, Integer(-1)))
        case ast.Pow():
            return _power(a, b)
    raise SpecError(f"the operator {type(op).__name__} is not one of + - * / @ ^")


def _fold(value: Expr) -> Expr:
    if isinstance(value, Rational) and max(value.p.bit_length(), value.q.bit_length()) > MAX_BITS:
        raise SpecError(f"a number of more than {MAX_BITS} bits")
    return value


def _power(base: Expr, exponent: Expr) -> Expr:
    if not v.is_scalar(exponent):
        raise ShapeError(f"power: the exponent must be a number, it is {v.say_shape(exponent.shape)}")
    if exponent.is_Number:
        if abs(exponent) > MAX_EXPONENT:
            raise SpecError(f"the exponent {str(exponent)[:20]} is out of range; at most {MAX_EXPONENT} is read")
        if base.is_Number and exponent.is_Integer:
            if base == 0 and exponent < 0:
                raise SpecError("division by zero")
            return _fold(base**exponent)
        if exponent == -1 and not v.is_scalar(base) and base.shape[0] == base.shape[1]:
            raise SpecError("a square matrix to the power -1: a power goes entry by entry here; write inv(A) for the inverse, 1 / A for the "
                            "reciprocals of the entries")
        if exponent == Rational(1, 2):
            return v.apply(Fn("sqrt", (0,)), (base,))
        return v.power(base, exponent)
    if v.is_scalar(base):
        return call("exp", v.times(exponent, call("log", base)))
    raise Unsupported("a matrix raised to an exponent that is not a number")


def _entry(matrix: Expr, index: ast.expr, scope: Scope, text: str) -> Expr:
    def span(i: ast.expr) -> Span:
        if not isinstance(i, ast.Slice):
            return (place := _read(i, scope, text), place)
        if i.step is not None:
            raise Unsupported("a slice with a step")
        if i.lower is None and i.upper is None:
            return None
        if i.lower is None or i.upper is None:
            raise SpecError("a slice names both its ends, both included (x[1:3] has three entries), or none (:)")
        return (_read(i.lower, scope, text), _read(i.upper, scope, text))

    return part(matrix, tuple(map(span, index.elts if isinstance(index, ast.Tuple) else [index])))


def entry_at(matrix: Expr, indices: list[Expr]) -> Expr:
    """matrix[i, j], or vector[i], counted from 1.  Raises ShapeError or SpecError for an index that is not there."""
    return part(matrix, tuple((i, i) for i in indices))


# ---- functions -----------------------------------------------------------------------------------------------------


def apply_function(name: str, arguments: tuple[Expr, ...], scope: Scope) -> Expr:
    """name(arguments).  Raises SpecError for a wrong number of arguments or an unknown name that looks like a known one."""
    if name in ("diff", "grad") and scope.derivatives and name not in scope.declared:
        _check_count(name, arguments, (2, 2))
        try:
            return derivative(*arguments)
        except TypeError as error:
            raise SpecError(f"{name}: {error}") from None
    if name in OF_VECTORS and name not in scope.declared and name not in scope.symbols:
        counts, build = OF_VECTORS[name]
        _check_count(name, arguments, counts)
        for needed in PRIMITIVES.get(name, ()):
            scope.applied.setdefault(needed, KNOWN[needed])
        return build(arguments)
    if name.endswith(PRIME):
        return _derived(name.rstrip(PRIME), name.count(PRIME), arguments, scope)
    row = scope.function(name, len(arguments))
    if row.known:
        many = name in ("max", "min")
        if many and len(arguments) == 1 and not v.is_scalar(arguments[0]):
            scope.applied.setdefault("max", KNOWN["max"])
            return largest(name, arguments[0])
        _check_count(name, arguments, (2, 99) if many else (row.arity, row.arity + (name == "leaky_relu")))
        for needed in _primitives(name):
            scope.applied.setdefault(needed, KNOWN[needed])
        if many and len(arguments) > 2:
            return reduce(lambda a, b: v.apply(Fn(name, (0, 0)), (a, b)), arguments)
        if name == "leaky_relu" and len(arguments) == 2 and not arguments[1].is_Number:
            return _sloped(arguments[0], arguments[1], scope)
        return v.apply(Fn(name, (0,) * len(arguments)), arguments)
    if len(arguments) != row.arity:
        raise SpecError(f"{name} takes {row.arity} arguments, found {len(arguments)}")
    if row.scalar_valued or (len(arguments) > 1 and not all(map(v.is_scalar, arguments))):
        if all(map(v.is_scalar, arguments)):
            return v.Call(Fn(name, (0,) * len(arguments)), *arguments)
        return v.UnknownScalar(Fn(name, (0,) * len(arguments)), *arguments)
    return v.apply(Fn(name, (0,) * len(arguments)), arguments)


def _sloped(z: Expr, slope: Expr, scope: Scope) -> Expr:
    """leaky_relu(z, a) = a z + (1 - a) relu(z) for a slope that is no number, also at the kink: a + (1 - a) relu'(0)."""
    if not v.is_scalar(slope):
        raise Unsupported("leaky_relu with a slope that is a vector or matrix")
    scope.applied.setdefault("relu", KNOWN["relu"])
    return v.add(v.times(slope, z), v.times(v.add(Integer(1), v.negate(slope)), v.apply(Fn("relu", (0,)), (z,))))


def _derived(name: str, order: int, arguments: tuple[Expr, ...], scope: Scope) -> Expr:
    """g'(z), entry by entry for a vector z.  Raises SpecError for a function of several arguments, or of whole vectors."""
    row = None if name in OF_VECTORS else scope.function(name, len(arguments))
    if row is None or len(arguments) != 1 or row.arity != 1 or row.scalar_valued:
        raise SpecError(f"{name}{chr(39) * order} is the derivative of a function of one number; {name} is none")
    for needed in _primitives(name):
        scope.applied.setdefault(needed, KNOWN[needed])
    return v.apply(Fn(name, (order,)), arguments)


def _primitives(name: str) -> tuple[str, ...]:
    return {"sigmoid": ("exp",), "tanh": ("exp",), "softplus": ("log", "exp", "sigmoid"), "relu": ("max",), "min": ("max",),
            "leaky_relu": ("max",), "abs": ("sign",), "sin": ("cos",), "cos": ("sin",), "tan": ("sin", "cos"), "normcdf": ("normpdf",),
            "erf": ("normcdf", "normpdf"), "gelu": ("normcdf", "normpdf")}.get(name, ())


def _check_count(name: str, arguments: tuple[Expr, ...], counts: tuple[int, int]) -> None:
    least, most = counts
    if not least <= len(arguments) <= most:
        takes = str(least) if least == most else f"{least} to {most}" if most < 99 else f"at least {least}"
        raise SpecError(f"{name} takes {takes} arguments, found {len(arguments)}")


__all__ = ["Scope", "apply_function", "apply_operator", "check_name", "definition", "did_you_mean", "entry_at", "exact",
           "expression", "expressions", "number", "statements"]

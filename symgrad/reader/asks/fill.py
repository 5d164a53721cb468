"""ask = "fill": a template with slots in braces, what may stand in each, and labelled points and regions."""

from __future__ import annotations

from decimal import Decimal
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictInt
from sympy import Add, Expr, Mul, Pow, Rational, Symbol, preorder_traversal

from symgrad.language.bounds import MAX_DEGREE, degree
from symgrad.language.errors import ShapeError, SpecError, Unsupported
from symgrad.language.fill import Fill, LabelledPoint, LabelledRegion, Slot
from symgrad.language.functions import KNOWN, Call, Fn, scalar
from symgrad.language.vectors import SCALAR, names_in, say_shape
from symgrad.reader.asks.reading import PartReading
from symgrad.reader.comparisons import comparisons
from symgrad.reader.letlist import Scope, did_you_mean, expression
from symgrad.reader.spec import Formula, Name, Number, PartSpec, Spec

MAX_COMBINATIONS, MAX_TRIALS = 100_000, 2_000_000
LABEL = "label"


Choices = Annotated[list[Formula | StrictInt | Decimal], Field(min_length=1, max_length=100)]


class RegionSpec(Spec):
    where: Formula = Field(description="x1 >= 1 and x2 <= 0")
    label: Name


class FillSpec(PartSpec):
    needs_model: ClassVar[bool] = False

    ask: Literal["fill"]
    template: Formula = Field(description="max({i} + {ii}, {iii}) + {iv}: slots in braces")
    slots: Annotated[dict[Name, Choices], Field(min_length=1, max_length=50)]
    points: Annotated[list[dict[Name, Number]], Field(max_length=500)] = Field([], description='{ x1 = 2, x2 = "1/2", label = "cross" }')
    regions: Annotated[list[RegionSpec], Field(max_length=20)] = []
    positive: Name = Field(description="the label of the data at which f >= 0 (or f > 0) is asked; f < 0 (f <= 0) at all others")
    decision: Literal[">= 0", "> 0"] = ">= 0"


def read(spec: FillSpec, r: PartReading) -> Fill:
    fixed = constants(spec, r)
    slots = tuple(Slot(name, tuple(e for e in (r.attempt(lambda c=c, n=name: choice(str(c), n, r, fixed), "slots") for c in choices)  # type: ignore[misc]
                                   if e is not None)) for name, choices in spec.slots.items())
    template = r.attempt(lambda: template_of(spec.template, slots, r, fixed), "template")
    regions = tuple(found for region in spec.regions
                    if (found := r.attempt(lambda region=region: region_of(region, r), "regions")) is not None)  # type: ignore[misc]
    inputs = inputs_of(spec, template, slots, regions, r)
    points = tuple(found for k, point in enumerate(spec.points, 1)
                   if (found := r.attempt(lambda k=k, point=point: point_of(k, point, inputs, r), "points")) is not None)  # type: ignore[misc]
    ask = Fill(inputs, template if template is not None else Rational(0), slots, points, regions, spec.positive, spec.decision == "> 0")
    check_size(spec, ask, r)
    for region in regions:
        r.attempt(lambda region=region: region.rows(ask.symbols), "regions")  # type: ignore[misc]
    labels = [*(str(p.get(LABEL, "")) for p in spec.points), *(x.label for x in spec.regions)]
    if not labels:
        r.add(SpecError("there is no data; give points = [...] or regions = [...]"), "template")
    elif spec.positive not in labels:
        r.add(SpecError(f"positive: nothing is labelled {spec.positive}{did_you_mean(spec.positive, sorted(set(labels)))}"), "positive")
    return ask


def constants(spec: FillSpec, r: PartReading) -> dict[Expr, Expr]:
    """The numbers that [symbols] or [values] state for scalars that no point gives."""
    moving = {name for point in spec.points for name in point}
    return {scalar(g.name): g.entries[0][0] for g in r.values if g.digits is None and g.name not in moving and r.graph.shape(g.name) == SCALAR}


def choice(text: str, slot: str, r: PartReading, fixed: dict[Expr, Expr]) -> Expr:
    """One entry of a slot, an expression in the inputs."""
    if "{" in text:
        raise SpecError(f"slot {slot}: the choice {text[:60]!r} has a brace; slots stand in the template only")
    return scalar_expression(text, f"slot {slot}", r, {}, fixed)


def template_of(text: str, slots: tuple[Slot, ...], r: PartReading, fixed: dict[Expr, Expr]) -> Expr:
    """The template, with a symbol for every slot.  Raises SpecError for a slot that it does not have."""
    for slot in slots:
        if not slot.name.isalnum() or not slot.name.isascii():
            raise SpecError(f"{slot.name[:40]!r} is not the name of a slot; use letters and digits")
        for k, e in enumerate(slot.choices):
            if e in slot.choices[:k]:
                raise SpecError(f"slot {slot.name} offers {e} twice")
    found = scalar_expression(text, "template", r, {slot.symbol.name: slot.symbol for slot in slots}, fixed)
    most = degree(found) * max((degree(e) for slot in slots for e in slot.choices), default=1)
    if most > MAX_DEGREE:
        raise Unsupported(f"a template of degree {int(most):,} with its choices; at most {MAX_DEGREE:,} is worked with")
    missing = [slot.name for slot in slots if slot.symbol not in found.free_symbols]
    if missing:
        raise SpecError(f"template: the slot {missing[0]} does not stand in it; write {{{missing[0]}}} where its choice goes")
    return found


def scalar_expression(text: str, what: str, r: PartReading, slots: dict[str, Expr], fixed: dict[Expr, Expr]) -> Expr:
    """An expression in inputs and slots, nodes of the let-list and constants put in.  Raises SpecError, ShapeError or Unsupported."""
    scope = Scope({**r.scope.symbols, **slots}, r.scope.dimensions, r.scope.declared, dict(r.scope.applied))
    try:
        found = expression(text, scope)
    except SpecError as error:
        raise SpecError(f"{what}: {error.message}") from None
    for node in reversed(r.graph.nodes):
        if node.name in names_in(found):
            found = found.xreplace({node.symbol: node.expr})
    if set(fixed) & found.free_symbols:
        found = found.xreplace(fixed)
    for e in preorder_traversal(found):
        if isinstance(e, Fn):
            continue
        if not isinstance(e, Rational | Symbol | Add | Mul | Pow | Call):
            raise Unsupported(f"{what}: {type(e).__name__} in {text[:60]!r}; a template is made of scalars")
        if isinstance(e, Call) and e.fn.name not in KNOWN:
            raise SpecError(f"{what}: {e.fn.name} has no definition, so the sign of f cannot be known")
    return found


def region_of(spec: RegionSpec, r: PartReading) -> LabelledRegion:
    return LabelledRegion(spec.label, comparisons(spec.where, r.scope))


def inputs_of(spec: FillSpec, template: Expr | None, slots: tuple[Slot, ...], regions: tuple[LabelledRegion, ...], r: PartReading) -> tuple[str, ...]:
    """The scalars in which f is a function, in the order of [symbols]."""
    used = {name for point in spec.points for name in point if name != LABEL}
    texts = [template] if template is not None else []
    texts += [e for slot in slots for e in slot.choices] + [e for region in regions for c in region.where for e in (c.left, c.right)]
    used |= {name for e in texts for name in names_in(e)} - {slot.symbol.name for slot in slots}
    for name in sorted(used):
        if name not in r.graph:
            r.add(SpecError(f"points: there is no {name}{did_you_mean(name, list(r.graph.names))}"), "points")
        elif r.graph.shape(name) != SCALAR:
            r.add(ShapeError(f"{name} is {say_shape(r.graph.shape(name))}; the inputs of a template are scalars"), "template")
        elif name not in {x.name for x in r.graph.variables}:
            r.add(SpecError(f"points: {name} is defined in the let-list; points give the inputs"), "points")
    return tuple(x.name for x in r.graph.variables if x.name in used)


def point_of(number: int, point: dict[str, Number], inputs: tuple[str, ...], r: PartReading) -> LabelledPoint:
    """Raises SpecError unless the point gives every input a number, and a label."""
    if LABEL not in point:
        raise SpecError(f'point {number} has no label; write {{ {inputs[0] if inputs else "x1"} = 1, label = "cross" }}')
    missing = [name for name in inputs if name not in point]
    if missing:
        raise SpecError(f"point {number} gives no {missing[0]}; f is a function of {', '.join(inputs)}")
    if not str(point[LABEL]).strip():
        raise SpecError(f"point {number} has an empty label")
    return LabelledPoint(str(point[LABEL]), tuple(coordinate(str(point[name]), number, name) for name in inputs))


def coordinate(text: str, number: int, name: str) -> Rational:
    found = expression(text, Scope({}, {}))
    if not isinstance(found, Rational):
        raise SpecError(f"point {number}: {name} = {text[:40]!r} is not a number or a fraction")
    return found


def check_size(spec: FillSpec, ask: Fill, r: PartReading) -> None:
    count = prod(len(choices) for choices in spec.slots.values())
    if count > MAX_COMBINATIONS:
        r.add(Unsupported(f"{count:,} combinations; at most {MAX_COMBINATIONS:,} are tried"), "slots")
    elif count * len(ask.points) > MAX_TRIALS:
        r.add(Unsupported(f"{count:,} combinations at {len(ask.points)} points; at most {MAX_TRIALS:,} trials are made"), "points")

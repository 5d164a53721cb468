"""How a threshold network is shown: its units, its weights, its picture, and properties as formulas."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sympy import Rational

from symgrad.language.arrangement import fraction, rational, unit_form
from symgrad.language.problem import CheckNetwork, Construct, ConstructChain
from symgrad.language.threshold import TRUE, Affine, Architecture, Chain, Domain, Formula, Layer, Relation, Wanted, misfit
from symgrad.language.wording import Style, spell, spell_affine
from symgrad.sheet import document as D
from symgrad.sheet.layout import Item, lay_out
from symgrad.sheet.notation import plain_name

DOTS = r"\cdots"
WIDE = 12
"""Matrices with more rows or columns than this are shown by their units."""
MANY = 10
"""Lists of units longer than this are shown by their first and last."""
MAX_BOXES = 40
RELATIONS = {Relation.GT: ">", Relation.GE: r"\geq", Relation.LT: "<", Relation.LE: r"\leq", Relation.EQ: "=", Relation.NE: r"\neq"}
DOMAINS = {Domain.REALS: "real numbers, ties included", Domain.INTEGERS: "whole numbers", Domain.BOOLEANS: "0 or 1"}


def word(text: str) -> str:
    """A word of a property with the space that it needs around it."""
    before = r"\;" if text in ("and", "or", "xor", "iff") else ""
    return rf"{before}\text{{{text}}}" + ("" if text in ("true", "false") else r"\;")


def name(text: str) -> str:
    """An input by its name: x1 is x with 1."""
    base, low = plain_name(text)
    return f"{base}_{{{low}}}" if low else base


def tex_style(names: Sequence[str], boolean: bool = False) -> Style:
    return Style(lambda i: names[i - 1], boolean, tex_number, lambda r: RELATIONS[r], word, DOTS, r"\,")


def tex_number(x: Rational) -> str:
    if x.is_Integer:
        return str(x)
    return rf"{'-' if x < 0 else ''}\frac{{{abs(x.p)}}}{{{x.q}}}"


def of_inputs(wanted_inputs: Sequence[str], domain: Domain) -> Style:
    return tex_style([name(n) for n in wanted_inputs], domain is Domain.BOOLEANS)


def hidden(layer: int, layers: int, letter: str = "h") -> Style:
    """The units of a layer (from 1): h_j where there is one hidden layer, h^{(l)}_j where there are more."""
    top = f"^{{({layer})}}" if layers > 2 else ""
    return Style(lambda i: f"{letter}{top}_{{{i}}}", True, tex_number, lambda r: RELATIONS[r], word, DOTS, r"\,")


def output(k: int, count: int, letter: str = "y") -> str:
    return letter if count == 1 else f"{letter}_{{{k}}}"


def property_tex(f: Formula, wanted: Wanted) -> str:
    return spell(f, of_inputs(wanted.inputs, wanted.domain))


def shown(wanted: Wanted) -> list[D.Block]:
    """y = 1 iff ..., and the condition on the inputs."""
    found: list[D.Block] = []
    for k, f in enumerate(wanted.properties, 1):
        found.append(D.Display(D.Maths(rf"{output(k, len(wanted.properties))} = 1 \iff {property_tex(f, wanted)}")))
    if wanted.where != TRUE:
        found.append(D.Paragraph(("Inputs that count: ", *condition(wanted), ".")))
    return found


def condition(wanted: Wanted) -> D.Text:
    """The condition on the inputs, in words where it says that all differ."""
    n = len(wanted.inputs)
    parts = getattr(wanted.where, "parts", ())
    if n > 2 and len(parts) == n * (n - 1) // 2 and all(getattr(p, "relation", None) is Relation.NE for p in parts):
        return ("all inputs different",)
    return (D.Maths(property_tex(wanted.where, wanted)),)


def matrix(rows: Sequence[Sequence[Rational | None]]) -> str:
    wide = max(map(len, rows), default=0)
    body = r" \\ ".join(" & ".join([*("?" if x is None else tex_number(x) for x in row), *[""] * (wide - len(row))]) for row in rows)
    return rf"{{\left[\begin{{matrix}} {body} \end{{matrix}}\right]}}"


def arrays(network: Sequence[Layer]) -> list[tuple[str, str]]:
    """W^{(k)} and what it is, followed by b^{(k)}: left and right side of one line a layer."""
    found = []
    for k, layer in enumerate(network, 1):
        bias = tex_number(layer.biases[0]) if len(layer.biases) == 1 else matrix([[b] for b in layer.biases])
        found.append((rf"W^{{({k})}}", rf"{matrix(layer.weights)}, \quad b^{{({k})}} = {bias}"))
    return found


def is_small(network: Sequence[Layer]) -> bool:
    return all(len(layer.weights) <= WIDE and all(len(row) <= WIDE for row in layer.weights) and len(layer.biases) <= WIDE for layer in network)


def pre_activation(row: Sequence[object], bias: object, style: Style) -> str:
    """w . x + b with the names of what the unit is fed."""
    terms, constant = unit_form(row, bias)
    return spell_affine(Affine(tuple((i, rational(w)) for i, w in terms), rational(constant)), style)


def excerpt(count: int) -> list[int | None]:
    """The units to show: all, or the first three, None for dots, and the last."""
    return [*range(count)] if count <= MANY else [0, 1, 2, None, count - 1]


def units(network: Sequence[Layer], inputs: Sequence[str]) -> list[D.Block]:
    """The pre-activations of a large network, unit by unit, the middle of a long list left out."""
    rows: list[tuple[D.Text, ...]] = []
    for k, layer in enumerate(network, 1):
        last = k == len(network)
        fed = tex_style([name(n) for n in inputs]) if k == 1 else hidden(k - 1, len(network))
        for j in excerpt(len(layer.biases)):
            if j is None:
                rows.append((("…",), ("…",)))
                continue
            left = output(j + 1, len(layer.biases), "z") if last else hidden(k, len(network), "z").name(j + 1)
            rows.append(((D.Maths(left),), (D.Maths(pre_activation(layer.weights[j], layer.biases[j], fed)),)))
    return [D.Table((("Pre-activation",), ("Weights and bias",)), tuple(rows))]


def picture(layers: Sequence[int], inputs: Sequence[str]) -> D.Picture:
    """Inputs, units and output; every unit is fed by the whole layer below."""
    items: list[Item] = []
    below: tuple[str, ...] = ()
    last = len(layers) - 1
    for k, count in enumerate(layers):
        names = []
        for j in range(1, count + 1):
            tex = name(inputs[j - 1]) if k == 0 else output(j, count) if k == last else hidden(k, len(layers) - 1).name(j)
            plain = inputs[j - 1] if k == 0 else f"y{j}" if k == last else f"h{k}_{j}"
            items.append(Item(f"{k}.{j}", tex, plain, "variable" if k == 0 else "node", below))
            names.append(f"{k}.{j}")
        below = tuple(names)
    words = f"A network of {' - '.join(map(str, layers))} units, each fed by all of the layer below."
    return D.Picture(lay_out(tuple(items)), words, ("The network",))


def step_rule(at_zero: Rational) -> D.Display:
    more, less = (r"\geq", "<") if at_zero == 1 else (">", r"\leq")
    return D.Display(D.Maths(rf"h = \mathrm{{step}}(z) = \begin{{cases}} 1 & \text{{if }} z {more} 0 \\ 0 & \text{{if }} z {less} 0 \end{{cases}}"))


def question(ask: Construct | ConstructChain | CheckNetwork, at_zero: Rational, told: set[str]) -> list[D.Block]:
    """What is asked, without a trace of the answer; units, picture and property only where an earlier part has not `told` them."""
    match ask:
        case ConstructChain(chain):
            return [D.Paragraph((f"The inputs are {DOMAINS[chain.domain]}. Every unit adds its bias to the weighted sum of what it is fed:",)),
                    step_rule(at_zero), D.Display(D.Maths(rf"y = 1 \iff {chain_tex(chain)}"))]
        case Construct(architecture, wanted):
            layers, levels = architecture.layers, ()
        case CheckNetwork(_, layers, wanted, levels):
            pass
    found: list[D.Block] = []
    if _new(f"{wanted.domain}", told):
        found.append(D.Paragraph((f"The inputs are {DOMAINS[wanted.domain]}. Every unit adds its bias to the weighted sum of what it is fed:",)))
        found.append(step_rule(at_zero))
    fits = isinstance(ask, Construct) or not misfit(ask.network, ask.layers)
    if fits and sum(layers) <= MAX_BOXES and max(layers) <= 16 and len(wanted.inputs) == layers[0] and _new(f"{layers}{wanted.inputs}", told):
        found.append(picture(layers, wanted.inputs))
    if isinstance(ask, CheckNetwork):
        if is_small(ask.network) or not fits:
            found += [D.Display(D.Maths(rf"{left} = {right}")) for left, right in arrays(ask.network)]
        else:
            found += units(ask.network, wanted.inputs)
    found += shown(wanted)
    if levels:
        rows = tuple(((level.name,), (str(level.marks),), (D.Maths(property_tex(level.wanted.properties[0], level.wanted)),),
                      condition(level.wanted) if level.wanted.where != TRUE else ("all",)) for level in levels)
        found.append(D.Table((("Row",), ("Marks",), ("Property",), ("Inputs that count",)), rows))
    return found + (allowed(ask.architecture) if isinstance(ask, Construct) else [])


def chain_tex(chain: Chain) -> str:
    r = RELATIONS[chain.relation]
    return rf"x_{{1}} {r} x_{{2}} {r} {DOTS} {r} x_{{{chain.size}}}"


def _new(what: str, told: set[str]) -> bool:
    """Is this said for the first time?"""
    before = len(told)
    told.add(what)
    return len(told) > before


def allowed(architecture: Architecture) -> list[D.Block]:
    """Ranges and given weights."""
    found: list[D.Block] = []
    for what, bounds in (("weights", architecture.weights), ("biases", architecture.biases)):
        if bounds:
            low, high = (D.Maths(tex_number(x)) for x in (bounds.low, bounds.high))
            found.append(D.Paragraph((f"The {what} must be whole numbers from ", low, " to ", high, ".")))
    if architecture.given:
        found.append(D.Paragraph(("Given (a question mark stands for a weight to be found):",)))
        for k, fixed in enumerate(architecture.given, 1):
            for left, rows in ((f"W^{{({k})}}", fixed.weights), (f"b^{{({k})}}", tuple((b,) for b in fixed.biases))):
                if any(x is not None for row in rows for x in row):
                    found.append(D.Display(D.Maths(f"{left} = {matrix(rows)}")))
    return found


def numbers(point: Sequence[object]) -> str:
    """(1, 0, 1/2), with dots in the middle of a long one."""
    values = [tex_number(rational(fraction(x))) for x in point]
    return bracketed(values if len(values) <= 2 * WIDE else [*values[:4], DOTS, *values[-3:]])


def inputs_tex(inputs: Sequence[str]) -> str:
    names = [name(n) for n in inputs]
    return bracketed(names if len(names) <= WIDE else [*names[:2], DOTS, names[-1]])


def bracketed(pieces: Sequence[str]) -> str:
    return rf"\left({', '.join(pieces)}\right)"


def evaluated(row: Sequence[object], bias: object, fed: Sequence[Fraction]) -> Fraction:
    return sum((fraction(w) * x for w, x in zip(row, fed, strict=True)), fraction(bias))

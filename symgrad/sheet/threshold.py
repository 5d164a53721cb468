"""Claims about threshold networks on a sheet: what each unit tests, the table of cases, the counterexample worked out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import assert_never

from sympy import Rational

from symgrad.language.arrangement import Arrangement, fraction, rational, unit_form
from symgrad.language.claims import Decides, DecidesChain, Misfits, UnitsTest, Unrealizable, Violates
from symgrad.language.problem import CheckNetwork, Construct
from symgrad.language.steps import Derivation, Step
from symgrad.language.sums import truth
from symgrad.language.threshold import (
    TRUE,
    All,
    Cases,
    Clash,
    Compare,
    Count,
    Counting,
    Domain,
    Formula,
    Layer,
    Point,
    Split,
    atoms,
    misfit,
)
from symgrad.language.wording import Style, against_zero, spell
from symgrad.sheet import document as D
from symgrad.sheet import networks as N
from symgrad.sheet import no_weights

ThresholdClaim = UnitsTest | Decides | Violates | Misfits | Unrealizable | DecidesChain
MAX_TABLE, MAX_CASES, MAX_PATTERN_UNITS = 4, 16, 3


def claim(c: ThresholdClaim, step: Step, ask: object, at_zero: Rational) -> list[D.Block]:
    """The blocks of one claim; `step` knows what it rests on."""
    closed = bool(at_zero == 1)
    match c:
        case UnitsTest():
            return units_test(c, closed)
        case Decides():
            found = [*reading(c, step), *decides(c, closed)]
            return found + answers(c) if isinstance(ask, Construct) else found
        case Violates():
            return violates(c, closed)
        case Misfits(network, layers):
            return [D.Paragraph((f"{misfit(network, layers)}.",))]
        case Unrealizable():
            return no_weights.blocks(c, closed)
        case DecidesChain():
            return chain(c, closed)
    assert_never(c)


def answers(c: Decides) -> list[D.Block]:
    """The weights, framed; of a large network unit by unit."""
    if not N.is_small(c.network):
        return N.units(c.network, c.wanted.inputs)
    return [D.Boxed(D.Maths(left), "=", D.Maths(right)) for left, right in N.arrays(c.network)]


# ---- what units test ------------------------------------------------------------------------------------------------


def units_test(c: UnitsTest, closed: bool) -> list[D.Block]:
    """A row a unit: its pre-activation, and when it fires; for an output unit the table of cases where that is short."""
    layer, depth = c.network[c.layer - 1], len(c.network)
    last = c.layer == depth
    fed = N.of_inputs(c.inputs, c.domain) if c.layer == 1 else N.hidden(c.layer - 1, depth)
    rows: list[tuple[D.Text, ...]] = []
    for j in N.excerpt(len(layer.biases)):
        if j is None:
            rows.append((("…",),) * 3)
            continue
        unit = N.output(j + 1, len(layer.biases)) if last else N.hidden(c.layer, depth).name(j + 1)
        z = N.pre_activation(layer.weights[j], layer.biases[j], N.tex_style([fed.name(i) for i in range(1, len(layer.weights[j]) + 1)]))
        rows.append(((D.Maths(unit),), (D.Maths(rf"z = {z}"),), never(c.conditions[j], fed)))
    found: list[D.Block] = [D.Table((("Unit",), ("Pre-activation",), ("Fires (is 1) exactly if",)), tuple(rows))]
    if c.layer > 1:
        for j, (row, bias) in enumerate(zip(layer.weights, layer.biases, strict=True), 1):
            table = patterns(row, bias, fed, N.output(j, len(layer.biases)) if last else N.hidden(c.layer, depth).name(j), closed)
            found += [table] if table and len(layer.biases) <= MAX_TABLE else []
    return found


def never(f: Formula, fed: Style) -> D.Text:
    if f == TRUE:
        return ("always",)
    return ("never",) if getattr(f, "parts", None) == () else (D.Maths(spell(f, fed)),)


def patterns(row: Sequence[object], bias: object, fed: Style, unit: str, closed: bool) -> D.Table | None:
    """z and the output for each number of firing units where only that counts, else for each pattern of few units."""
    used = [i for i, w in enumerate(row, 1) if w != 0]
    weights = {fraction(row[i - 1]) for i in used}
    constant = fraction(bias)

    def line(left: str, z: Fraction) -> tuple[D.Text, ...]:
        return (left,), (D.Maths(N.tex_number(rational(z))),), ("1" if z > 0 or (z == 0 and closed) else "0",)

    heading: D.Text = (D.Maths("z"),)
    if len(weights) == 1 and len(used) > 1:
        w, n = weights.pop(), len(used)
        lines = [line(str(k), w * k + constant) for k in (range(n + 1) if n <= MAX_CASES // 2 else (0, 1, 2))]
        if n > MAX_CASES // 2:
            lines += [(("…",),) * 3, line(str(n), w * n + constant)]
        said = "Hidden units that fire" if n == len(row) else f"Hidden units that fire, of the {n} with a weight"
        return D.Table(((said,), heading, (D.Maths(unit),)), tuple(lines))
    if 0 < len(used) <= MAX_PATTERN_UNITS:
        rows = []
        for k in range(2 ** len(used)):
            on = [(k >> (len(used) - 1 - i)) & 1 for i in range(len(used))]
            z = sum((fraction(row[i - 1]) * s for i, s in zip(used, on, strict=True)), constant)
            rows.append((*((str(s),) for s in on), *line("", z)[1:]))
        return D.Table((*((D.Maths(fed.name(i)),) for i in used), heading, (D.Maths(unit),)), tuple(rows))
    return None


# ---- a network that is right ----------------------------------------------------------------------------------------


def reading(c: Decides, step: Step) -> list[D.Block]:
    """y = 1 iff what the output unit computes of the hidden units, iff the same with their tests in the place of the units."""
    layers: list[UnitsTest] = []
    below = step.premises
    while below and isinstance(below[0].claim, UnitsTest):
        layers.insert(0, below[0].claim)
        below = below[0].premises
    if len(layers) != 2 or len(layers[1].conditions) != 1:
        return []
    style = N.of_inputs(layers[0].inputs, layers[0].domain)
    tests = [spell(f, style, 4) for f in layers[0].conditions]
    alone = [spell(f, style) if isinstance(f, Compare) and isinstance(layers[1].conditions[0], Count) else t
             for f, t in zip(layers[0].conditions, tests, strict=True)]
    how = "the cases below" if isinstance(c.proof, Cases) else ""
    last: D.Text = (f"for the inputs that count{': ' * bool(how)}{how}",) if c.wanted.where != TRUE else (how,) if how else ()
    rows = [D.Row(r"\iff", D.Maths(spell(layers[1].conditions[0], N.hidden(1, 2))), ("what the output unit computes",)),
            D.Row(r"\iff", D.Maths(spell(layers[1].conditions[0], N.tex_style(alone, True))), ("what the hidden units test",)),
            D.Row(r"\iff", D.Maths(N.property_tex(c.wanted.properties[0], c.wanted)), last)]
    shown = [row for k, row in enumerate(rows) if row.right not in [r.right for r in rows[:k]]]
    return [D.Chain(D.Maths("y = 1"), tuple(shown))]


def decides(c: Decides, closed: bool) -> list[D.Block]:
    """The property, framed, and the cases."""
    wanted = c.wanted
    found: list[D.Block] = []
    match c.proof:
        case Counting() if wanted.domain is Domain.BOOLEANS and len(wanted.inputs) <= MAX_TABLE:
            found.append(truth_table(c, closed))
        case Counting() if wanted.domain is Domain.BOOLEANS:
            found.append(D.Paragraph((f"Of all 2^{len(wanted.inputs)} inputs none is left out: those with the same sums take the same course, "
                                      "and every one of these courses was checked.",)))
        case Counting():
            pass  # read off the units: see `reading`
        case Cases():
            found += cases(c, c.proof, closed)
    for k, f in enumerate(wanted.properties, 1):
        left = rf"{N.output(k, len(wanted.properties))} = 1"
        found.append(D.Boxed(D.Maths(left), r"\iff", D.Maths(N.property_tex(f, wanted))))
    if wanted.where != TRUE:
        found.append(D.Paragraph(("for the inputs that count: ", *N.condition(wanted), ".")))
    return found


def truth_table(c: Decides, closed: bool) -> D.Table:
    """All inputs of a small boolean network."""
    rows, n = [], len(c.wanted.inputs)
    for k in range(2**n):
        x = [Fraction((k >> (n - 1 - i)) & 1) for i in range(n)]
        levels = forward(c.network, x, closed)
        says = [truth(p, Point(tuple(map(rational, x)))) for p in (*c.wanted.properties, c.wanted.where)]
        few = len(c.network) == 2 and len(c.network[0].biases) <= MAX_TABLE
        middle = [(str(int(h)),) for _, states in levels[:-1] for h in states] if few else []
        rows.append((*((str(v),) for v in x), *middle, *((str(int(y)),) for y in levels[-1][1]),
                     *((("true" if s else "false") if says[-1] else "does not count",) for s in says[:-1])))
    inputs: list[D.Text] = [(D.Maths(N.name(i)),) for i in c.wanted.inputs]
    hidden: list[D.Text] = [(D.Maths(f"h_{{{j + 1}}}"),) for j in range(len(c.network[0].biases))] if len(rows[0]) > n + 2 * len(says) - 2 else []
    many = len(c.wanted.properties)
    outputs: list[D.Text] = [(D.Maths(N.output(k + 1, many)),) for k in range(many)]
    return D.Table((*inputs, *hidden, *outputs, *(("Property",) if many == 1 else (f"Property {k + 1}",) for k in range(many))), tuple(rows))


def cases(c: Decides, proof: Cases, closed: bool) -> list[D.Block]:
    """A row a case: what is supposed, and why network and property agree there or why it is empty."""
    world = Arrangement(c.network, c.wanted, closed, proof.extra)
    style = N.of_inputs(c.wanted.inputs, c.wanted.domain)
    rows: list[tuple[D.Text, ...]] = []
    path: list[tuple[int, bool]] = []
    for branch in proof.branches:
        if isinstance(branch, Split):
            path.append((branch.atom, True))
            continue
        supposed = All(tuple(side(world, a, s) for a, s in path))
        left: D.Text = (D.Maths(spell(supposed, style)),) if path else ("always",)
        if isinstance(branch, Clash):
            rows.append((left, ("cannot be: ", *added(world, dict(path), branch.multipliers, style))))
        else:
            known = dict(path)
            if world.value(world.where, known) is False:
                rows.append((left, ("does not count",)))
            else:
                ys = ", ".join(rf"{N.output(k, len(world.properties))} = {int(bool(y))}" for k, y in enumerate(world.outputs(known), 1))
                says = ["holds" if world.value(p, known) else "fails" for p in world.properties]
                rows.append((left, (D.Maths(ys), f", the property {', '.join(says)}")))
        while path and not path[-1][1]:
            path.pop()
        if path:
            path[-1] = (path[-1][0], False)
    if len(rows) > MAX_CASES:
        rows = [*rows[:4], (("…",), (f"{len(rows) - 5} more cases, each checked",)), rows[-1]]
    return [D.Table((("Case",), ("Network and property",)), tuple(rows))]


def side(world: Arrangement, atom: int, holds: bool) -> Formula:
    """A half-space, or its complement, as a comparison."""
    form, strict = world.halves[atom].side(holds, world.integers)
    return against_zero(form, strict)


def added(world: Arrangement, known: dict[int, bool], multipliers: Sequence[tuple[int, Rational]], style: Style) -> D.Text:
    """1 * (x1 - x2 > 0) + 1 * (x2 - x1 >= 0) gives 0 > 0."""
    pieces, constant, strict = [], Fraction(0), False
    for atom, by in multipliers:
        (terms, own), is_strict = world.halves[atom].side(known[atom], world.integers)
        factor = "" if by == 1 else rf"{N.tex_number(by)} \cdot "
        row = [dict(terms).get(i, Fraction(0)) for i in range(1, max(dict(terms)) + 1)]
        pieces.append(rf"{factor}\left({N.pre_activation(row, own, style)} {above(is_strict)} 0\right)")
        constant, strict = constant + fraction(by) * own, strict or is_strict
    return (D.Maths(" + ".join(pieces)), " gives ", D.Maths(f"{N.tex_number(rational(constant))} {above(strict)} 0"))


def above(strict: bool) -> str:
    return ">" if strict else r"\geq"


def chain(c: DecidesChain, closed: bool) -> list[D.Block]:
    """The unit of one pair, the output for K units that fire, and the property."""
    net, n = c.network, c.chain.size
    pair = N.tex_style(["x_{i}", "x_{i+1}"])
    fires = against_zero(unit_form((net.here, net.after), net.bias), not closed)
    unit: tuple[D.Text, ...] = (
        (D.Maths(rf"h_{{i}}, \; i = 1, \ldots, {n} - 1"),), (D.Maths(f"z = {N.pre_activation((net.here, net.after), net.bias, pair)}"),),
        (D.Maths(spell(fires, pair)),))
    total = N.pre_activation((net.v, net.slope), net.constant, N.tex_style([rf"\left(h_{{1}} + \cdots + h_{{{n}-1}}\right)", n]))
    of_count = N.pre_activation((net.v, net.slope), net.constant, N.tex_style(["K", n]))
    holds = net.v > 0  # then all units must fire, else none
    all_fire = rf"\text{{all }} {n} - 1 \;\text{{units fire}}"
    rows = [D.Row(r"\iff", D.Maths(all_fire if holds else r"\text{no unit fires}"), ("the output unit, as K shows",)),
            D.Row(r"\iff", D.Maths(N.chain_tex(c.chain)), ("what the units test",))]
    return [D.Table((("Unit",), ("Pre-activation",), ("Fires (is 1) exactly if",)), (unit,)),
            D.Display(D.Maths(f"z = {total}")),
            D.Paragraph((
                "With ", D.Maths("K"), " units that fire this is ", D.Maths(f"z = {of_count}"), f": {'not negative' if closed else 'positive'} if ",
                D.Maths(rf"K = {n} - 1" if holds else "K = 0"), " and not so for any other ", D.Maths("K"), ", whatever ", D.Maths(n), " is.")),
            D.Chain(D.Maths("y = 1"), tuple(rows)),
            D.Boxed(D.Maths("y = 1"), r"\iff", D.Maths(N.chain_tex(c.chain)))]


# ---- a network that is wrong ----------------------------------------------------------------------------------------


def forward(network: Sequence[Layer], x: Sequence[Fraction], closed: bool) -> list[tuple[list[Fraction], list[bool]]]:
    """Pre-activations and states, layer by layer."""
    found = []
    fed = list(x)
    for layer in network:
        z = [N.evaluated(row, b, fed) for row, b in zip(layer.weights, layer.biases, strict=True)]
        states = [v > 0 or (v == 0 and closed) for v in z]
        found.append((z, states))
        fed = [Fraction(s) for s in states]
    return found


def violates(c: Violates, closed: bool) -> list[D.Block]:
    """The forward pass at the point, and the comparison that decides the property there."""
    x = [fraction(v) for v in c.point]
    rows: list[tuple[D.Text, ...]] = []
    for k, (z, states) in enumerate(forward(c.network, x, closed), 1):
        last = k == len(c.network)
        fed = N.of_inputs(c.wanted.inputs, Domain.REALS) if k == 1 else N.hidden(k - 1, len(c.network))
        layer = c.network[k - 1]
        for j in N.excerpt(len(z)):
            if j is None:
                rows.append((("…",),) * 3)
                continue
            unit = N.output(j + 1, len(z)) if last else N.hidden(k, len(c.network)).name(j + 1)
            form = N.pre_activation(layer.weights[j], layer.biases[j], fed)
            rows.append(((D.Maths(unit),), (D.Maths(rf"z = {form} = {N.tex_number(rational(z[j]))}"),), (str(int(states[j])),)))
    found: list[D.Block] = [
        D.Display(D.Maths(rf"{N.inputs_tex(c.wanted.inputs)} = {N.numbers(c.point)}")),
        D.Table((("Unit",), ("Pre-activation at this input",), ("Output",)), tuple(rows))]
    outputs = forward(c.network, x, closed)[-1][1]
    for k, (f, y) in enumerate(zip(c.wanted.properties, outputs, strict=True), 1):
        holds = truth(f, Point(c.point))
        if holds != y:
            unit = N.output(k, len(outputs))
            says = f", but the property {'holds' if holds else 'fails'} here"
            found.append(D.Paragraph(("The network says ", D.Maths(f"{unit} = {int(y)}"), says, *because(f, c, holds), ".")))
    return found


def because(f: Formula, c: Violates, holds: bool) -> D.Text:
    """The comparison that fails, where one alone makes the property fail."""
    style = N.of_inputs(c.wanted.inputs, c.wanted.domain)
    if holds or not isinstance(f, All | Compare):
        return ()
    failing = [a for a in atoms(f) if not truth(a, Point(c.point))]
    if not failing or not isinstance(f, Compare) and not all(isinstance(p, Compare) for p in f.parts):
        return ()
    values = [N.tex_number(rational(sum((fraction(w) * fraction(c.point[i - 1]) for i, w in s.terms), fraction(s.constant))))
              for s in (failing[0].left, failing[0].right)]
    put_in = D.Maths(rf"{values[0]} {N.RELATIONS[failing[0].relation]} {values[1]}")
    return (": ", D.Maths(spell(failing[0], style)), " is not true, for ", put_in, " is not")


def marking(ask: CheckNetwork, derivation: Derivation) -> list[D.Block]:
    """The rows of the mark scheme with what the candidate earns."""
    right = {s.claim.wanted for s in derivation.steps if isinstance(s.claim, Decides)}
    rows = tuple(((level.name,), (str(level.marks),), ("satisfied" if level.wanted in right else "not satisfied",)) for level in ask.levels)
    return [D.Table((("Row",), ("Marks",), ("This network",)), rows)]


"""ask = "forward": the table of node values in order, each with its formula, its substitution and its value."""

from __future__ import annotations

from sympy import Expr, Number, Rational

from symgrad.language import forms as F
from symgrad.language.claims import EXACT, ROUNDED, GivenValue, Line, Value
from symgrad.language.errors import Unsupported
from symgrad.language.graph import Node
from symgrad.language.problem import Forward, Problem
from symgrad.language.steps import Answer, Derivation, Step
from symgrad.language.vectors import SCALAR, names_in
from symgrad.questions.arrays import Arrays, answer, variables_of
from symgrad.questions.conventions import at_kinks
from symgrad.rules.numbers import Num, Numbers


def valuations(problem: Problem) -> tuple[str, ...]:
    """The rounded valuation first where the problem states rounded node values, then the exact one."""
    return (ROUNDED, EXACT) if any(g.digits is not None for g in problem.values) else (EXACT,)


def shown(number: Num, digits: int) -> tuple[Expr, bool]:
    """What is printed for a number, and whether that is only a rounded decimal."""
    return (number.exact, False) if number.exact is not None else (number.decimal(digits), True)


def numeric_lines(number: Num, digits: int, why: F.Prose = ()) -> tuple[Line, ...]:
    """The value; a closed form such as sigma(2) is followed by its decimal."""
    if number.exact is None:
        return (Line(F.Decimal(number.decimal(digits), digits), why, approx=True),)
    exact = Line(F.Just(number.exact), why)
    return (exact,) if isinstance(number.exact, Rational) else (exact, Line(F.Decimal(number.decimal(digits), digits), approx=True))


def substitution(expr: Expr, numbers: Numbers, digits: int) -> Line | None:
    """The line with numbers in the place of names; None where it would say nothing new."""
    names = names_in(expr)
    if not names or not expr.args:
        return None
    pairs = [(n, *shown(numbers.values[n], digits)) for n in names]
    return Line(F.Substituted(expr, tuple((n, x) for n, x, _ in pairs)), (), approx=any(rough for *_, rough in pairs))


def value_step(problem: Problem, numbers: Numbers, name: str, valuation: str) -> Step:
    """name = formula = substituted = value."""
    expr = problem.graph.node(name).expr
    put_in = substitution(expr, numbers, problem.digits)
    result = numeric_lines(numbers.values[name], problem.digits)
    lines = [Line(F.Just(expr))]
    if put_in is not None:
        lines.append(put_in)
    if not (len(lines) == 1 and isinstance(expr, Number)):
        lines += result
    rounded = " with the rounded values" if valuation == ROUNDED else ""
    return Step(Value(name, tuple(lines), valuation), "substitution", (f"put the values into the definition{rounded}",), (), name)


def given_steps(problem: Problem, needed: frozenset[str]) -> tuple[Step, ...]:
    """The stated numbers that a part rests on."""
    return tuple(
        Step(GivenValue(g.name, g.entries[0][0], g.digits), "given", ("stated by the problem",), (), g.name)
        for g in problem.values if g.name in needed and len(g.entries) == len(g.entries[0]) == 1)


def forward_arrays(problem: Problem, part: str, nodes: list[Node], wanted: tuple[str, ...]) -> Derivation:
    """The same in a graph with vectors and matrices.  Raises Unsupported for rounded values of nodes, and as `Arrays`."""
    rounded = [g.name for g in problem.values if g.digits is not None]
    if rounded:
        raise Unsupported(f"rounded values of nodes ({rounded[0]}) in a graph with vectors or matrices")
    graph = problem.graph
    needed = {a for n in nodes for a in graph.ancestors(n.name)} | set(wanted)
    numbers = Arrays(problem, {n.name: n.expr for n in nodes}, variables_of(problem, needed))
    steps: dict[str, Step] = {}
    for n in nodes:
        steps[n.name] = numbers.step(n.name, "", n.expr, [steps[a] for a in graph.arguments(n.name) if a in steps], n.name)
    answers = tuple(answer(steps[n], F.Just(graph.symbol(n)), n) for n in wanted if n in steps)
    return Derivation(part, graph, tuple(steps.values()), answers, at_kinks(problem, needed, derivatives=False))


def derive_forward(problem: Problem, part: str, ask: Forward) -> Derivation:
    """Values of the asked nodes and of all that they need.  Raises Unsupported for a missing value."""
    graph = problem.graph
    wanted = ask.of or tuple(n.name for n in graph.nodes)
    needed = frozenset().union(*(graph.ancestors(n) for n in wanted))
    nodes = [n for n in graph.nodes if n.name in needed]
    if any(n.shape != SCALAR for n in graph.all if n.name in needed):
        return forward_arrays(problem, part, nodes, wanted)
    stated_nodes = {g.name for g in problem.values if g.digits is not None}
    steps = list(given_steps(problem, needed - stated_nodes))
    answers: list[Answer] = []
    for valuation in valuations(problem):
        numbers = Numbers(problem, valuation)
        for name, reason in numbers.missing.items():
            if name in needed:
                raise Unsupported(f"{name} has no value: {reason}")
        missing = [n for n in graph.names if n in needed and n not in numbers.values and not isinstance(graph[n], Node)]
        if missing:
            raise Unsupported(f"no value is given for {', '.join(missing)}; state it in [symbols] or [values]")
        given = {s.label: s for s in steps}
        for n in nodes:
            if valuation == ROUNDED and n.name in stated_nodes:
                steps += given_steps(problem, frozenset({n.name}))
                continue
            premises = tuple(given[a] for a in graph.arguments(n.name) if a in given)
            step = value_step(problem, numbers, n.name, valuation)
            steps.append(Step(step.claim, step.rule, step.because, premises, n.name if valuation == EXACT else f"{n.name} (rounded)"))
            if n.name in wanted:
                value, rough = shown(numbers.values[n.name], problem.digits)
                label = n.name if valuation == EXACT else f"{n.name} (rounded)"
                answers.append(Answer(label, F.Just(n.symbol), F.Decimal(value, problem.digits) if rough else F.Just(value), rough))
    return Derivation(part, graph, tuple(steps), tuple(answers), at_kinks(problem, needed, derivatives=False))

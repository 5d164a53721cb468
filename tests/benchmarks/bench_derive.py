"""Deriving all gradients: scalar networks against CasADi SX and SymPy, vector networks by the layer, checking against deriving."""

from __future__ import annotations

import math
from collections.abc import Iterator
from time import perf_counter

from sympy import Add, Mul

from symgrad.check.checker import Checker
from symgrad.language.graph import Graph, Node, Variable
from symgrad.pipeline import render, solve
from symgrad.questions import derive
from symgrad.rules.adjoints import accumulate
from tests.benchmarks.networks import casadi_net, parameters, scalar_net, vector_net
from tests.benchmarks.timing import Row, best, say


def operations(exprs: list[object]) -> int:
    """Binary additions and multiplications, and applications of functions."""
    count = 0
    stack = list(exprs)
    while stack:
        e = stack.pop()
        args = getattr(e, "args", ())
        count += len(args) - 1 if isinstance(e, Add | Mul) else bool(args)
        stack.extend(args)
    return count


def rows(slow: bool = False) -> Iterator[Row]:
    import casadi as ca

    sizes: list[tuple[int, float]] = []
    for width, depth, activation in ((2, 1, "sigmoid"), (4, 4, "sigmoid"), (8, 4, "sigmoid"), (16, 6, "sigmoid"), (16, 6, "relu")):
        graph = scalar_net(width, depth, activation).graph
        wrt = parameters(graph)
        _, weights, loss = casadi_net(width, depth, activation)
        ours, theirs = best([lambda g=graph, w=wrt: accumulate(g, "Loss", w), lambda a=loss, b=weights: ca.gradient(a, b)])  # type: ignore[misc]
        goal = "2.5" if (width, activation) == (16, "sigmoid") else ""
        yield Row(f"derive, {width} x {depth} {activation}, {len(wrt)} weights", "CasADi SX", ours, theirs, goal)
        if activation == "sigmoid":
            sizes.append((len(wrt), ours))
            forward = operations([n.expr for n in graph.nodes])
            backward = operations([a.expr for a in accumulate(graph, "Loss", wrt).values()])
            print(f"<!-- {width} x {depth}: {forward} operations forward, {backward} backward, ratio {backward / forward:.2f} -->")
    (n, a), (m, b) = sizes[1], sizes[-1]
    print(f"<!-- growth exponent of deriving in the number of weights, {n} to {m}: {math.log(b / a) / math.log(m / n):.2f} -->")
    graph = scalar_net(4, 4).graph
    wrt = parameters(graph)
    (ours,) = best([lambda: accumulate(graph, "Loss", wrt)])
    if slow:
        yield Row("derive, 4 x 4, 85 weights", "SymPy diff of the composed loss", ours, sympy_diff(graph, wrt), "1e-4")
    x = Variable("x")
    nodes = [Node("n1", x.symbol + 1)]
    for i in range(2, 10_001):
        nodes.append(Node(f"n{i}", nodes[-1].symbol * x.symbol))
    chain = Graph((x,), tuple(nodes))
    start = perf_counter()
    accumulate(chain, "n10000", ("x",))
    print(f"<!-- a chain of 10,000 scalar nodes: {say(perf_counter() - start)} -->")
    for width, depth in ((8, 4), (16, 6)):
        problem = scalar_net(width, depth)
        started = perf_counter()
        derivation = derive(problem, problem.parts[0])
        derived = perf_counter()
        checker = Checker(problem)
        count = sum(checker.check(s.claim) is not None for s in derivation.all_steps())
        checked = perf_counter()
        print(f"<!-- all steps of a sheet, {width} x {depth}: {count} steps, {say((derived - started) / count)} to derive one, "
              f"{say((checked - derived) / count)} to check it -->")
    for sizes_of, layers in ((("784", "128", "10"), 2), (tuple(f"N{i}" for i in range(101)), 100)):
        times = [vector_times(sizes_of) for _ in range(6)]
        derived, checked, rendered = map(min, zip(*times[1:], strict=True))
        name = "-".join(sizes_of) if layers == 2 else f"{layers} layers"
        print(f"<!-- vector form, {name}: derived {say(derived / layers)}, checked {say(checked / layers)}, rendered as HTML "
              f"{say(rendered / layers)} a layer; the first in a process {', '.join(say(t / layers) for t in times[0])} -->")
        yield Row(f"derive and check a layer, vector form, {name}", "10 ms", (derived + checked) / layers, 0.01, "1")
        yield Row(f"render a layer as HTML, {name}", "10 ms", rendered / layers, 0.01, "1")
        yield Row(f"check, vector form, {name}", "deriving it", checked, derived, "3")


def vector_times(sizes_of: tuple[str, ...]) -> tuple[float, float, float]:
    """Deriving, checking and rendering one network, each from a problem that was just read; all that it says must be proved."""
    problem = vector_net(sizes_of)
    started = perf_counter()
    derivation = derive(problem, problem.parts[0])
    derived = perf_counter()
    checker = Checker(problem)
    verdicts = {checker.check(s.claim).ground.value for s in derivation.all_steps()}
    checked = perf_counter()
    assert verdicts == {"proved"}
    result = solve(problem)
    solved = perf_counter()
    render(result, ("html",), ("solution",))
    return derived - started, checked - derived, perf_counter() - solved


def sympy_diff(graph: Graph, wrt: tuple[str, ...]) -> float:
    """SymPy's diff of the whole loss in every weight, in seconds, sigmoid written with exp."""
    from sympy import Expr, diff, exp

    from symgrad.language.functions import Call

    composed: dict[Expr, Expr] = {}
    for node in graph.nodes:
        e = node.expr.xreplace(composed)
        composed[node.symbol] = 1 / (1 + exp(-e.arguments[0])) if isinstance(e, Call) else e
    loss = composed[graph.symbol("Loss")]
    start = perf_counter()
    for name in wrt:
        diff(loss, graph.symbol(name))
    return perf_counter() - start

"""Layouts against an oracle of plain segment geometry that knows nothing of layers."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import combinations, pairwise, permutations

import pytest

from symgrad.sheet.layout import Item, Layout, lay_out

HALF = 0.3  # of a box, as the oracle draws it
Point = tuple[float, float]


def variable(name: str, tex: str = "") -> Item:
    return Item(name, tex or name, name, "variable")


def node(name: str, *arguments: str, tex: str = "") -> Item:
    return Item(name, tex or name, name, "node", arguments)


def residual() -> tuple[Item, ...]:
    """z = W1 x + b1, h = sigma(z), y = x + W2 h + b2, S of (y, s), R of (r, h), L = S + R."""
    return (
        variable("x", r"\mathbf{x}"), variable("W1", r"\mathbf{W}^{(1)}"), variable("b1", r"\mathbf{b}_{1}"),
        variable("W2", r"\mathbf{W}^{(2)}"), variable("b2", r"\mathbf{b}_{2}"), variable("s", r"\mathbf{s}"), variable("r", r"\mathbf{r}"),
        node("z", "W1", "x", "b1", tex=r"\bar{z}"), node("h", "z", tex=r"\mathbf{h}"), node("y", "x", "W2", "h", "b2", tex=r"\hat{y}"),
        node("S", "y", "s"), node("R", "r", "h"), node("L", "S", "R", tex=r"\mathrm{Loss}"))


def scalar_mlp(layers: tuple[int, ...]) -> tuple[Item, ...]:
    """Every weight and bias a box of its own."""
    variables = [variable(f"x{i}", f"x_{{{i}}}") for i in range(1, layers[0] + 1)]
    nodes: list[Item] = []
    before = [v.name for v in variables]
    for k, (fan, units) in enumerate(pairwise(layers), 1):
        after = []
        for j in range(1, units + 1):
            own = [variable(f"w{k}_{j}{i}", f"w_{{{j}{i}}}^{{({k})}}") for i in range(1, fan + 1)]
            own.append(variable(f"b{k}_{j}", f"b_{{{j}}}^{{({k})}}"))
            variables += own
            nodes.append(node(f"z{k}_{j}", *before, *(v.name for v in own), tex=f"z_{{{j}}}^{{({k})}}"))
            nodes.append(node(f"h{k}_{j}", f"z{k}_{j}", tex=f"h_{{{j}}}^{{({k})}}"))
            after.append(f"h{k}_{j}")
        before = after
    variables.append(variable("t"))
    return (*variables, *nodes, node("L", *before, "t", tex=r"\mathrm{Loss}"))


def some_dag(seed: int, size: int, fan: int = 3, window: int = 0) -> tuple[Item, ...]:
    rng = random.Random(seed)
    items: list[Item] = []
    for k in range(size):
        names = [item.name for item in items[-window:]]
        chosen = rng.sample(names, min(len(names), rng.randint(0, fan)))
        label = f"v_{{{k}}}" if rng.random() < 0.8 else rf"\mathrm{{wide{'r' * rng.randint(1, 12)}}}"
        items.append(node(f"v{k}", *chosen, tex=label) if chosen else variable(f"v{k}", label))
    return tuple(items)


# ---- the oracle -------------------------------------------------------------------------------------------------


def side(p: Point, q: Point, r: Point) -> float:
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])


def cross(p: Point, q: Point, r: Point, s: Point) -> bool:
    """The open segments pq and rs meet in one point."""
    return side(p, q, r) * side(p, q, s) < -1e-12 and side(r, s, p) * side(r, s, q) < -1e-12


def meets(p: Point, q: Point, centre: Point, half: float) -> bool:
    """Segment pq enters the square around `centre`: the slabs of x and of y overlap (Liang and Barsky 1984)."""
    enter, leave = 0.0, 1.0
    for a, b, c in zip(p, q, centre, strict=True):
        if a == b:
            if abs(a - c) >= half:
                return False
            continue
        ends = sorted(((c - half - a) / (b - a), (c + half - a) / (b - a)))
        enter, leave = max(enter, ends[0]), min(leave, ends[1])
    return enter < leave


def crossings(layout: Layout) -> int:
    """Pairs of edges that cross somewhere; edges out of one box, or into one, may share a way and are let off."""
    return sum(
        any(cross(p, q, r, s) for p, q in pairwise(a.points) for r, s in pairwise(b.points))
        for a, b in combinations(layout.edges, 2) if a.tail != b.tail and a.head != b.head)


def assert_sound(layout: Layout, items: tuple[Item, ...]) -> None:
    at = {box.name: (box.x, box.y) for box in layout.boxes}
    assert [(b.name, b.tex, b.plain, b.kind) for b in layout.boxes] == [(i.name, i.tex, i.plain, i.kind) for i in items]
    assert sorted((e.tail, e.head) for e in layout.edges) == sorted((a, i.name) for i in items for a in dict.fromkeys(i.arguments))
    for (_, p), (_, q) in combinations(at.items(), 2):
        assert abs(p[0] - q[0]) >= 1 or abs(p[1] - q[1]) > 0.999, "boxes overlap"
    for edge in layout.edges:
        assert edge.points[0] == at[edge.tail] and edge.points[-1] == at[edge.head]
        assert all(p[0] < q[0] for p, q in pairwise(edge.points)), "an edge runs back"
        for name, centre in at.items():
            if name not in (edge.tail, edge.head):
                assert not any(meets(p, q, centre, HALF) for p, q in pairwise(edge.points)), f"{edge.tail} -> {edge.head} through {name}"
    for x, y in (*at.values(), *(p for e in layout.edges for p in e.points)):
        assert 0 <= x <= layout.width and 0 <= y <= layout.height


def test_the_oracle_sees_what_is_wrong() -> None:
    assert cross((0, 0), (1, 1), (0, 1), (1, 0)) and not cross((0, 0), (1, 0), (0, 1), (1, 1))
    assert meets((0, 0), (2, 0.1), (1, 0), 0.3) and not meets((0, 0), (2, 0), (1, 0.5), 0.3)


# ---- layouts ----------------------------------------------------------------------------------------------------


def test_the_residual_network_has_no_crossing() -> None:
    layout = lay_out(residual())
    assert_sound(layout, residual())
    assert crossings(layout) == 0
    at = {box.name: box for box in layout.boxes}
    assert [at[n].x for n in ("x", "z", "h", "y", "S", "L")] == [0, 1, 2, 3, 4, 5]
    assert at["s"].x == at["S"].x - 1 and at["r"].x == at["R"].x - 1, "a source stands one layer before its consumer"
    assert at["x"].y < at["W1"].y < at["b1"].y and at["W2"].y < at["b2"].y, "the declared order"
    skip = next(e for e in layout.edges if (e.tail, e.head) == ("x", "y"))
    assert skip.points[1][1] == at["x"].y, "the skip connection leaves level"
    assert at["z"].y == at["h"].y, "what feeds one box stands level with it"


def test_a_scalar_network_has_the_crossings_that_it_must_have() -> None:
    """K(3,2) costs 3 crossings, K(2,2) costs 1, all the rest none."""
    items = scalar_mlp((3, 2, 2, 1))
    layout = lay_out(items)
    assert_sound(layout, items)
    assert crossings(layout) == 4
    rows = {box.name: box.y for box in layout.boxes}
    for names in (["x1", "x2", "x3"], ["z1_1", "z1_2"], ["h2_1", "h2_2"], ["w1_11", "w1_12", "w1_13", "b1_1"], ["w2_21", "w2_22", "b2_2"]):
        assert [rows[n] for n in names] == sorted(rows[n] for n in names)


@pytest.mark.parametrize("seed", range(30))
def test_any_graph(seed: int) -> None:
    items = some_dag(seed, 5 + 2 * seed, 1 + seed % 4, (0, 6, 12)[seed % 3])
    assert_sound(lay_out(items), items)


@pytest.mark.parametrize("heads", [("a", "b", "c"), ("a", "a", "a"), ("a", "b", "b")])
def test_the_declared_order_is_kept_where_nothing_is_gained(heads: tuple[str, ...]) -> None:
    tops = tuple(variable(n) for n in "abc")
    layout = lay_out((*tops, *(node(f"n{k}", h) for k, h in enumerate(heads))))
    rows = {box.name: box.y for box in layout.boxes}
    assert rows["a"] < rows["b"] < rows["c"] and rows["n0"] < rows["n1"] < rows["n2"] and crossings(layout) == 0


def test_an_order_is_flipped_where_that_saves_crossings() -> None:
    layout = lay_out((variable("a"), variable("b"), node("p", "b"), node("q", "a"), node("r", "p"), node("s", "q")))
    assert crossings(layout) == 0


@pytest.mark.parametrize("seed", range(8))
def test_two_layers_have_the_fewest_crossings(seed: int) -> None:
    """Against all orders of both layers."""
    rng = random.Random(seed)
    pairs = rng.sample([(i, j) for i in range(4) for j in range(5)], 9) + [(i, i) for i in range(4)] + [(0, 4)]
    pairs = list(dict.fromkeys(pairs))
    rows = {box.name: box.y for box in lay_out((
        *(variable(f"a{i}") for i in range(4)), *(node(f"s{j}", *(f"a{i}" for i, k in pairs if k == j)) for j in range(5)))).boxes}

    def count(left: Sequence[float], right: Sequence[float]) -> int:
        return sum((left[a] - left[b]) * (right[p] - right[q]) < 0 for (a, p), (b, q) in combinations(pairs, 2))

    fewest = min(count(left, right) for left in permutations(range(4)) for right in permutations(range(5)))
    assert count([rows[f"a{i}"] for i in range(4)], [rows[f"s{j}"] for j in range(5)]) == fewest


def test_edges_from_one_box_share_a_trunk() -> None:
    items = (variable("x"), *(node(f"h{k}", f"h{k - 1}", "x") if k else node("h0", "x") for k in range(8)))
    layout = lay_out(items)
    assert_sound(layout, items)
    assert crossings(layout) == 0 and layout.height <= 2


def test_small_cases() -> None:
    assert lay_out(()) == Layout((), (), 0, 0)
    one = lay_out((variable("x"),))
    assert [(b.x, b.y) for b in one.boxes] == [(0, 0)] and (one.width, one.height) == (0, 0)
    twice = lay_out((variable("x"), node("y", "x", "x")))
    assert [e.points for e in twice.edges] == [((0, 0), (1, 0))]
    with pytest.raises(ValueError, match="y uses q, which is no earlier item"):
        lay_out((variable("x"), node("y", "q")))
    with pytest.raises(ValueError, match="x is given twice"):
        lay_out((variable("x"), variable("x")))


def test_hashing_plays_no_part() -> None:
    code = (f"import json\nfrom {__name__} import *\n"
            "print(json.dumps([[(b.name, b.x, b.y) for b in l.boxes] + [(e.tail, e.head, e.points) for e in l.edges]"
            " for l in map(lay_out, (residual(), scalar_mlp((3, 2, 2, 1)), some_dag(5, 40)))]))")
    path = os.pathsep.join(filter(None, sys.path))
    found = {
        subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path},
                       capture_output=True, text=True, check=True).stdout
        for seed in ("0", "1", "4711")}
    assert len(found) == 1 and len(json.loads(found.pop())) == 3


@pytest.mark.parametrize(("items", "seconds"), [
    pytest.param(some_dag(1, 60, 3, 12), 0.05, id="60"),
    pytest.param(some_dag(2, 500, 4), 2, id="500"),
    pytest.param(some_dag(3, 500, 4, 8), 2, id="500 deep"),
    pytest.param(tuple(node(f"v{k}", f"v{k - 1}") if k else variable("v0") for k in range(300)), 0.5, id="chain"),
    pytest.param(tuple(node(f"v{k}", f"v{k - 1}", f"v{k // 2}") if k else variable("v0") for k in range(500)), 2, id="long edges"),
    pytest.param((*(variable(f"a{k}") for k in range(499)), node("s", *(f"a{k}" for k in range(499)))), 2, id="wide"),
    pytest.param((*(variable(f"a{k}") for k in range(100)),
                  *(node(f"s{k}", *(f"a{j}" for j in range(100))) for k in range(100))), 2, id="dense"),
])
def test_it_is_quick(items: tuple[Item, ...], seconds: float) -> None:
    taken = []
    for _ in range(3):
        start = time.process_time()
        lay_out(items)
        taken.append(time.process_time() - start)
        if taken[-1] < seconds:
            return
    pytest.fail(f"{min(taken):.3f} s")

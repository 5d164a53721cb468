"""Paths of a graph against all walks along its consumers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from sympy import Add, Integer

from symgrad.language.functions import scalar
from symgrad.language.graph import Graph, Node, Variable


def random_graph(seed: int) -> Graph:
    random = Random(seed)
    names = ["x", "y"]
    nodes = []
    for k in range(8):
        used = random.sample(names, random.randint(1, min(3, len(names))))
        nodes.append(Node(f"n{k}", Add(Integer(k + 1), *(Integer(2) * scalar(n) for n in used))))
        names.append(f"n{k}")
    return Graph((Variable("x"), Variable("y")), tuple(nodes))


def walks(graph: Graph, path: tuple[str, ...], end: str) -> Iterator[tuple[str, ...]]:
    if path[-1] == end:
        yield path
        return
    for node in graph.nodes:
        if path[-1] in graph.arguments(node.name):
            yield from walks(graph, (*path, node.name), end)


@pytest.mark.parametrize("seed", range(12))
def test_paths_and_their_number(seed: int) -> None:
    graph = random_graph(seed)
    for end in ("n7", "n4", "x"):
        ways = graph.ways(end)
        for start in graph.names:
            expected = set(walks(graph, (start,), end))
            found = list(graph.paths(start, end))
            assert set(found) == expected and len(found) == len(expected) == graph.count_paths(start, end) == ways.get(start, 0)
            assert set(graph.paths(start, end, ways)) == expected

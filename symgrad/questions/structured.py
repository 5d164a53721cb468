"""What is said of the gradient in a structured variable: its name, its rule, and the convention, printed with every result."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, MatrixSymbol, Transpose

from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.graph import Graph, Node
from symgrad.language.structure import Structure

COOKBOOK = "Petersen, Pedersen, The Matrix Cookbook (2012), eq. 138"
SPACES = {Structure.SYMMETRIC: "symmetric", Structure.SKEW: "skew-symmetric", Structure.LOWER: "lower triangular",
          Structure.UPPER: "upper triangular", Structure.DIAGONAL: "diagonal"}


def label(graph: Graph, name: str) -> str:
    """What marks and expected answers call an adjoint: z_bar, and S_grad for the gradient in a structured variable S."""
    image = graph.behind(name)
    return f"{image.name}_grad" if image is not None else f"{name}_bar"


def rule_of(graph: Graph, name: str) -> str:
    """The rule of the step."""
    return "sum over consumers" if graph.behind(name) is None else "gradient in a structured variable"


def gradients(graph: Graph, adjoints: Mapping[str, Expr]) -> tuple[Node, ...]:
    """S_grad := the adjoint of the free matrix of S, for those whose adjoints were derived."""
    return tuple(Node(f"{n.name}_grad", adjoints[graph.free(n.name)]) for n in graph.structured if graph.free(n.name) in adjoints)


def structure_notes(graph: Graph, of: str, names: tuple[str, ...]) -> tuple[F.Prose, ...]:
    """For each structured variable, in which space and by which inner product its gradient is taken."""
    return tuple(_note(graph, of, n) for n in graph.structured if graph.free(n.name) in names)


def _note(graph: Graph, of: str, n: Node) -> F.Prose:
    assert n.structure is not None
    free = graph.free(n.name)
    gradient, plain = F.TotalOf(of, free), F.AdjointOf(n.name)
    independent: F.Prose = (plain, ", the derivative in which all entries of ", F.Just(n.symbol), " are independent.")
    if n.structure is Structure.ENTRIES:
        return (F.Just(n.symbol), " is symmetric. By convention of the problem ", gradient, " holds the derivatives in the entries on and below the "
                "diagonal as the independent variables, entry (i, j) being moved together with entry (j, i) (" + COOKBOOK + "). It is found from ",
                *independent)
    u, w = (MatrixSymbol(letter, *n.shape) for letter in [x for x in "UVXYABCMPQ" if x not in graph][:2])
    product = v.TraceOf(v.matmul(Transpose(u), w))
    return (F.Just(n.symbol), f" is {n.structure.word}. ", gradient, f" is the gradient in the space of {SPACES[n.structure]} matrices with the "
            "inner product ", F.Just(product), " of two of them, ", F.Just(u), " and ", F.Just(w), ": the projection on that space of ", *independent)


__all__ = ["gradients", "label", "rule_of", "structure_notes"]

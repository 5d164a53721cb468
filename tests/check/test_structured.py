"""What the checker knows of structured variables: their definitions, and that the inverse of a symmetric matrix is symmetric."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from sympy import Add, Integer, Mul, Rational, Symbol

from symgrad.check.adjoints import Adjoints
from symgrad.check.axioms import Atoms, Rows, cofactor_inverse
from symgrad.check.calculus import differentiate
from symgrad.check.errors import Undecided
from symgrad.check.explicit import Explicit
from symgrad.check.meaning import Meaning
from symgrad.language import forms as F
from symgrad.language import vectors as v
from symgrad.language.errors import Refused
from symgrad.language.functions import dimension
from symgrad.language.structure import Structure, free_name, image, mapped, misfit, preimage
from tests.making import backward

N = dimension("N")


def symbols(n: int, name: str = "a") -> Rows:
    return tuple(tuple(Symbol(f"{name}{i}{j}", real=True) for j in range(n)) for i in range(n))


def symmetric(n: int) -> Rows:
    a = symbols(n)
    return tuple(tuple(a[max(i, j)][min(i, j)] for j in range(n)) for i in range(n))


@pytest.mark.parametrize("n", (1, 2, 3))
def test_the_inverse_of_a_symmetric_matrix(n: int) -> None:
    """Atoms of a symmetric matrix are symmetric, as its inverse by cofactors is; those of another matrix are independent."""
    atoms = Atoms()
    b = atoms.inverse(symmetric(n))
    assert b == tuple(zip(*b, strict=True)) == atoms.inverse(symmetric(n))
    assert len({x for row in b for x in row}) == n * (n + 1) // 2
    numbers = {a: Rational(3 * k * k + 1, k + 2) for k, a in enumerate(sorted({x for row in symmetric(n) for x in row}, key=str))}
    written = cofactor_inverse(symmetric(n))
    assert all(written[i][j].xreplace(numbers) == written[j][i].xreplace(numbers) for i, j in product(range(n), repeat=2))
    other = Atoms()
    c = other.inverse(symbols(n))
    assert len({x for row in c for x in row}) == n * n
    assert other.inverse(tuple(zip(*symbols(n), strict=True))) == tuple(zip(*c, strict=True))


def test_a_skew_matrix_is_not_taken_for_a_symmetric_one() -> None:
    a = Symbol("a", real=True)
    b = Atoms().inverse(((Integer(0), a), (-a, Integer(0))))
    assert b[0][1] != b[1][0]


@pytest.mark.parametrize("n", (2, 3))
def test_its_slope_is_that_of_the_cofactors(n: int) -> None:
    """d(A^-1) = -A^-1 dA A^-1 along a_kl = a_lk, against the adjugate differentiated."""
    a = symmetric(n)
    atoms = Atoms()
    b, written = atoms.inverse(a), cofactor_inverse(a)
    numbers = {x: Rational(7 * k + 3, 2 * k + 1) for k, x in enumerate(sorted({x for row in a for x in row}, key=str))}
    known = {b[i][j]: written[i][j].xreplace(numbers) for i, j in product(range(n), repeat=2)}
    for i, j, x in product(range(n), range(n), (a[1][0], a[1][1])):
        assert atoms.differentiate(b[i][j], x).xreplace(numbers).xreplace(known) == differentiate(written[i][j], x, {}).xreplace(numbers)


def test_the_slots_of_an_adjoint_that_is_put_in_count() -> None:
    """A pullback of S_bar with its definition in its place carries the sums of that definition too."""
    declared = 'V = { shape = "N, N", structure = "symmetric" }\nB = { shape = "N, N" }\nC = { shape = "N, N" }'
    p = backward("L = trace(B @ C @ V @ C)", declared, "L", "V")
    b, c = p.graph.symbol("B"), p.graph.symbol("C")
    put_in = {v.variable("V_bar", (N, N)): v.matmul(v.matmul(v.transpose(c), v.transpose(b)), v.transpose(c))}
    plain, meaning = Meaning(p.graph), Meaning(p.graph, put_in)
    before, after = ([m.slots(f).summed[N] for f in (F.Pullback("V", "V_free"), F.AdjointOf("V"))] for m in (plain, meaning))
    assert before == [2, 0] and after == [4, 2]
    assert meaning.mentioned(F.AdjointOf("V")) == {N} and len(meaning.sources(F.AdjointOf("V"))) == 1


# ---- the maps --------------------------------------------------------------------------------------------------------

WHOLE = ((1, 2, 3), (4, 5, 6), (7, 8, 10))
IMAGES = {
    Structure.SYMMETRIC: ((1, 3, 5), (3, 5, 7), (5, 7, 10)), Structure.ENTRIES: ((1, 6, 10), (6, 5, 14), (10, 14, 10)),
    Structure.SKEW: ((0, -1, -2), (1, 0, -1), (2, 1, 0)), Structure.LOWER: ((1, 0, 0), (4, 5, 0), (7, 8, 10)),
    Structure.UPPER: ((1, 2, 3), (0, 5, 6), (0, 0, 10)), Structure.DIAGONAL: ((1, 0, 0), (0, 5, 0), (0, 0, 10)),
}


def rational(rows: tuple[tuple[int, ...], ...]) -> tuple[tuple[Rational, ...], ...]:
    return tuple(tuple(map(Integer, row)) for row in rows)


@pytest.mark.parametrize("structure", Structure)
def test_each_map_by_hand(structure: Structure) -> None:
    """On numbers, as an expression, and back: the image has the structure, and what has it is an image."""
    a, wanted = rational(WHOLE), rational(IMAGES[structure])
    assert image(structure, a) == wanted
    assert misfit(structure, a) is not None and misfit(structure, wanted) is None
    assert image(structure, preimage(structure, wanted)) == wanted
    symbol = v.variable("A", (N, N))
    entries = Explicit({N: 3}).rows(mapped(structure, symbol))
    numbers = {v.Entry(symbol, Integer(i), Integer(j)): a[i - 1][j - 1] for i, j in product((1, 2, 3), repeat=2)}
    assert tuple(tuple(x.xreplace(numbers) for x in row) for row in entries) == wanted


@pytest.mark.parametrize("structure", Structure)
def test_each_map_is_its_own_adjoint(structure: Structure) -> None:
    """<map(U), V> = <U, map(V)>: so the adjoint of the free matrix is the map of the adjoint."""
    u, w = rational(WHOLE), rational(((3, -1, 4), (1, -5, 9), (2, 6, -5)))

    def inner(a: tuple[tuple[Rational, ...], ...], b: tuple[tuple[Rational, ...], ...]) -> Fraction:
        return sum((Fraction(int(x.p * y.p), int(x.q * y.q)) for r, s in zip(a, b, strict=True) for x, y in zip(r, s, strict=True)), Fraction(0))

    assert inner(image(structure, u), w) == inner(u, image(structure, w))
    if structure is not Structure.ENTRIES:
        assert image(structure, image(structure, u)) == image(structure, u)


def test_free_names() -> None:
    assert free_name("S", ()) == "S_free" and free_name("S", {"S_free", "S_free2_bar"}) == "S_free3"


def test_sums_and_products_of_atoms_stay_what_they_are() -> None:
    b = Atoms().inverse(symmetric(2))
    assert Add(b[0][1], Mul(-1, b[1][0])) == 0


# ---- symmetry by definition ------------------------------------------------------------------------------------------

DECLARED = "\n".join((*(f'{n} = {{ shape = "N, N" }}' for n in "AB"), 'R = { shape = "N, K" }', 'x = { shape = "N" }',
                      *(f'{n} = {{ shape = "N, N", structure = "{s}" }}' for n, s in (("S", "symmetric"), ("J", "skew"), ("T", "lower")))))
NODES = """C = A @ A.T
E = C @ S @ C
M = A @ B
H = R @ R.T + 2 * C
P = S @ C
Q = inv(H + eye(N))
Z = A - A.T
L = trace(C) + trace(E) + trace(M) + trace(H) + trace(P @ J) + trace(Q) + trace(Z @ T) + x.T @ x"""
SIGNS = {"C": 1, "E": 1, "M": 0, "H": 1, "P": 0, "Q": 1, "Z": 0, "S": 1, "J": -1, "T": 0, "A": 0, "S_free": 0, "C_bar": 0}


def test_which_matrices_are_symmetric_is_shown_from_their_definitions() -> None:
    """Of nodes through several levels; a product of symmetric matrices is not, a variable is not, an adjoint that was not verified is not."""
    p = backward(NODES, DECLARED, "L", "A")
    checker = Adjoints(p)
    assert {n: checker.symmetries.sign("L", n) for n in SIGNS} == SIGNS
    mirrored, conditions = checker.symmetries.of("L", ("Q", "M", "J"))
    assert mirrored == {p.graph.symbol("Q"): 1, p.graph.symbol("J"): -1} and any("inverse exists" in c for c in conditions)


def test_an_adjoint_is_symmetric_once_it_is_verified() -> None:
    checker = Adjoints(backward("C = A @ A.T\nL = norm(C - S)^2", DECLARED, "L", "A"))
    c, s = checker.graph.symbol("C"), checker.graph.symbol("S")
    checker.found["L", "C"] = v.scale(Integer(2), v.add(c, v.negate(s)))
    assert checker.symmetries.sign("L", "C_bar") == 1
    other = Adjoints(checker.problem)
    other.found["L", "C"] = v.matmul(c, s)
    assert other.symmetries.sign("L", "C_bar") == 0


@pytest.mark.parametrize(("sign", "holds"), ((1, (True, False)), (-1, (False, True))))
def test_mirrored_entries(sign: int, holds: tuple[bool, bool]) -> None:
    """With S^T = S the matrix equals its transpose and not minus it, with S^T = -S the other way round; inside an inverse too."""
    checker = Adjoints(backward("L = trace(A)", DECLARED, "L", "A"))
    a = checker.graph.symbol("A")
    for e in (a, v.matmul(v.matmul(a, a), a)):
        for factor, true in zip((1, -1), holds, strict=True):
            try:
                found = checker.mirrored_equal(e, v.scale(Integer(factor), v.transpose(e)), "L", {a: sign}).everywhere
            except Refused:
                found = False
            assert found is true
    if sign == 1:
        assert checker.mirrored_equal(v.inverse(a), v.transpose(v.inverse(a)), "L", {a: 1}).everywhere
    with pytest.raises((Refused, Undecided)):
        checker.mirrored_equal(v.inverse(a), v.transpose(v.inverse(a)), "L", {} if sign == 1 else {a: -1})

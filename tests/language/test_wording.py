"""Long regular properties are written with dots, and forms with positive coefficients on both sides."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symgrad.language.arrangement import Form
from symgrad.language.threshold import Domain
from symgrad.language.wording import against_zero, plain, spell
from symgrad.reader.properties import read_property
from symgrad.reader.tokens import Inputs

NAMES = [f"x{i}" for i in range(1, 70)]


@pytest.mark.parametrize(("text", "domain", "short"), [
    ("x1 > x2 and x2 > x3", "reals", "x1 > x2 > x3"),
    ("x1 > x2 > ... > x64", "reals", "x1 > x2 > ... > x64"),
    ("exactly 2 of x1..x20", "booleans", "exactly 2 of x1, x2, ..., x20"),
    ("x1 + x2 + ... + x20 >= 3", "reals", "x1 + x2 + ... + x20 >= 3"),
    ("x1 or x2 or ... or x9", "booleans", "x1 or x2 or ... or x9"),
    ("x1 > x2 and x2 < x3", "reals", "x1 > x2 and x2 < x3"),
    ("x1 and (x2 or x3)", "booleans", "x1 and (x2 or x3)"),
    ("not (x1 and x2)", "booleans", "not (x1 and x2)"),
    ("majority of x1..x3", "booleans", "at least 2 of x1, x2, x3"),
    ("x1 xor x2", "booleans", "x1 xor x2"),
    ("parity of x1..x3", "booleans", "an odd number of x1, x2, x3"),
    ("at most 1 of x1..x3", "booleans", "at most 1 of x1, x2, x3"),
])
def test_spelling(text: str, domain: str, short: str) -> None:
    assert spell(read_property(text, Inputs(None, None), Domain(domain)), plain(NAMES, domain == "booleans")) == short


@pytest.mark.parametrize(("terms", "constant", "strict", "text"), [
    ({1: -1, 2: 1}, 0, False, "x1 <= x2"),
    ({1: 1, 2: -1}, 0, True, "x1 > x2"),
    ({1: 2}, -3, False, "x1 >= 3/2"),
    ({1: -1}, 2, True, "x1 < 2"),
    ({1: 1, 2: 1}, -1, False, "x1 + x2 >= 1"),
    ({1: 2, 2: -3, 3: 1}, -2, False, "2*x1 + x3 >= 3*x2 + 2"),
    ({1: Fraction(1, 2), 2: Fraction(1, 3)}, 1, False, "3*x1 + 2*x2 >= -6"),
    ({}, 0, False, "true"),
    ({}, 0, True, "false"),
])
def test_a_form_against_zero(terms: dict[int, int | Fraction], constant: int, strict: bool, text: str) -> None:
    form: Form = tuple((i, Fraction(c)) for i, c in terms.items()), Fraction(constant)
    assert spell(against_zero(form, strict), plain(NAMES)) == text
